"""What an exchange key may do, as its exchange tells it."""

from __future__ import annotations

from typing import Protocol

import attrs

from dcacore.ports.records import Environment
from dcacore.ports.secrets import ApiKey


@attrs.frozen(kw_only=True)
class KeyRights:
    """What a key may do; None where the exchange does not say.

    Attributes:
        may_trade: whether it, and its account, may place orders.
        may_withdraw: whether it may move coins out of the account.
        is_bound: whether it works from given addresses only.
    """

    may_trade: bool
    may_withdraw: bool | None = None
    is_bound: bool | None = None


class Keys(Protocol):
    """Asks exchanges what keys may do."""

    async def rights(self, environment: Environment, key: ApiKey) -> KeyRights:
        """Return what *key* may do.

        Raises:
            BadCredentials: the exchange does not accept it.
            Unavailable: the exchange cannot be asked now.
        """
