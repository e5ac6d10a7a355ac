"""Deals and orders of any range as CSV, row by row: however many there are, a few are in memory at a time.

A text that a spreadsheet could take for a formula is led by an apostrophe; numbers and times stay as they are.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import AsyncIterator, Callable, Iterable
from decimal import Decimal
from typing import Final

import attrs

from dcacore.application.analytics import Choice, bounds
from dcacore.application.exports import Row, deal_rows, order_rows
from dcacore.application.finding import bot_of
from dcacore.application.live_exports import LIVE_DEAL_COLUMNS, LIVE_ORDER_COLUMNS, state_of
from dcacore.application.stamps import utc_stamp
from dcacore.application.zones import zone_of
from dcacore.domain.ids import UserId
from dcacore.domain.money import plain
from dcacore.ports.clock import Clock
from dcacore.ports.records import Account, BotRecord, DealRecord
from dcacore.ports.spreadsheets import harmless
from dcacore.ports.store import Store

PAGE: Final = 50
"""Deals read at a time: nothing else is done in this process while they are made of rows, a few milliseconds."""
FILL_COLUMNS: Final = (
    *("bot", "account", "environment", "deal_id", "pair", "order", "role", "side"),
    *("trade", "at", "price", "quantity", "fee_base", "fee_quote"),
)


@attrs.frozen(kw_only=True)
class _Source:
    """A bot of which deals are exported."""

    record: BotRecord
    account: Account


async def deals_csv(store: Store, clock: Clock, user_id: UserId, choice: Choice | None = None) -> AsyncIterator[str]:
    """Return the lines of a CSV file of the user's deals that fit *choice*, the names of its columns first.

    They come bot by bot, oldest first; an open deal comes last of its bot, unless the range has ended.

    Raises:
        NotFound: the user has no such bot.
        InvalidParameter: there is no such time zone, or the last day lies before the first.
    """
    return await _csv(store, clock, (user_id, choice or Choice()), LIVE_DEAL_COLUMNS, _deal_rows)


async def orders_csv(store: Store, clock: Clock, user_id: UserId, choice: Choice | None = None) -> AsyncIterator[str]:
    """Return the lines of a CSV file of the orders of these deals that have filled or still may, in the same order.

    Raises:
        NotFound: the user has no such bot.
        InvalidParameter: there is no such time zone, or the last day lies before the first.
    """
    return await _csv(store, clock, (user_id, choice or Choice()), LIVE_ORDER_COLUMNS, _order_rows)


async def fills_csv(store: Store, clock: Clock, user_id: UserId, choice: Choice | None = None) -> AsyncIterator[str]:
    """Return the lines of a CSV file of the fills of these orders, likewise.

    Raises:
        NotFound: the user has no such bot.
        InvalidParameter: there is no such time zone, or the last day lies before the first.
    """
    return await _csv(store, clock, (user_id, choice or Choice()), FILL_COLUMNS, _fill_rows)


async def _csv(
    store: Store,
    clock: Clock,
    asked: tuple[UserId, Choice],
    columns: tuple[str, ...],
    rows_of: Callable[[_Source, DealRecord], Iterable[Row]],
) -> AsyncIterator[str]:
    """Look at what is asked for before the first line goes out: a refusal must not come in the middle of a file."""
    user_id, choice = asked
    since, until = bounds(choice, zone_of(choice.zone))
    has_ended = until is not None and until <= clock.now()
    async with store.begin(reads_only=True) as work:
        mine = await work.bots.of(user_id)
        only = None if choice.bot is None else (await bot_of(work, user_id, choice.bot)).bot.id
        accounts = {account.id: account for account in await work.accounts.of(user_id)}
    sources = [
        _Source(record=it, account=accounts[it.account_id])
        for it in mine
        if only in {None, it.bot.id}
        and choice.pair in {None, it.bot.market.pair}
        and choice.quote_asset in {None, it.bot.market.quote_asset}
        and choice.environment in {None, accounts[it.account_id].environment}
    ]

    async def lines() -> AsyncIterator[str]:
        yield csv_line(columns)
        for source in sources:
            async for deal in _deals(store, source, (since, until), with_open=not has_ended):
                for row in rows_of(source, deal):
                    yield csv_line(row)

    return lines()


async def _deals(
    store: Store,
    source: _Source,
    span: tuple[datetime.datetime | None, datetime.datetime | None],
    *,
    with_open: bool,
) -> AsyncIterator[DealRecord]:
    """Yield a bot's deals; no transaction is open while a line is on its way to a slow reader."""
    last: DealRecord | None = None
    bot_id = source.record.bot.id
    is_over = False
    while not is_over:
        async with store.begin(reads_only=True) as work:
            found = await work.deals.ended(bot_id, since=span[0], until=span[1], after=last, limit=PAGE)
            is_over = len(found) < PAGE
            record = (
                await work.bots.get(bot_id) if is_over and with_open else None
            )  # with the last ones: none is missed
        for deal in found:
            yield deal
        last = found[-1] if found else last
        if record is not None and record.bot.deal is not None:
            yield DealRecord(deal=record.bot.deal, bot_id=bot_id, user_id=record.user_id, account_id=record.account_id)


def _deal_rows(source: _Source, deal: DealRecord) -> Iterable[Row]:
    books = deal.deal.books
    for row in deal_rows([deal.deal]):
        yield (*_whose(source), deal.deal.id, state_of(deal), *row, books.gone, books.gone_for)


def _order_rows(source: _Source, deal: DealRecord) -> Iterable[Row]:
    for row in order_rows([deal.deal]):
        yield (*_whose(source), deal.deal.id, *row)


def _fill_rows(source: _Source, deal: DealRecord) -> Iterable[Row]:
    for order in deal.deal.orders.values():
        for fill in order.fills:
            fees = fill.base_fee, fill.quote_fee
            what = deal.deal.market.pair, order.id, order.role.value, order.side.value
            yield (
                *_whose(source),
                deal.deal.id,
                *what,
                fill.trade_id,
                utc_stamp(fill.at),
                fill.price,
                fill.quantity,
                *fees,
            )


def _whose(source: _Source) -> tuple[str, str, str]:
    return source.record.name, source.account.name, source.account.environment.value


def csv_line(row: Iterable[str | int | Decimal | None]) -> str:
    """Return a row as a line of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([cell(value) for value in row])
    return text.getvalue()


def cell(value: str | int | Decimal | None) -> str:
    """Return a value as a cell: numbers in plain notation, and no text that a spreadsheet would reckon with."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, int):
        return str(value)
    return harmless(value)
