"""Which bots a price concerns: an index by what they watch, so that a tick costs what it fires and not what runs."""

from __future__ import annotations

import datetime

import attrs
from sortedcontainers import SortedList

from dcacore.domain.ids import BotId
from dcacore.domain.money import Price
from dcacore.domain.watch import Retry, Watches

_MOST_REMEMBERED = 3
_FIRST = BotId("")  # sorts before every id ...
_LAST = BotId("\U0010ffff")  # ... and this behind it


@attrs.frozen
class Seen:
    """A price, and when the exchange made it."""

    price: Price
    made_at: datetime.datetime


@attrs.define
class Triggers:
    """The watches of all bots on one pair.

    A bot that has fired is away until it is put back: what the price does meanwhile is kept for it, never losing a new
    high or low.

    Attributes:
        last: where the market stands; None before the first tick.
    """

    last: Seen | None = None
    _watches: dict[BotId, Watches] = attrs.field(factory=dict)
    _falls: SortedList[tuple[Price, BotId]] = attrs.field(factory=SortedList)
    _rises: SortedList[tuple[Price, BotId]] = attrs.field(factory=SortedList)
    _peaks: SortedList[tuple[Price, BotId]] = attrs.field(factory=SortedList)
    _any_change: dict[BotId, Price] = attrs.field(factory=dict)  # each with the price that it was told
    _any_tick: dict[BotId, None] = attrs.field(factory=dict)
    _away: dict[BotId, list[Seen]] = attrs.field(factory=dict)

    def tick(self, now: Seen) -> tuple[BotId, ...]:
        """Move the market to *now* and return the bots that must be told, those with the most urgent price first."""
        if self._away:
            for seen in self._away.values():
                _remember(seen, now)
        price, falls, rises, peaks = now.price, self._falls, self._rises, self._peaks
        is_new, self.last = self.last is None or price != self.last.price, now
        if not (
            (falls and falls[-1][0] >= price)
            or (rises and rises[0][0] <= price)
            or (peaks and peaks[0][0] < price)
            or (is_new and self._any_change)
            or self._any_tick
        ):
            return ()
        fired: dict[BotId, None] = {}
        fired.update((bot_id, None) for _, bot_id in reversed(list(falls.irange((price, _FIRST)))))
        fired.update((bot_id, None) for _, bot_id in rises.irange(maximum=(price, _LAST)))
        fired.update((bot_id, None) for _, bot_id in peaks.irange(maximum=(price, _FIRST)))
        if is_new:
            fired.update((bot_id, None) for bot_id, told in self._any_change.items() if told != price)
        fired.update(self._any_tick)
        for bot_id in fired:
            self.remove(bot_id)
            self._away[bot_id] = []
        return tuple(fired)

    def everybody(self) -> tuple[BotId, ...]:
        """Return all bots that are watched for; they are away from now on, as if they had fired."""
        watched = tuple(self._watches)
        for bot_id in watched:
            self.remove(bot_id)
            self._away[bot_id] = []
        return watched

    def put(
        self, bot_id: BotId, watches: Watches, price: Price | None, *, is_known: bool = True, is_old: bool = False
    ) -> tuple[Seen, ...]:
        """Let *bot_id*, which was last told *price*, be watched for; return the prices it must be told at once.

        When that is any, the bot is away again, as if it had fired. Where it is not known how the market stands, the
        bot is told the next tick, whatever it is; where it is known by now, and what the bot knows is old, the last.
        """
        self.remove(bot_id)
        seen = self._away.pop(bot_id, [])
        if not is_known:
            seen = []
        elif self.last is not None:
            _remember(seen, self.last)
        due = tuple(_concerning(watches, price, seen) or (seen[-1:] if is_old else ()))
        if due:
            self._away[bot_id] = []
            return due
        self._watches[bot_id] = watches
        if watches.falls_to is not None:
            self._falls.add((watches.falls_to, bot_id))
        if watches.rises_to is not None:
            self._rises.add((watches.rises_to, bot_id))
        if watches.peak is not None:
            self._peaks.add((watches.peak, bot_id))
        if watches.retry is Retry.PRICE and price is not None:
            self._any_change[bot_id] = price
        elif watches.retry is Retry.PRICE or not is_known:
            self._any_tick[bot_id] = None
        return ()

    def remove(self, bot_id: BotId) -> None:
        """Watch no longer for *bot_id*."""
        watches = self._watches.pop(bot_id, None)
        if watches is None:
            return
        if watches.falls_to is not None:
            self._falls.remove((watches.falls_to, bot_id))
        if watches.rises_to is not None:
            self._rises.remove((watches.rises_to, bot_id))
        if watches.peak is not None:
            self._peaks.remove((watches.peak, bot_id))
        self._any_change.pop(bot_id, None)
        self._any_tick.pop(bot_id, None)

    def forget(self, bot_id: BotId) -> None:
        """Keep nothing of *bot_id*."""
        self.remove(bot_id)
        self._away.pop(bot_id, None)


def _concerning(watches: Watches, told: Price | None, seen: list[Seen]) -> list[Seen]:
    """Return *seen* from the first price on that *watches* ask for."""
    for index, price in enumerate(it.price for it in seen):
        if (
            (watches.falls_to is not None and price <= watches.falls_to)
            or (watches.rises_to is not None and price >= watches.rises_to)
            or (watches.peak is not None and price > watches.peak)
            or (watches.retry is Retry.PRICE and price != told)
        ):
            return seen[index:]
    return []


def _remember(seen: list[Seen], now: Seen) -> None:
    """Add *now* to what a bot that is away has missed, and keep its highest, its lowest and its last, in order."""
    if seen and seen[-1].price == now.price:
        seen[-1] = now
        return
    seen.append(now)
    if len(seen) > _MOST_REMEMBERED:
        prices = [it.price for it in seen]
        kept = {prices.index(max(prices)), prices.index(min(prices)), len(seen) - 1}
        seen[:] = [it for index, it in enumerate(seen) if index in kept]
