"""The prices of one environment, routed to the bots that they concern."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Final

import attrs

from dcacore.application.engine.surroundings import Surroundings, log, speak_of
from dcacore.application.engine.triggers import Seen, Triggers
from dcacore.domain.ids import BotId
from dcacore.ports.live import PriceMoved
from dcacore.ports.prices import Prices, Tick
from dcacore.ports.records import Environment

TOO_OLD: Final = datetime.timedelta(seconds=10)
"""A price that was made longer ago says nothing about the market now."""
FRESH_FOR_S: Final = 10
ON_ITS_WAY: Final = datetime.timedelta(seconds=2)
"""A word that nothing has traded may overtake a price, by no more than that."""
_MOMENT: Final = datetime.timedelta(milliseconds=1)
_STEP: Final = datetime.timedelta(microseconds=1)
SILENT_AFTER_S: Final = 30
"""A pair of which nothing has been heard for so long has no price."""


@attrs.define(eq=False)
class Feed:
    """One environment's stream of prices.

    Attributes:
        environment: which.
        prices: where they come from.
        on_fire: called with each bot that a price concerns.
        dropped: how many ticks were too old or no prices.
    """

    around: Surroundings
    environment: Environment
    prices: Prices
    on_fire: Callable[[BotId, Seen], None]
    dropped: int = attrs.field(default=0, init=False)
    _pairs: dict[str, Triggers] = attrs.field(factory=dict, init=False)
    _heard_at: dict[str, float] = attrs.field(factory=dict, init=False)
    _silent: set[str] = attrs.field(factory=set, init=False)

    async def watch(self, pair: str) -> Triggers:
        """Return the pair's triggers, fed from now on.

        Raises:
            UnknownPair: the exchange does not trade it.
        """
        triggers = self._pairs.setdefault(pair, Triggers())
        if pair not in self._heard_at:
            await self.prices.watch(pair)
            self._heard_at.setdefault(pair, self.around.clock.monotonic())
        return triggers

    async def listen(self) -> None:
        """Route prices, for ever."""
        speak_of(self.environment)
        async for tick in self.prices.ticks():
            self.hear(tick)

    def hear(self, tick: Tick) -> None:
        """Route one tick."""
        triggers = self._pairs.get(tick.pair)
        if triggers is None:
            return
        if tick.at < self.prices.now() - TOO_OLD:
            self.dropped += 1
            return
        self._heard_at[tick.pair] = self.around.clock.monotonic()
        price = tick.price
        if price is None:
            self._say_alive(triggers, tick)
            return
        if not price.is_finite() or price <= 0:
            self.dropped += 1
            return
        seen = Seen(price, _behind(triggers.last, tick.at))
        self._tell(triggers, seen)
        if tick.pair in self._silent:  # they were told that their price is old: each must hear of the new one
            self._silent.discard(tick.pair)
            log.info("prices_again", environment=self.environment.value, pair=tick.pair)
            self._tell_all(triggers.everybody(), seen)
        self.around.live.say(PriceMoved(self.environment, tick.pair, price, tick.at))  # pages come after orders

    def _say_alive(self, triggers: Triggers, tick: Tick) -> None:
        """Take the last price for that of a later time, too; after a silence a new one is waited for."""
        last, at = triggers.last, tick.at - ON_ITS_WAY
        if last is not None and tick.pair not in self._silent:
            self._tell(triggers, Seen(last.price, max(last.made_at, at)))

    def _tell(self, triggers: Triggers, seen: Seen) -> None:
        self._tell_all(triggers.tick(seen), seen)

    def _tell_all(self, bot_ids: tuple[BotId, ...], seen: Seen) -> None:
        for bot_id in bot_ids:
            self.on_fire(bot_id, seen)

    def is_silent(self, pair: str) -> bool:
        """Say whether nothing has been heard of the pair for too long to know its price."""
        heard_at = self._heard_at.get(pair)
        return heard_at is None or self.around.clock.monotonic() - heard_at > SILENT_AFTER_S

    def is_fresh(self, pair: str) -> bool:
        """Say whether the last price may still be decided on: it, or the word that nothing has traded, is recent."""
        heard_at = self._heard_at.get(pair)
        return heard_at is not None and self.around.clock.monotonic() - heard_at <= FRESH_FOR_S

    def newly_silent(self) -> tuple[str, ...]:
        """Return the pairs that have fallen silent since the last call."""
        fallen = [pair for pair in self._pairs if pair not in self._silent and self.is_silent(pair)]
        self._silent.update(fallen)
        return tuple(fallen)


def _behind(last: Seen | None, at: datetime.datetime) -> datetime.datetime:
    """Return *at*, or a later time of its millisecond than the last has: one order makes many prices in one."""
    if last is not None and at <= last.made_at < at + _MOMENT - _STEP:
        return last.made_at + _STEP
    return at
