"""Candles for a chart, bounded in number, and what is drawn over them: price lines, and a marker for each fill."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Iterator
from contextlib import aclosing
from decimal import Decimal
from enum import Enum

import attrs
import numpy as np

from dcacore.domain.bot import Bot
from dcacore.domain.deal import Deal
from dcacore.domain.ids import OrderId
from dcacore.domain.ladder import trailing_exit_price
from dcacore.domain.money import BaseQty, Price, QuoteAmount, Quotient, exact
from dcacore.domain.orders import Role, Side
from dcacore.ports.candle_archive import ExchangeCandles
from dcacore.ports.candle_store import CandleStore
from dcacore.ports.candles import Candles, joined
from dcacore.ports.errors import BadFile, NoCandles, PortError, UnknownPair
from dcacore.ports.intervals import INTERVALS

MOST = 500
WITHIN_S = 10
_DAY = datetime.timedelta(days=1)


class LineKind(Enum):
    """What a price line stands for."""

    PRICE = "price"
    AVERAGE = "average"
    TARGET = "target"
    STOP = "stop"
    TRAIL = "trail"
    SAFETY = "safety"


@attrs.frozen(kw_only=True)
class PriceLine:
    """A price that matters to a bot now.

    Attributes:
        kind: what it stands for.
        price: where.
        rung: the number of the safety order; 0 for other lines.
        is_resting: whether an order rests there; a safety order that waits has none.
    """

    kind: LineKind
    price: Decimal
    rung: int = 0
    is_resting: bool = False


@attrs.frozen(kw_only=True)
class Marker:
    """An order that has filled, in whole or in part: where and when.

    Attributes:
        at: the time of its last fill.
        side: bought or sold.
        role: as what.
        rung: the number of the safety order; 0 otherwise.
        price: the average of its fills, half-even at 8 decimals.
        quantity: base filled.
        notional: what that cost or brought, in quote, fees not counted.
        order_id: which order.
    """

    at: datetime.datetime
    side: Side
    role: Role
    rung: int
    price: Decimal
    quantity: BaseQty
    notional: QuoteAmount
    order_id: OrderId


@attrs.frozen(kw_only=True, eq=False)
class ChartCandles:
    """Candles of one pair.

    Attributes:
        pair: the market.
        interval: how long each is, by name.
        candles: oldest first; None where there are none.
        source: where they come from: exchange or store; empty where there are none.
        reason: why there are none; empty when there are.
    """

    pair: str
    interval: str
    candles: Candles | None
    source: str = ""
    reason: str = ""


def interval_for(span: datetime.timedelta, most: int = MOST) -> str:
    """Return the shortest interval from a minute on of which *most* candles cover *span*, or the longest of all."""
    wanted = span / datetime.timedelta(milliseconds=1)
    fitting = (name for name, length in INTERVALS.items() if length >= INTERVALS["1m"] and wanted <= length * most)
    return next(fitting, list(INTERVALS)[-1])


def span_of(deal: Deal, now: datetime.datetime) -> tuple[datetime.datetime, datetime.datetime]:
    """Return from when to when a chart of the deal goes: a tenth of its time before and after, an hour at least."""
    end = deal.closed_at or now
    margin = max((end - deal.opened_at) / 10, datetime.timedelta(hours=1))
    return deal.opened_at - margin, min(end + margin, now)


async def candles(
    pair: str,
    begin: datetime.datetime,
    end: datetime.datetime,
    *,
    exchange: ExchangeCandles | None = None,
    store: CandleStore | None = None,
    interval: str | None = None,
    most: int = MOST,
) -> ChartCandles:
    """Return the closed candles of *pair* from *begin* to *end*, *most* of them at most: the newest.

    Args:
        pair: the market.
        begin: from when.
        end: to when.
        exchange: is asked first; it has to be the one on which the pair was traded.
        store: is looked into when that has none or cannot be asked; None where its candles are another market's.
        interval: their length; None chooses one that fits.
        most: how many at most.
    """
    name = interval if interval is not None and interval in INTERVALS else interval_for(end - begin, most)
    length = INTERVALS[name]
    to_ms = _ms(end)
    from_ms = max(0, _ms(begin), to_ms - most * length) // length * length
    reason = "there is nothing to ask for candles"
    if exchange is not None:
        try:
            async with asyncio.timeout(WITHIN_S):
                found = await _asked(exchange, pair, name, (from_ms, to_ms), most)
        except UnknownPair:
            reason = f"the exchange does not trade {pair}"
        except (PortError, TimeoutError) as exc:
            reason = f"the exchange cannot be asked for candles now: {exc}"
        else:
            if found is not None:
                return ChartCandles(pair=pair, interval=name, candles=found, source="exchange")
            reason = "the exchange has no candles of this time"
    if store is not None:
        try:
            stored = await asyncio.to_thread(store.load, pair, name, from_ms, to_ms)
        except (NoCandles, BadFile):
            pass  # what the exchange said explains more
        else:
            return ChartCandles(pair=pair, interval=name, candles=_newest(stored, most), source="store")
    return ChartCandles(pair=pair, interval=name, candles=None, reason=reason)


async def _asked(
    exchange: ExchangeCandles, pair: str, interval: str, span: tuple[int, int], most: int
) -> Candles | None:
    parts: list[Candles] = []
    if span[0] < span[1]:
        async with aclosing(exchange.stretches(pair, interval, *span)) as stretches:
            parts.extend([stretch.candles async for stretch in stretches])
    return _newest(joined(parts), most) if parts else None


def _newest(found: Candles, most: int) -> Candles:
    if len(found) <= most:
        return found
    return Candles(
        interval_ms=found.interval_ms,
        open_time=np.copy(found.open_time[-most:]),
        open=np.copy(found.open[-most:]),
        high=np.copy(found.high[-most:]),
        low=np.copy(found.low[-most:]),
        close=np.copy(found.close[-most:]),
        volume=np.copy(found.volume[-most:]),
        source=found.source,
    )


def _ms(at: datetime.datetime) -> int:
    return int(at.timestamp() * 1000)


@exact
def price_lines(bot: Bot) -> tuple[PriceLine, ...]:
    """Return the prices that matter to the bot now, the highest first."""
    return tuple(sorted(_lines(bot), key=lambda line: (-line.price, line.kind.value, line.rung)))


def _lines(bot: Bot) -> Iterator[PriceLine]:
    if bot.price is not None:
        yield PriceLine(kind=LineKind.PRICE, price=bot.price)
    deal = bot.deal
    if deal is None:
        return
    if deal.books.bought > 0:
        yield PriceLine(kind=LineKind.AVERAGE, price=deal.books.average.rounded())
    resting = {order.role for order in deal.live_orders}
    if deal.take_profit_price is not None:
        is_resting = Role.TAKE_PROFIT in resting
        yield PriceLine(kind=LineKind.TARGET, price=deal.take_profit_price, is_resting=is_resting)
    if deal.stop_loss_price is not None:
        yield PriceLine(kind=LineKind.STOP, price=deal.stop_loss_price)
    if deal.peak is not None:
        yield PriceLine(kind=LineKind.TRAIL, price=trailing_exit_price(deal.strategy, deal.market, deal.peak))
    if deal.exit is None:
        yield from _safety_orders(deal)


def _safety_orders(deal: Deal) -> Iterator[PriceLine]:
    for order in deal.live_orders:
        if order.role is Role.SAFETY and order.price is not None:
            yield PriceLine(kind=LineKind.SAFETY, price=order.price, rung=order.rung, is_resting=True)
    for rung in deal.waiting:
        yield PriceLine(kind=LineKind.SAFETY, price=rung.price, rung=rung.number)


@exact
def markers(deal: Deal) -> tuple[Marker, ...]:
    """Return a marker for each order of the deal that has filled, oldest first."""
    found = [
        Marker(
            at=order.fills[-1].at,
            side=order.side,
            role=order.role,
            rung=order.rung,
            price=Quotient(order.notional, order.filled).rounded(),
            quantity=order.filled,
            notional=QuoteAmount(order.notional),
            order_id=order.id,
        )
        for order in deal.orders.values()
        if order.fills
    ]
    return tuple(sorted(found, key=lambda marker: (marker.at, marker.order_id)))


def last_price(found: Candles) -> Price:
    """Return the close of the newest candle."""
    return Price(Decimal(repr(float(found.close[-1]))))
