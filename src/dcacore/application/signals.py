"""Signals from outside: whoever has a bot's secret may start the bot, or close its deal, and nothing else."""

from __future__ import annotations

from enum import Enum
from typing import Final

import attrs

from dcacore.application.asking import ask_in
from dcacore.application.finding import bot_of
from dcacore.application.identity.means import NOBODY, Client, Means, digest
from dcacore.application.identity.throttling import SIGNALS_BY_CLIENT, SIGNALS_OF_BOT, count
from dcacore.application.refusals import UseCaseError
from dcacore.domain.errors import NotNow
from dcacore.domain.ids import UserId
from dcacore.ports.records import Activity, Request, RequestKind
from dcacore.ports.signals import SignalKey

PREFIX: Final = "dcs_"
"""What every secret begins with, so that it is known where it should not be."""


class SignalAction(Enum):
    """What a signal may ask for."""

    START = "start"
    CLOSE = "close"


_WORDS: Final = {SignalAction.START: "start", SignalAction.CLOSE: "sell what its deal holds, at market"}


class UnknownSignal(UseCaseError):
    """No bot has this secret; whether one ever had is not told."""

    def __init__(self) -> None:
        super().__init__("no bot hears this secret")


@attrs.frozen(kw_only=True)
class NewSecret:
    """A secret that has just been made.

    Attributes:
        secret: what signals bring along; it is stored nowhere and cannot be shown again.
        signal: the rest of it.
    """

    secret: str = attrs.field(repr=False)
    signal: SignalKey


async def make_secret(means: Means, user_id: UserId, bot: str) -> NewSecret:
    """Give the user's bot of that id or name a secret, in the place of the one that it had.

    Raises:
        NotFound: the user has no such bot.
    """
    secret = PREFIX + means.draws.secret()
    async with means.store.begin() as work:
        record = await bot_of(work, user_id, bot)
        made = SignalKey(bot_id=record.bot.id, key=digest(secret), created_at=means.clock.now())
        await work.signals.put(made)
        await work.commit()
    return NewSecret(secret=secret, signal=made)


async def secret_of(means: Means, user_id: UserId, bot: str) -> SignalKey | None:
    """Return what is known of the bot's secret; None when it has none.

    Raises:
        NotFound: the user has no such bot.
    """
    async with means.store.begin(reads_only=True) as work:
        return await work.signals.of((await bot_of(work, user_id, bot)).bot.id)


async def revoke_secret(means: Means, user_id: UserId, bot: str) -> None:
    """Let the bot hear no signals any more.

    Raises:
        NotFound: the user has no such bot.
    """
    async with means.store.begin() as work:
        await work.signals.revoke((await bot_of(work, user_id, bot)).bot.id)
        await work.commit()


async def signal(means: Means, *, secret: str, action: SignalAction, client: Client = NOBODY) -> Request:
    """Store what a signal asks for, and a line of activity that it came; return the request.

    START is what the user's own start is: a bot that runs already goes on as it does, one that does not opens its next
    deal as always. CLOSE means the deal that is open now, and no other, however late it is carried out.

    Raises:
        TooManyTries: too many signals of this client, or for this bot.
        UnknownSignal: no bot has this secret.
        PlanLimitReached: it is to start, and as many run already as the tier allows.
        NotConfirmed: it is to start on a live account, and its user has not confirmed what it may spend.
        NotNow: there is no open deal to close.
    """
    await count(means, (SIGNALS_BY_CLIENT, client.network))
    key = digest(secret)
    async with means.store.begin(reads_only=True) as work:
        known = await work.signals.find(key)
    if known is None:
        raise UnknownSignal
    await count(means, (SIGNALS_OF_BOT, known.bot_id))
    async with means.store.begin(reads_only=True) as work:
        record = await work.bots.get(known.bot_id)
        owner = None if record is None else await work.users.get(record.user_id)
    if record is None or owner is None or owner.verified_at is None:
        raise UnknownSignal
    kind, details = RequestKind.START, dict[str, str]()
    if action is SignalAction.CLOSE:
        if record.bot.deal is None:
            raise NotNow("the bot has no open deal")
        kind, details = RequestKind.CLOSE_DEAL, {"deal": record.bot.deal.id}
    async with means.store.begin() as work:
        now = means.clock.now()
        request = await ask_in(
            work, means.clock, means.ids, user_id=owner.id, bot=record.bot.id, kind=kind, details=details
        )
        still = await work.signals.find(key)
        if still is None or still.bot_id != record.bot.id:
            raise UnknownSignal  # it was revoked in this moment
        await work.signals.use(key, now)
        line = f"a signal asked the bot to {_WORDS[action]}"
        await work.feed.add_activity(
            [Activity(user_id=owner.id, at=now, kind="signal", text=line, bot_id=record.bot.id)]
        )
        await work.commit()
    return request
