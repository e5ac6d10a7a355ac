"""A testnet that has been emptied, as the comparison recognises it."""

from __future__ import annotations

import datetime
from typing import Final

from dcacore.application.engine.desk import Desk
from dcacore.application.engine.findings import Findings, bots_of, tell
from dcacore.application.engine.surroundings import log
from dcacore.domain.events import ExchangeReset
from dcacore.domain.ids import DealId
from dcacore.domain.intents import Intent, IntentState
from dcacore.ports.errors import StoreError, StoreUnavailable, UnknownPair

BEFORE_ASKED_AGAIN_S: Final = 20
"""How long after an exchange has seemed to be emptied it is asked a second time about all that it should know."""


async def look_for_reset(desk: Desk, findings: Findings) -> None:
    """Close the deals of a testnet that has been emptied: everything that it should know it must not know, twice."""
    lost = await _forgotten(desk)
    if lost:
        await desk.around.clock.sleep(BEFORE_ASKED_AGAIN_S)
        lost &= await _forgotten(desk)
    if not lost:
        return
    log.error("testnet_reset", account=desk.account.id, deals=sorted(lost))
    findings.differences.append(f"the testnet has been reset: {', '.join(sorted(lost))} lost")
    for numbers in (desk.compared_to, desk.foreign, desk.strays):
        numbers.clear()  # an emptied exchange counts anew
    desk.forget_funds()
    for runner in desk.runners:
        if runner.bot.deal is not None and runner.bot.deal.id in lost:
            await tell(runner, ExchangeReset(at=desk.around.clock.now(), deal_id=runner.bot.deal.id))


async def _forgotten(desk: Desk) -> frozenset[DealId]:
    """Return the open deals of which the exchange knows nothing, if it has been emptied at some moment.

    It has not when it knows an order that is older than one which it does not know; one question is enough for an
    exchange that knows the oldest.

    Raises:
        PortError: a question failed, which says nothing.
    """
    deals = [bot.deal.id for bot in await bots_of(desk) if bot.deal is not None]
    try:
        async with desk.around.store.begin(reads_only=True) as work:
            intents = [intent for deal_id in deals for intent in await work.intents.of_deal(deal_id)]
    except StoreUnavailable:
        raise
    except StoreError as exc:  # rows that make no sense are no evidence, and the rest is compared all the same
        log.warning("reset_not_looked_for", account=desk.account.id, reason=str(exc))
        return frozenset()
    evidence = sorted((intent for intent in intents if _must_be_known(intent)), key=_age)
    unknown: set[DealId] = set()
    known: set[DealId] = set()
    for intent in evidence:
        if await _is_known(desk, intent):
            if not unknown:
                return frozenset()
            known.add(intent.deal_id)
        elif known:
            return frozenset()
        else:
            unknown.add(intent.deal_id)
    return frozenset(unknown - known)


def _must_be_known(intent: Intent) -> bool:
    """Say whether no exchange forgets such an order but by being emptied: it rests, or has filled."""
    return intent.venue_order_id is not None and (intent.state is IntentState.OPEN or bool(intent.order.fills))


def _age(intent: Intent) -> datetime.datetime:
    return intent.sent_at or intent.planned_at


async def _is_known(desk: Desk, intent: Intent) -> bool:
    """Say whether the exchange knows the order by either id, or one of its trades; numbers may be given anew."""
    exchange, pair, number = desk.exchange, intent.pair, intent.venue_order_id
    try:
        if await exchange.find(pair, order_id=intent.id) is not None:
            return True
        if intent.state is IntentState.OPEN:  # the open orders are kept elsewhere, and may know what `find` does not
            resting = await exchange.open_orders(pair)
            if any(order.order_id == intent.id for order in resting):
                return True
        found = await exchange.find(pair, venue_order_id=number)
        if found is not None and found.order_id == intent.id:
            return True
        booked = {(fill.trade_id, fill.at) for fill in intent.order.fills}
        told = await exchange.trades(pair, venue_order_id=number) if booked else ()
    except UnknownPair:
        return True  # the pair is no more, and the exchange goes on
    return any((trade.trade_id, trade.at) in booked for trade in told)
