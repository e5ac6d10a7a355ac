"""Orders in the comparison: known ones are asked about, unknown ones that bear our prefix taken in or reported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from dcacore.application.engine.desk import Desk
from dcacore.application.engine.findings import Findings, tell
from dcacore.application.engine.runner import Ended
from dcacore.application.engine.surroundings import log
from dcacore.application.engine.wire import Wire
from dcacore.domain.bot import Cure, Phase
from dcacore.domain.events import AttentionNeeded
from dcacore.domain.ids import BotId, OrderId, ParsedOrderId, parse_order_id
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId
from dcacore.ports.errors import StoreError, StoreUnavailable, UnknownPair

_BOOKED: Final = frozenset({IntentState.FILLED, IntentState.CANCELED, IntentState.EXPIRED})


async def compare_pair(desk: Desk, pair: str, wires: Sequence[Wire], findings: Findings) -> None:
    try:
        resting = {order.order_id: order for order in await desk.exchange.open_orders(pair)}
        desk.resting[pair] = len(resting)
        trades = await desk.exchange.trades(pair, after=desk.compared_to.get(pair))
    except UnknownPair as exc:  # delisted: these deals stay as they are, and the other pairs go on
        for wire in wires:
            if wire.runner.bot.deal is not None and wire.runner.bot.trouble is None:
                attention = AttentionNeeded(desk.around.clock.now(), str(exc), cure=Cure.TRADING)
                await tell(wire.runner, attention)
        return
    known: set[VenueOrderId] = set()
    for wire in wires:
        await compare_orders(desk, wire, pair, resting, findings)
        known.update(it.venue_order_id for it in wire.runner.intents.values() if it.venue_order_id is not None)
    by_bot = {wire.runner.bot.id: wire for wire in wires}
    for order in await _unknown_orders(desk, pair, resting.values(), trades, known):
        await _take_in(desk, by_bot, order, findings)
    if trades:
        desk.compared_to[pair] = max((trade.trade_id for trade in trades), key=lambda known: (len(known), known))
        desk.foreign.clear()  # none of them is told of again


async def compare_orders(
    desk: Desk, wire: Wire, pair: str, resting: Mapping[OrderId, VenueOrder], findings: Findings
) -> None:
    try:
        for intent in wire.runner.unsettled:
            if intent.pair == pair:
                await _compare_order(desk, wire, intent, resting.get(intent.id), findings)
    except Ended:
        return  # it broke off, and is brought up anew; the others go on


async def _compare_order(
    desk: Desk, wire: Wire, intent: Intent, resting: VenueOrder | None, findings: Findings
) -> None:
    if intent.state in {IntentState.PLANNED, IntentState.SENDING}:
        return  # nothing has been sent, or its answer is on the way
    asked_at = desk.exchange.now()
    found = resting or await desk.find(intent)
    if found is None:
        await wire.miss(intent.id, asked_at)
        wire.mind_gone(intent.id)
        findings.gone.append(intent.id)
        return
    if intent.state is IntentState.UNKNOWN:
        findings.adopted.append(intent.id)
    if found.executed > intent.order.filled:
        findings.filled.append(intent.id)
    await wire.hear(found)


async def _unknown_orders(
    desk: Desk, pair: str, resting: Iterable[VenueOrder], trades: Iterable[Trade], known: set[VenueOrderId]
) -> list[VenueOrder]:
    """Return the account's orders that rest or have traded and that no running bot of ours knows."""
    orders = [order for order in resting if order.venue_order_id not in known]
    seen = known | {order.venue_order_id for order in orders} | desk.foreign
    for trade in trades:
        if trade.venue_order_id in seen:
            continue
        seen.add(trade.venue_order_id)
        order = await desk.exchange.find(pair, venue_order_id=trade.venue_order_id)
        if order is not None and parse_order_id(order.order_id) is None:
            desk.foreign.add(order.venue_order_id)  # at once: if a later question fails, this one is not asked again
        elif order is not None:
            orders.append(order)
    return orders


async def _take_in(desk: Desk, wires: dict[BotId, Wire], order: VenueOrder, findings: Findings) -> None:
    """Let the deal that the order's id names have it, if it is open; else the order is stray, or not ours at all."""
    parsed = parse_order_id(order.order_id)
    if parsed is None:
        desk.foreign.add(order.venue_order_id)
        return
    async with desk.around.store.begin(reads_only=True) as work:
        stored = await work.intents.get(order.order_id)
    if stored is not None and stored.state in _BOOKED and stored.order.filled == order.executed:
        desk.foreign.add(order.venue_order_id)  # of an earlier deal
        return
    wire = wires.get(parsed.bot_id)
    if wire is None and await _belongs_elsewhere(desk, parsed):
        return
    if wire is not None and await wire.adopt(order, parsed):
        findings.adopted.append(order.order_id)
    elif order.venue_order_id not in desk.strays:
        desk.strays.add(order.venue_order_id)
        findings.stray.append(order.order_id)


async def _belongs_elsewhere(desk: Desk, parsed: ParsedOrderId) -> bool:
    """Say whether another engine acts for the order's bot."""
    try:
        async with desk.around.store.begin(reads_only=True) as work:
            record = await work.bots.get(parsed.bot_id)
    except StoreUnavailable:
        raise
    except StoreError as exc:  # a bot that cannot be read must not keep the others; it says so by itself
        log.info("bot_not_read", bot=parsed.bot_id, reason=str(exc))
        return True
    return record is not None and record.bot.phase is not Phase.STOPPED
