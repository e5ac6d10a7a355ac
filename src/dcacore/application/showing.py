"""Why is my bot doing what it does, or nothing? All that there is to know of a bot, in one look."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

from dcacore.application.asking import ALIVE_WITHIN
from dcacore.application.finding import bot_of
from dcacore.domain.bot import Bot, shown_state
from dcacore.domain.deal import Deal
from dcacore.domain.explain import explain
from dcacore.domain.ids import UserId
from dcacore.domain.money import Price, QuoteAmount, Quotient, exact
from dcacore.domain.roles import Role
from dcacore.ports.records import Account, Activity, BotRecord, EngineRecord, Reconciliation, Request
from dcacore.ports.store import Store

_LINES: Final = 10


@attrs.frozen(kw_only=True)
class DealFigures:
    """An open deal in numbers.

    Attributes:
        deal: the deal.
        average: the average price of its buys; None before the first.
        next_safety_order: the price of the next one, resting or waiting; None when there is none left.
        safety_orders_used: how many have filled.
        safety_orders: how many it may have.
        unrealized: net x last price - spent; None before a price is known.
        unrealized_percent: the same in percent of what was spent; None likewise, or when nothing was.
    """

    deal: Deal
    average: Decimal | None
    next_safety_order: Price | None
    safety_orders_used: int
    safety_orders: int
    unrealized: QuoteAmount | None
    unrealized_percent: Decimal | None


@attrs.frozen(kw_only=True)
class BotView:
    """A bot with all that explains it.

    Attributes:
        record: the bot and whose it is.
        account: where it trades.
        state: the one word that tells how it is.
        explanation: sentences that say why.
        deal: the open deal in numbers; None without one.
        activity: what happened to it last, newest first.
        waiting: what its user has asked of it and no engine has dealt with.
        engines: the engines that have reported themselves lately.
        reconciliation: the last comparison of its account with the exchange; None before the first.
    """

    record: BotRecord
    account: Account | None
    state: str
    explanation: tuple[str, ...]
    deal: DealFigures | None
    activity: tuple[Activity, ...]
    waiting: tuple[Request, ...]
    engines: tuple[EngineRecord, ...]
    reconciliation: Reconciliation | None


async def show(store: Store, user_id: UserId, named: str, *, lines: int = _LINES) -> BotView:
    """Return all that explains the user's bot of that id or name.

    Raises:
        NotFound: the user has none.
    """
    async with store.begin(reads_only=True) as work:
        record = await bot_of(work, user_id, named)
        bot = record.bot
        found = await work.feed.reconciliations(record.account_id, limit=1)
        return BotView(
            record=record,
            account=await work.accounts.get(record.account_id),
            state=shown_state(bot),
            explanation=tuple(explain(bot)),
            deal=figures(bot),
            activity=await work.feed.activity(user_id, bot_id=bot.id, limit=lines),
            waiting=tuple(it for it in await work.requests.waiting() if it.bot_id == bot.id),
            engines=await work.leases.engines(ALIVE_WITHIN),
            reconciliation=found[0] if found else None,
        )


@exact
def figures(bot: Bot) -> DealFigures | None:
    """Return the open deal in numbers, at the last price that the bot was told; None without one."""
    deal = bot.deal
    if deal is None:
        return None
    books, unrealized = deal.books, None
    if bot.price is not None:
        unrealized = QuoteAmount(books.net * bot.price - books.spent)
    percent = None
    if unrealized is not None and books.spent > 0:
        percent = Quotient(unrealized * 100, books.spent).rounded()
    return DealFigures(
        deal=deal,
        average=books.average.rounded() if books.bought > 0 else None,
        next_safety_order=_next_safety_order(deal),
        safety_orders_used=deal.filled_safety_orders,
        safety_orders=len(deal.rungs) if deal.reference is not None else deal.strategy.max_safety_orders,
        unrealized=unrealized,
        unrealized_percent=percent,
    )


def _next_safety_order(deal: Deal) -> Price | None:
    if deal.exit is not None:
        return None
    resting = [it.price for it in deal.live_orders if it.role is Role.SAFETY and it.price is not None]
    return max([*resting, *(rung.price for rung in deal.waiting)], default=None)
