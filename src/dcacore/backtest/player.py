"""Playing a bot over candles: section 6 of the strategy's rules, and none of the others.

The player moves the price of a matching core along each candle's path, tells `decide` what happens, and carries out
what it says. Which candles it must look into at all it finds with array operations: between two events nothing that
the bot or its orders wait for is reached.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Final

import attrs
import numpy as np

from dcacore.adapters.simulated import MatchingCore, Path, turning_points
from dcacore.adapters.simulated.candle_ticks import TickCandles
from dcacore.domain.bot import Bot, Phase
from dcacore.domain.commands import Cancel, Command, Place
from dcacore.domain.deal import Deal
from dcacore.domain.engine import decide
from dcacore.domain.events import (
    Event,
    Filled,
    PriceSeen,
    Ready,
    Refusal,
    Refused,
    Report,
    Reported,
    RetryDue,
    StartRequested,
    TimePassed,
)
from dcacore.domain.money import NO_QUOTE, ZERO, Price, QuoteAmount, exact
from dcacore.domain.orders import Side
from dcacore.domain.watch import NOTHING, Retry, Watches, watches

Progress = Callable[[int], None]
"""Is told how many candles have been played."""

EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MILLISECOND: Final = datetime.timedelta(milliseconds=1)
_FIRST_LOOK: Final = 256
_FURTHEST_LOOK: Final = 65_536


def to_ms(at: datetime.datetime) -> int:
    """Return *at* as Unix milliseconds."""
    return (at - EPOCH) // _MILLISECOND


@attrs.frozen
class Mark:
    """How the bot stood at the close of candle *index* and of all after it, up to the next mark.

    Attributes:
        index: the candle.
        booked: profit so far less what the open deal has spent, in quote.
        net: base held by the open deal; at a close, net x close + booked is profit so far plus unrealized.
    """

    index: int
    booked: Decimal
    net: Decimal


@attrs.define(kw_only=True)
class Player:
    """One run of one bot over candles.

    Attributes:
        bot: as it stands.
        candles: what is played.
        core: the exchange.
        path: how candles are walked through.
        deals: closed deals, oldest first.
        marks: one for each candle in which something happened.
        max_funds: the most that was ever tied up, in quote: spent by the open deal and held by resting buys.
    """

    bot: Bot
    candles: TickCandles
    core: MatchingCore
    path: Path
    deals: list[Deal] = attrs.field(factory=list, init=False)
    marks: list[Mark] = attrs.field(factory=list, init=False)
    max_funds: QuoteAmount = attrs.field(default=NO_QUOTE, init=False)
    _watch: Watches = attrs.field(default=NOTHING, init=False)

    @exact
    def play(self, progress: Progress) -> None:
        """Play every candle; *progress* is told from time to time how many are done."""
        self.core.at = self._time(0)
        price = self.core.price = self._price(self.candles.open[0])
        self._settle(StartRequested(self.core.at, price))
        self._settle(Ready(self.core.at, price))
        index: int | None = 0
        while index is not None:
            for point in self._points(index):
                self._move(self._price(point))
            self._mark(index)
            index = self._next(index + 1)
            if index is not None:
                progress(index)
                self.core.at = self._time(index)
                self._jump(self._price(self.candles.open[index]))
        progress(len(self.candles))

    def _time(self, index: int) -> datetime.datetime:
        return EPOCH + datetime.timedelta(milliseconds=int(self.candles.open_time[index]))

    def _price(self, ticks: int | np.int64) -> Price:
        return Price(int(ticks) * self.core.market.tick_size)

    def _points(self, index: int) -> tuple[int, int, int]:
        candles = self.candles
        columns = (candles.open, candles.high, candles.low, candles.close)
        return turning_points(self.path, *(int(column[index]) for column in columns))

    def _jump(self, price: Price) -> None:
        """From one candle's close to the next one's open: all that is reached fills, then the bot acts once."""
        reports = self.core.move_to(price)
        watch, at = self._watch, self.core.at
        if reports:
            self._settle(Reported(at, price, reports))
        elif watch.retry is not Retry.NEVER:
            self._settle(RetryDue(at, price))
        elif watch.at is not None and at >= watch.at:
            self._settle(TimePassed(at, price))
        elif _is_met(watch, price):
            self._settle(PriceSeen(at, price))

    def _move(self, target: Price) -> None:
        """Along one leg: from one price that something waits for to the next, up to *target*."""
        core = self.core
        while core.price is not None and core.price != target:
            watch = self._watch
            if target < core.price:
                level = _highest(core.best_buy, watch.falls_to)
                stop = level if level is not None and level > target else target
            else:
                level = _lowest(core.best_sell, watch.rises_to)
                stop = level if level is not None and level < target else target
            reports = core.move_to(stop)
            if reports:
                self._settle(Reported(core.at, stop, reports))
            elif _is_met(watch, stop):
                self._settle(PriceSeen(core.at, stop))

    def _settle(self, event: Event) -> None:
        """Tell the bot, and carry out what it says until it is content."""
        while True:
            decision = decide(self.bot, event)
            self.bot = decision.bot
            if decision.ended is not None:
                self.deals.append(decision.ended)
            if not decision.commands:
                break
            event = Reported(self.core.at, self.core.price, self._carry_out(decision.commands))
        self._watch = watches(self.bot)

    def _carry_out(self, commands: tuple[Command, ...]) -> tuple[Report, ...]:
        reports: list[Report] = []
        spent = self.bot.deal.books.spent if self.bot.deal is not None else NO_QUOTE
        is_short = False
        for command in commands:
            if isinstance(command, Cancel):
                reports.extend(self.core.cancel(command.order_id))
                continue
            assert isinstance(command, Place)  # noqa: S101 - an exchange that is played is never emptied
            order = command.order
            if is_short and order.side is Side.BUY:
                reports.append(Refused(order.id, Refusal.NOT_TRIED, "a buy before it did not fit"))
                continue
            answer = self.core.place(order)
            reports.extend(answer)
            if order.side is Side.BUY:
                for report in answer:
                    if isinstance(report, Filled):
                        spent = QuoteAmount(spent + report.fill.notional + report.fill.quote_fee)
                    elif isinstance(report, Refused):
                        is_short = is_short or report.refusal is Refusal.BALANCE
                tied_up = QuoteAmount(spent + self.core.wallet.locked(self.core.market.quote_asset))
                self.max_funds = max(self.max_funds, tied_up)
        return tuple(reports)

    def _mark(self, index: int) -> None:
        books = self.bot.deal.books if self.bot.deal is not None else None
        booked = self.bot.profit - (books.spent if books is not None else ZERO)
        self.marks.append(Mark(index, booked, books.net if books is not None else ZERO))

    def _next(self, start: int) -> int | None:
        """Return the first candle from *start* on in which something can happen; None when there is none."""
        length, watch = len(self.candles), self._watch
        if start >= length or self.bot.phase is Phase.STOPPED:
            return None
        if watch.retry is not Retry.NEVER:
            return start
        end = length
        if watch.at is not None:
            end = start + int(np.searchsorted(self.candles.open_time[start:], _ms_at_least(watch.at)))
        tick = self.core.market.tick_size
        falls, rises = _highest(self.core.best_buy, watch.falls_to), _lowest(self.core.best_sell, watch.rises_to)
        floor = -1 if falls is None else int(falls // tick)
        ceiling = np.iinfo(np.int64).max if rises is None else int(rises // tick)
        if watch.peak is not None:
            ceiling = min(ceiling, int(watch.peak // tick) + 1)
        found = _first_beyond(self.candles, start, end, floor, ceiling)
        return found if found is not None else (end if end < length else None)


def _ms_at_least(at: datetime.datetime) -> int:
    return -((EPOCH - at) // _MILLISECOND)


def _first_beyond(candles: TickCandles, start: int, end: int, floor: int, ceiling: int) -> int | None:
    """Return the first candle of start..end-1 whose low is at *floor* or below or whose high is at *ceiling* or above.

    The arrays are looked through in growing pieces, so that the cost follows the distance and not the length.
    """
    look = _FIRST_LOOK
    while start < end:
        stop = min(start + look, end)
        beyond = (candles.low[start:stop] <= floor) | (candles.high[start:stop] >= ceiling)
        at = int(beyond.argmax())
        if beyond[at]:
            return start + at
        start, look = stop, min(look * 4, _FURTHEST_LOOK)
    return None


def _is_met(watch: Watches, price: Price) -> bool:
    return (
        (watch.falls_to is not None and price <= watch.falls_to)
        or (watch.rises_to is not None and price >= watch.rises_to)
        or (watch.peak is not None and price > watch.peak)
    )


def _highest(one: Price | None, other: Price | None) -> Price | None:
    return one if other is None or (one is not None and one > other) else other


def _lowest(one: Price | None, other: Price | None) -> Price | None:
    return one if other is None or (one is not None and one < other) else other
