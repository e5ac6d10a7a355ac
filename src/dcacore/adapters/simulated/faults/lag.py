"""Reads that lag behind: what they tell was true some seconds ago, and never longer ago than `LAG`."""

from __future__ import annotations

import datetime
from typing import Final

import attrs

from dcacore.adapters.simulated.faults.kinds import Dice, Fault
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId
from dcacore.ports.clock import Clock
from dcacore.ports.exchange import Exchange

LAG: Final = 5.0
"""Seconds by which a read may lag."""


@attrs.define
class Lag:
    """Decides which reads lag."""

    _clock: Clock
    _dice: Dice
    _hidden_until: dict[tuple[str, VenueOrderId], float] = attrs.field(factory=dict, init=False)
    _before: dict[tuple[str, VenueOrderId], tuple[float, VenueOrder]] = attrs.field(factory=dict, init=False)

    def placed(self, pair: str, order: VenueOrder) -> None:
        """Note a new order: reads may not know it for a while."""
        if self._dice.strikes(Fault.HIDDEN_ORDER):
            key = pair, order.venue_order_id
            self._hidden_until[key] = self._clock.monotonic() + self._dice.within(0.5, LAG)

    def was(self, pair: str, order: VenueOrder | None) -> None:
        """Note how an order stood until now."""
        if order is not None:
            self._before[pair, order.venue_order_id] = (self._clock.monotonic(), order)

    def found(self, pair: str, order: VenueOrder | None) -> VenueOrder | None:
        """Return *order* as a read tells it."""
        if order is None or self._is_hidden(pair, order):
            return None
        at, before = self._before.get((pair, order.venue_order_id), (0.0, order))
        if before != order and self._clock.monotonic() - at <= LAG and self._dice.strikes(Fault.OLDER_STATE):
            return before
        self.was(pair, order)
        return order

    def rest(self, pair: str, orders: tuple[VenueOrder, ...]) -> tuple[VenueOrder, ...]:
        """Return open orders as a read tells them."""
        return tuple(order for order in orders if not self._is_hidden(pair, order))

    def traded(self, trades: tuple[Trade, ...], exchange: Exchange) -> tuple[Trade, ...]:
        """Return *trades* as a read of *exchange* tells them: the newest may be missing."""
        known_until = exchange.now() - datetime.timedelta(seconds=LAG)
        if not trades or trades[-1].at <= known_until or not self._dice.strikes(Fault.LAGGING_TRADES):
            return trades
        return tuple(trade for trade in trades if trade.at <= known_until)

    def _is_hidden(self, pair: str, order: VenueOrder) -> bool:
        key = pair, order.venue_order_id
        until = self._hidden_until.get(key)
        if until is not None and (self._dice.is_calm or self._clock.monotonic() >= until):
            del self._hidden_until[key]
            return False
        return until is not None
