"""What happens on the exchange itself, beside the bots: its market jumps, its staff acts, and so does the user."""

from __future__ import annotations

import contextlib
import datetime
import functools
from collections.abc import Callable
from decimal import Decimal
from typing import Final

import attrs

from dcacore.adapters.simulated.books import KeptOrder
from dcacore.adapters.simulated.faults.kinds import Dice, Fault
from dcacore.adapters.simulated.hands import Hand, Staff
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.domain.ids import AccountId
from dcacore.domain.market import Market
from dcacore.domain.money import BaseQty, Price, exact, floor_to
from dcacore.ports.errors import PortError

_PERCENT: Final = Decimal("0.01")


@attrs.define
class Mischief:
    """Strikes at a venue each time it is let to; what has an end is ended when its time has come."""

    venue: SimulatedVenue
    dice: Dice
    _ends: list[tuple[datetime.datetime, Callable[[], None]]] = attrs.field(factory=list, init=False)
    _rules: dict[str, Market] = attrs.field(factory=dict, init=False)

    def step(self) -> None:
        """End what is due, and let every kind strike that may."""
        now = self.venue.now()
        due = [end for at, end in self._ends if at <= now]
        self._ends = [(at, end) for at, end in self._ends if at > now]
        for end in due:
            end()
        for pair in self.venue.pairs:
            self._stir_market(pair)
            for account in self.venue.accounts:
                with contextlib.suppress(PortError):  # a user's order may be refused like anybody's
                    self._stir_account(pair, account)
        for account in self.venue.accounts:
            if self.dice.strikes(Fault.KEY_REVOKED):
                Staff(self.venue).revoke(account)
                self._end_after(10, 120, functools.partial(Staff(self.venue).restore, account))

    def calm(self) -> None:
        """End everything now: markets trade by their first rules, keys work."""
        ends, self._ends = self._ends, []
        for _, end in ends:
            end()
        for pair in self.venue.pairs:
            self.venue.pair(pair).found = None
            if pair in self._rules:
                Staff(self.venue).change_rules(self._rules[pair])

    @exact
    def _stir_market(self, pair: str) -> None:
        state, staff, strikes = self.venue.pair(pair), Staff(self.venue), self.dice.strikes
        tick, price = state.market.tick_size, state.price
        if price is not None and strikes(Fault.WICK):
            self.venue.move(pair, _part(price, self._percent(55, 90), tick))
            self._end_after(0.5, 2, functools.partial(self.venue.move, pair, price))
        if price is not None and strikes(Fault.GAP):
            self.venue.move(pair, _part(price, self._percent(85, 115), tick))
        if not state.is_halted and strikes(Fault.HALT):
            staff.halt(pair)
            self._end_after(10, 300, functools.partial(staff.resume, pair))
        if state.found is None and strikes(Fault.THIN_MARKET):
            staff.thin_out(pair, self._percent(0, 90))
        if strikes(Fault.RULE_CHANGE):
            first = self._rules.setdefault(pair, state.market)
            staff.change_rules(self._changed(first) if state.market == first else first)

    @exact
    def _stir_account(self, pair: str, account: AccountId) -> None:
        held, staff, strikes = self.venue.account(account), Staff(self.venue), self.dice.strikes
        market, hand = self.venue.pair(pair).market, Hand(self.venue, account)
        resting = [order for order in held.open.values() if order.pair == pair]
        if resting and strikes(Fault.PARTIAL_FILL):
            order = self.dice.random.choice(resting)
            part = self._share(order, market.step_size)
            if part and not self.venue.pair(pair).is_halted:
                staff.fill_in_part(account, pair, order.venue_order_id, part)
        resting = [order for order in resting if order.venue_order_id in held.open]
        if resting and strikes(Fault.ORDER_EXPIRED):
            staff.expire(account, pair, resting.pop(self.dice.random.randrange(len(resting))).venue_order_id)
        if resting and strikes(Fault.CANCEL_BY_HAND):
            hand.cancel(pair, resting.pop(self.dice.random.randrange(len(resting))).venue_order_id)
        if strikes(Fault.DEPOSIT_BY_HAND):
            hand.deposit(market.quote_asset, self._percent(100, 10_000))
        free = held.wallet.free(market.base_asset)
        coins = BaseQty(floor_to(free * self._percent(10, 100), market.step_size)) if free else BaseQty(free)
        if coins and strikes(Fault.SALE_BY_HAND):
            hand.sell(pair, coins)

    def _share(self, order: KeptOrder, step: Decimal) -> BaseQty:
        left = order.ticket.quantity - order.executed
        return BaseQty(floor_to(left * self._percent(5, 95), step))

    def _changed(self, market: Market) -> Market:
        change = self.dice.random.randrange(3)
        if change == 0:
            return attrs.evolve(market, tick_size=market.tick_size / 10)
        if change == 1:
            return attrs.evolve(market, step_size=market.step_size * 10, min_quantity=market.min_quantity * 10)
        return attrs.evolve(market, min_notional=market.min_notional * 2)

    def _percent(self, low: int, high: int) -> Decimal:
        return self.dice.random.randint(low, high) * _PERCENT

    def _end_after(self, low: float, high: float, end: Callable[[], None]) -> None:
        seconds = datetime.timedelta(seconds=self.dice.within(low, high))
        self._ends.append((self.venue.now() + seconds, end))


def _part(price: Price, share: Decimal, tick: Decimal) -> Price:
    return Price(max(tick, floor_to(price * share, tick)))
