"""What the exchange's own books say of each bot, followed order by order, and what must hold at every moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import ClassVar

import attrs

from dcacore.domain.ids import BotId, DealId, OrderId, parse_order_id
from dcacore.domain.money import ZERO, exact
from dcacore.domain.orders import Side
from dcacore.domain.roles import Role
from dcacore.domain.venue import VenueOrder, VenueOrderId, VenueStatus
from dcacore.ports.exchange import AccountEvent, OrderChanged


@attrs.define
class BotLedger:
    """One bot as the exchange sees it.

    Attributes:
        most_safety_orders: how many safety orders may rest at once.
        positions: what each deal holds.
        live: the orders that rest.
        names: which of the exchange's ids each of ours has stood for.
    """

    most_safety_orders: int
    positions: dict[DealId, Decimal] = attrs.field(factory=lambda: defaultdict(Decimal))
    live: dict[VenueOrderId, tuple[VenueOrder, DealId, Role]] = attrs.field(factory=dict)
    names: dict[OrderId, VenueOrderId] = attrs.field(factory=dict)


@attrs.define(eq=False)
class Watcher:
    """Hears everything that happens to the orders of an account, and checks at once what must always hold."""

    outlives_processes: ClassVar[bool] = True

    bases: dict[str, str]
    violate: Callable[[str], None]
    bots: dict[BotId, BotLedger] = attrs.field(factory=dict)

    def __call__(self, event: AccountEvent) -> None:
        if not isinstance(event, OrderChanged):
            return
        order = event.order
        parsed = parse_order_id(order.order_id)
        ledger = None if parsed is None else self.bots.get(parsed.bot_id)
        if parsed is None or ledger is None:
            return
        known = ledger.names.setdefault(order.order_id, order.venue_order_id)
        if known != order.venue_order_id:
            self.violate(f"I1: {order.order_id} was placed twice")
        self._book(ledger, event.pair, order, parsed.deal_id)
        if order.status is VenueStatus.OPEN and order.executed < order.quantity:
            ledger.live[order.venue_order_id] = (order, parsed.deal_id, parsed.role)
        else:
            ledger.live.pop(order.venue_order_id, None)
        self._check(ledger, parsed.bot_id, parsed.deal_id)

    @exact
    def _book(self, ledger: BotLedger, pair: str, order: VenueOrder, deal_id: DealId) -> None:
        for trade in order.trades:
            if trade.side is Side.SELL:
                ledger.positions[deal_id] -= trade.quantity
            else:
                fee = trade.fee if trade.fee_asset == self.bases[pair] else ZERO
                ledger.positions[deal_id] += trade.quantity - fee

    @exact
    def _check(self, ledger: BotLedger, bot_id: BotId, deal_id: DealId) -> None:
        live = [(order, role) for order, deal, role in ledger.live.values() if deal == deal_id]
        selling = sum((order.quantity - order.executed for order, _ in live if order.side is Side.SELL), ZERO)
        if selling:
            others = sum((max(held, ZERO) for deal, held in ledger.positions.items() if deal != deal_id), ZERO)
            held = ledger.positions[deal_id] + others
            if selling > held:
                self.violate(f"I5: {bot_id} holds {held} and sells {selling} in {deal_id}")
        targets = sum(role is Role.TAKE_PROFIT and order.price is not None for order, role in live)
        if targets > 1:
            self.violate(f"I5: {bot_id} has {targets} take profits that rest")
        safety = sum(role is Role.SAFETY for _, role in live)
        if safety > ledger.most_safety_orders:
            self.violate(f"I5: {bot_id} has {safety} safety orders that rest, {ledger.most_safety_orders} are allowed")
