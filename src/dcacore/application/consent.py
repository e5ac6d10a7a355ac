"""No bot spends real money before its user has said that it may: the one place where that is decided."""

from __future__ import annotations

from dcacore.application.refusals import NotConfirmed
from dcacore.domain.spending import raises
from dcacore.domain.strategy import Strategy
from dcacore.ports.records import BotRecord, Environment
from dcacore.ports.store import Work

NEVER = "it has never been confirmed that it may"
MORE = "its deals may cost more than was confirmed"


async def refuse_unconfirmed(work: Work, record: BotRecord, strategy: Strategy, *, runs: bool = False) -> None:
    """Refuse to let *record* trade by *strategy* on a live account whose owner has not confirmed it.

    Args:
        work: what is stored.
        record: the bot.
        strategy: the parameters that it is to trade by.
        runs: whether it runs already, and is to have other parameters; nothing is asked that costs no more.

    Raises:
        NotConfirmed: that has to be confirmed first (`dcacore.application.going_live`).
    """
    if (reason := await unconfirmed(work, record, strategy, runs=runs)) is not None:
        raise NotConfirmed(record.name, reason)


async def unconfirmed(work: Work, record: BotRecord, strategy: Strategy, *, runs: bool = False) -> str | None:
    """Return why *record* may not trade by *strategy* before it has been confirmed; None when it may."""
    account = await work.accounts.get(record.account_id)
    if account is None or account.environment is not Environment.LIVE:
        return None
    given = await work.bots.live_confirmation(record.bot.id)
    bot = record.bot
    if given is None and not runs:
        return NEVER
    confirmed = bot.strategy if given is None else given.strategy
    # Both are weighed at one price, and by the rules and fees of now: only other parameters can make a difference.
    price = given.price if given is not None else bot.price
    if price is None:
        return None if strategy == confirmed else MORE
    return MORE if raises(confirmed, strategy, bot.market, bot.fees, price) else None
