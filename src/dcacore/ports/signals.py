"""What lets somebody outside give a bot a sign: to start, or to close its deal."""

from __future__ import annotations

import datetime
from typing import Protocol

import attrs

from dcacore.domain.ids import BotId, UserId
from dcacore.ports.identity import Digest


@attrs.frozen(kw_only=True)
class SignalKey:
    """A bot's secret for signals, without the secret. A bot has one at most.

    Attributes:
        bot_id: which bot.
        key: the digest of the secret.
        created_at: when it was made.
        used_at: when a signal last came with it; None until then.
    """

    bot_id: BotId
    key: Digest = attrs.field(repr=False)
    created_at: datetime.datetime
    used_at: datetime.datetime | None = None


class Signals(Protocol):
    """The bots' secrets for signals."""

    async def put(self, signal: SignalKey) -> None:
        """Store a bot's secret in the place of the one before.

        Raises:
            Conflict: there is one with that key, or no such bot.
        """

    async def find(self, key: Digest) -> SignalKey | None:
        """Return whose secret it is; None when it is nobody's."""

    async def of(self, bot_id: BotId) -> SignalKey | None:
        """Return the bot's secret; None when it has none."""

    async def use(self, key: Digest, at: datetime.datetime) -> None:
        """Note that a signal has come; a secret that was revoked meanwhile does not come back."""

    async def revoke(self, bot_id: BotId) -> bool:
        """Forget the bot's secret; say whether it had one."""

    async def revoke_all(self, user_id: UserId) -> int:
        """Forget the secrets of all bots of a user; return how many there were."""
