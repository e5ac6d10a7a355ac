"""Deals, orders and equity as tables, for spreadsheets."""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final, Protocol

import numpy as np

from dcacore.application.stamps import utc_stamp
from dcacore.domain.deal import Deal
from dcacore.domain.money import ZERO, Quotient, exact
from dcacore.ports.candles import Candles
from dcacore.ports.intervals import DAY_MS

Row = tuple[str | int | Decimal | None, ...]

DEAL_COLUMNS: Final = (
    *("deal", "pair", "opened_at", "closed_at", "reason", "safety_orders", "base_price", "bought", "spent"),
    *("average_price", "sold", "exit_price", "fees_base", "fees_quote", "profit", "carried_quantity", "carried_cost"),
)
ORDER_COLUMNS: Final = (
    *("deal", "pair", "order", "role", "safety_order", "side", "type", "limit_price", "quantity", "state"),
    *("filled_at", "filled", "average_price", "notional", "fee_base", "fee_quote"),
)
EQUITY_COLUMNS: Final = ("candle", "close", "held", "equity")
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class Standing(Protocol):
    """How a bot stood at the close of a candle and of all after it, up to the next standing."""

    @property
    def index(self) -> int:
        """The candle."""

    @property
    def booked(self) -> Decimal:
        """Profit so far less what the open deal has spent, in quote."""

    @property
    def net(self) -> Decimal:
        """Base held by the open deal."""


@exact
def deal_rows(deals: Iterable[Deal]) -> tuple[Row, ...]:
    """Return a row of `DEAL_COLUMNS` for each of *deals*; what only a closed deal has is None for an open one."""
    return tuple(_deal_row(deal) for deal in deals)


@exact
def order_rows(deals: Iterable[Deal]) -> tuple[Row, ...]:
    """Return a row of `ORDER_COLUMNS` for each order of *deals* that has filled, or still may."""
    return tuple(row for deal in deals for row in _order_rows(deal))


@exact
def equity_rows(standings: Sequence[Standing], candles: Candles) -> tuple[Row, ...]:
    """Return a row of `EQUITY_COLUMNS` for each candle in which something happened, and for the last of each day (UTC).

    Equity is profit so far plus unrealized, in quote, at the candle's close.
    """
    days = candles.open_time // DAY_MS
    ends = np.append(np.flatnonzero(days[1:] != days[:-1]), len(candles) - 1)
    starts = [standing.index for standing in standings]
    chosen = sorted({*starts, *(int(end) for end in ends if starts and end >= starts[0])})
    return tuple(_equity_row(standings[bisect_right(starts, place) - 1], candles, place) for place in chosen)


def _equity_row(standing: Standing, candles: Candles, place: int) -> Row:
    at = _EPOCH + datetime.timedelta(milliseconds=int(candles.open_time[place]))
    close = Decimal(repr(float(candles.close[place])))
    return _candle_stamp(at), close, standing.net, standing.booked + standing.net * close


def _candle_stamp(at: datetime.datetime) -> str:
    """Return the time at which a candle opens, to the second where it has no fraction of one."""
    return utc_stamp(at).replace(".000Z", "Z")


def _deal_row(deal: Deal) -> Row:
    books, result, base = deal.books, deal.result, deal.base_order
    return (
        deal.number,
        deal.market.pair,
        utc_stamp(deal.opened_at),
        utc_stamp(deal.closed_at) if deal.closed_at is not None else None,
        deal.exit.value if deal.exit is not None and result is not None else None,
        deal.filled_safety_orders,
        _average(base.notional, base.filled) if base is not None else None,
        books.bought,
        books.cost,
        _average(books.gross, books.bought),
        books.sold,
        _average(books.proceeds, books.sold),
        books.base_fees,
        books.buy_fees + books.sell_fees,
        result.profit if result is not None else None,
        result.carried.quantity if result is not None else None,
        result.carried.cost if result is not None else None,
    )


def _order_rows(deal: Deal) -> Iterator[Row]:
    for order in deal.orders.values():
        yield (
            deal.number,
            deal.market.pair,
            order.id,
            order.role.value,
            order.rung or None,
            order.side.value,
            "market" if order.price is None else "limit",
            order.price,
            order.quantity,
            order.state.value,
            utc_stamp(order.fills[-1].at) if order.fills else None,
            order.filled,
            _average(order.notional, order.filled),
            order.notional,
            order.base_fee,
            order.quote_fee,
        )


def _average(quote: Decimal, base: Decimal) -> Decimal | None:
    return Quotient(quote, base).rounded() if base > ZERO else None
