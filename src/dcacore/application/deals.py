"""What a user does with deals. What changes one is a request to its bot, which an engine carries out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import attrs

from dcacore.application.asking import add_request
from dcacore.application.finding import bot_of, deal_of
from dcacore.application.refusals import NotFound
from dcacore.domain.errors import InvalidParameter, NotNow
from dcacore.domain.ids import RequestId, UserId
from dcacore.domain.money import plain
from dcacore.domain.numbers import typed_number
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.records import BotRecord, DealRecord, Request, RequestKind
from dcacore.ports.store import Store

_LONGEST_ID: Final = 40
EDITABLE: Final = ("take_profit", "stop_loss", "trailing_deviation", "max_safety_orders", "active_safety_orders")
"""The parameters that an open deal may change; `max_safety_orders` counts those that have filled already, too."""


async def of(
    store: Store, user_id: UserId, *, bot: str | None = None, limit: int = 100, skip: int = 0
) -> tuple[tuple[BotRecord, DealRecord], ...]:
    """Return the newest deals of a user's bots, or of one of them, open ones first, each with its bot.

    Raises:
        NotFound: the user has no such bot.
    """
    async with store.begin(reads_only=True) as work:
        records = await work.bots.of(user_id) if bot is None else (await bot_of(work, user_id, bot),)
        by_id = {record.bot.id: record for record in records}
        deals = await work.deals.of(by_id, limit=limit, skip=skip)
    return tuple((by_id[deal.bot_id], deal) for deal in deals)


async def find(store: Store, user_id: UserId, named: str) -> tuple[BotRecord, DealRecord]:
    """Return the user's deal of that id, or the open one of the bot of that id or name, with its bot.

    Raises:
        NotFound: the user has neither such a deal nor such a bot.
        NotNow: the bot has no open deal.
    """
    async with store.begin(reads_only=True) as work:
        deal = await deal_of(work, user_id, named)
        record = await work.bots.get(deal.bot_id)
    if record is None:
        raise NotFound("deal", named)
    return record, deal


async def close(store: Store, clock: Clock, ids: Ids, *, user_id: UserId, named: str) -> Request:
    """Ask for the sale of what the deal holds, at market.

    Raises:
        NotFound: there is no such deal.
        NotNow: it is not open.
    """
    return await _ask(store, clock, ids, whose=(user_id, named), kind=RequestKind.CLOSE_DEAL, details={})


async def cancel(store: Store, clock: Clock, ids: Ids, *, user_id: UserId, named: str) -> Request:
    """Ask for the end of the deal without a sale: the user keeps its coins.

    Raises:
        NotFound: there is no such deal.
        NotNow: it is not open.
    """
    return await _ask(store, clock, ids, whose=(user_id, named), kind=RequestKind.CANCEL_DEAL, details={})


async def close_as_sold(store: Store, clock: Clock, ids: Ids, *, user_id: UserId, named: str, sold_at: str) -> Request:
    """Ask for the end of a deal whose coins the user has sold by hand, at *sold_at* quote each after fees.

    Raises:
        NotFound: there is no such deal.
        NotNow: it is not open.
        InvalidParameter: the price is no number above 0.
    """
    details = {"sold_at": plain(_above_zero("sold_at", sold_at))}
    return await _ask(store, clock, ids, whose=(user_id, named), kind=RequestKind.CLOSE_AS_SOLD, details=details)


async def add_funds(
    store: Store, clock: Clock, ids: Ids, *, user_id: UserId, named: str, amount: str, once: str = ""
) -> Request:
    """Ask for an extra buy of *amount* quote, at market.

    Args:
        store: where it is asked.
        clock: tells when.
        ids: names the request, unless *once* does.
        user_id: whose deal it is.
        named: the deal.
        amount: quote.
        once: an id that a form was made with: sent again, it asks for nothing more, and the first request comes back.

    Raises:
        NotFound: there is no such deal.
        NotNow: it is not open.
        InvalidParameter: the amount is no number above 0.
    """
    details = {"amount": plain(_above_zero("amount", amount))}
    if len(once) > _LONGEST_ID:
        once = ""
    return await _ask(store, clock, ids, whose=(user_id, named), kind=RequestKind.ADD_FUNDS, details=details, once=once)


def _above_zero(name: str, text: str) -> Decimal:
    number = typed_number(name, text)
    if number <= 0:
        raise InvalidParameter(name, text, "must be above 0")
    return number


async def edit(
    store: Store, clock: Clock, ids: Ids, *, user_id: UserId, named: str, changes: Mapping[str, str]
) -> Request:
    """Ask for other parameters of the open deal, by their names in the bot file.

    Raises:
        NotFound: there is no such deal.
        NotNow: it is not open.
        InvalidParameter: a parameter is none that an open deal may change, or no number.
    """
    if not changes:
        raise InvalidParameter("a change", None, f"is missing; an open deal can change {', '.join(EDITABLE)}")
    for name in changes:
        if name not in EDITABLE:
            raise InvalidParameter(name, changes[name], f"an open deal can change {', '.join(EDITABLE)} only")
    numbers = {name: plain(typed_number(name, text)) for name, text in changes.items()}
    return await _ask(store, clock, ids, whose=(user_id, named), kind=RequestKind.EDIT_DEAL, details=numbers)


async def _ask(
    store: Store,
    clock: Clock,
    ids: Ids,
    *,
    whose: tuple[UserId, str],
    kind: RequestKind,
    details: Mapping[str, str],
    once: str = "",
) -> Request:
    user_id, named = whose
    async with store.begin() as work:
        if once:
            await work.users.hold(user_id)  # of two that are sent at a time, the second one sees the first
        deal = await deal_of(work, user_id, named)
        if deal.deal.closed_at is not None:
            raise NotNow(f"deal {deal.deal.id} is not open any more")
        record = await bot_of(work, user_id, deal.bot_id)
        details = {"deal": deal.deal.id, **details}
        before = await work.requests.get(RequestId(once)) if once else None
        if before is not None and (before.bot_id, before.kind, before.details) == (record.bot.id, kind, details):
            return before
        named_by = ids if before is not None or not once else _Named(once)
        request = await add_request(work, clock, named_by, record=record, kind=kind, details=details)
        await work.commit()
    return request


@attrs.frozen
class _Named:
    """Gives the id that a form was made with."""

    once: str

    def new(self) -> str:
        return self.once
