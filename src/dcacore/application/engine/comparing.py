"""The comparison of an account with the database: at start, after every gap, and now and then.

What the exchange says of each order that has not ended is heard by its bot like any other news; orders that bear our
prefix and are not known are adopted by the deal that their id names, or reported as stray; where the deals hold more of
an asset than the account does, they bear a little that is missing, and for more their bots stop and ask.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from dcacore.application.engine.desk import Desk
from dcacore.application.engine.runner import Ended, Runner
from dcacore.application.engine.surroundings import log
from dcacore.application.engine.wire import Wire
from dcacore.domain.bot import Bot, Cure, Phase, TroubleKind
from dcacore.domain.deal import Deal
from dcacore.domain.events import AttentionNeeded, CoinsMissing, Cured, Event, ExchangeReset
from dcacore.domain.gone import WITH_THE_USER, Shortfall
from dcacore.domain.ids import BotId, DealId, OrderId, ParsedOrderId, parse_order_id
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.money import ZERO, BaseQty, plain
from dcacore.domain.orders import OrderState, Side
from dcacore.domain.turn import live_sells
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId
from dcacore.ports.errors import StoreError, StoreUnavailable, UnknownPair
from dcacore.ports.records import BotRecord, Environment, Reconciliation

BEFORE_ASKED_AGAIN_S: Final = 20
"""How long after an exchange has seemed to be emptied it is asked a second time about all that it should know."""
BEFORE_WRITTEN_OFF_S: Final = 10
"""For how long coins must have been missing before they are written off: what is read may be some seconds old."""
_BOOKED: Final = frozenset({IntentState.FILLED, IntentState.CANCELED, IntentState.EXPIRED})


@attrs.define
class Findings:
    """What a comparison has found so far."""

    adopted: list[OrderId] = attrs.field(factory=list)
    filled: list[OrderId] = attrs.field(factory=list)
    gone: list[OrderId] = attrs.field(factory=list)
    stray: list[OrderId] = attrs.field(factory=list)
    differences: list[str] = attrs.field(factory=list)

    def __bool__(self) -> bool:
        return bool(self.adopted or self.filled or self.gone or self.stray or self.differences)


async def compare(desk: Desk, wires: Sequence[Wire], cause: str) -> Findings:
    """Compare what the exchange holds for *wires* with what they know; return, and store, what was found.

    Raises:
        PortError: the exchange could not be asked, or the database not be written; nothing is left half done that the
            next comparison does not finish.
    """
    findings = Findings()
    if desk.account.environment is Environment.TESTNET:
        await _look_for_reset(desk, findings)
    by_pair: defaultdict[str, list[Wire]] = defaultdict(list)
    for wire in wires:
        for pair in {wire.runner.market.pair, *(intent.pair for intent in wire.runner.unsettled)}:
            by_pair[pair].append(wire)
    for pair, traders in sorted(by_pair.items()):
        await _compare_pair(desk, pair, traders, findings)
    await _compare_holdings(desk, findings)
    if findings or cause != "periodic":
        async with desk.around.store.begin() as work:
            await work.feed.add_reconciliation(
                Reconciliation(
                    account_id=desk.account.id,
                    at=desk.around.clock.now(),
                    cause=cause,
                    adopted=tuple(findings.adopted),
                    filled=tuple(findings.filled),
                    gone=tuple(findings.gone),
                    stray=tuple(findings.stray),
                    differences=tuple(findings.differences),
                )
            )
            await work.commit()
    return findings


async def _compare_pair(desk: Desk, pair: str, wires: Sequence[Wire], findings: Findings) -> None:
    try:
        resting = {order.order_id: order for order in await desk.exchange.open_orders(pair)}
        desk.resting[pair] = len(resting)
        trades = await desk.exchange.trades(pair, after=desk.compared_to.get(pair))
    except UnknownPair as exc:  # delisted: these deals stay as they are, and the other pairs go on
        for wire in wires:
            if wire.runner.bot.deal is not None and wire.runner.bot.trouble is None:
                attention = AttentionNeeded(desk.around.clock.now(), str(exc), cure=Cure.TRADING)
                await _tell(wire.runner, attention)
        return
    known: set[VenueOrderId] = set()
    for wire in wires:
        await _compare_orders(desk, wire, pair, resting, findings)
        known.update(it.venue_order_id for it in wire.runner.intents.values() if it.venue_order_id is not None)
    by_bot = {wire.runner.bot.id: wire for wire in wires}
    for order in await _unknown_orders(desk, pair, resting.values(), trades, known):
        await _take_in(desk, by_bot, order, findings)
    if trades:
        desk.compared_to[pair] = max((trade.trade_id for trade in trades), key=lambda known: (len(known), known))
        desk.foreign.clear()  # none of them is told of again


async def _compare_orders(
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


# ------------------------------------------------------------------------------------------------------------ holdings


async def _compare_holdings(desk: Desk, findings: Findings) -> None:
    """See that the account holds what the deals say, and ask anew about every order before it is said that it does not.

    A fill may be on its way between two answers.
    """
    short, unsure = await _shortfalls(desk)
    again = short
    if short:
        await desk.around.clock.sleep(1)
        for wire in tuple(desk.wires.values()):
            if wire.runner.market.base_asset in short and not wire.runner.is_over:
                await _compare_orders(desk, wire, wire.runner.market.pair, {}, Findings())
        again, unsure = await _shortfalls(desk)
        short = _the_same(short, again)
    if any(it.is_little and it.hinders for it in short.values()):  # what is written off does not come back
        await desk.around.clock.sleep(BEFORE_WRITTEN_OFF_S)
        again, unsure = await _shortfalls(desk)
        short = _the_same(short, again)
    unheard = await _unheard_sales(desk, short) if short else frozenset()
    short = {asset: it for asset, it in short.items() if asset not in unheard}
    for asset, shortfall in sorted(short.items()):
        if not shortfall.is_little:
            await _ask_about(desk, asset, shortfall, findings)
        elif shortfall.hinders:
            await _write_off(desk, asset, shortfall, findings)
    for runner in desk.runners:
        trouble, asset = runner.bot.trouble, runner.market.base_asset
        is_there = asset not in unsure and (asset not in again or again[asset].is_little)
        if trouble is not None and trouble.cure is Cure.HOLDINGS and is_there:
            runner.post(Cured(desk.around.clock.now(), Cure.HOLDINGS))


def _the_same(before: Mapping[str, Shortfall], now: Mapping[str, Shortfall]) -> dict[str, Shortfall]:
    return {asset: it for asset, it in now.items() if asset in before and _is_the_same(it, before[asset])}


async def _unheard_sales(desk: Desk, short: Mapping[str, Shortfall]) -> frozenset[str]:
    """Return those assets of which a bot that is not up here has sold something that nobody has booked yet."""
    heard = {
        wire.runner.bot.id for wire in desk.wires.values() if wire.runner.is_reconciled and not wire.runner.is_over
    }
    sold: set[str] = set()
    for bot in await _bots(desk):
        if bot.id in heard or (deal := bot.deal) is None or deal.market.base_asset not in short:
            continue
        for order in live_sells(deal):
            try:
                found = await desk.exchange.find(deal.market.pair, order_id=order.id)
            except UnknownPair:
                continue
            if found is None or found.executed != order.filled:
                sold.add(deal.market.base_asset)
    return frozenset(sold)


def _is_the_same(one: Shortfall, other: Shortfall) -> bool:
    return (one.needed, one.held) == (other.needed, other.held)


async def _ask_about(desk: Desk, asset: str, shortfall: Shortfall, findings: Findings) -> None:
    """Let the bots that hold the asset stop, and their user say what is to be done."""
    needed, held = shortfall.needed, shortfall.held
    text = f"the deals hold {plain(needed)} {asset}, but the account has only {plain(held)}: sold or withdrawn?"
    findings.differences.append(text)
    log.warning("holdings_differ", account=desk.account.id, asset=asset, needed=str(needed), held=str(held))
    for runner in desk.runners:
        trouble = runner.bot.trouble
        is_free = trouble is None or trouble.kind is TroubleKind.WAITING_FOR_BALANCE
        if runner.market.base_asset == asset and _deal_to_sell(runner.bot) is not None and is_free:
            await _tell(runner, AttentionNeeded(desk.around.clock.now(), text, cure=Cure.HOLDINGS))


async def _write_off(desk: Desk, asset: str, shortfall: Shortfall, findings: Findings) -> None:
    """Let the deals bear what little is missing, and go on with what is there."""
    needed, held, shares = shortfall.needed, shortfall.held, shortfall.shares()
    findings.differences.append(
        f"the deals hold {plain(needed)} {asset}, the account has {plain(held)}: so little is missing that they bear it"
    )
    log.warning("holdings_written_off", account=desk.account.id, asset=asset, needed=str(needed), held=str(held))
    gone = {deal.id: BaseQty(deal.books.gone + shares[deal.id]) for deal in shortfall.deals if deal.id in shares}
    for runner in desk.runners:
        deal, now = _deal_to_sell(runner.bot), desk.around.clock.now()
        if deal is None or deal.market.base_asset != asset:
            continue
        missing = [CoinsMissing(at=now, deal_id=deal.id, gone=gone[deal.id])] if deal.id in gone else []
        await _tell(runner, *missing, Cured(now, Cure.COINS))


def _deal_to_sell(bot: Bot) -> Deal | None:
    """Return the bot's open deal, if what it holds is to be sold."""
    return None if bot.deal is None or bot.deal.exit in WITH_THE_USER else bot.deal


async def _tell(runner: Runner, *events: Event) -> None:
    try:
        await runner.turn(*events)
    except Ended:
        return


async def _shortfalls(desk: Desk) -> tuple[dict[str, Shortfall], frozenset[str]]:
    """Return the assets of which the account holds less than its deals, and those of which that is not known now."""
    positions, unsure = await _positions(desk)
    if not positions:
        return {}, unsure
    balances = await desk.exchange.balances()
    short: dict[str, Shortfall] = {}
    for asset, deals in positions.items():
        balance = balances.get(asset)
        shortfall = Shortfall(deals, ZERO if balance is None else balance.free + balance.locked)
        if shortfall.held < shortfall.needed:
            short[asset] = shortfall
    return short, unsure


async def _positions(desk: Desk) -> tuple[dict[str, tuple[Deal, ...]], frozenset[str]]:
    """Return all deals of the account by the asset that they hold, and apart the assets with a sell of unknown fate."""
    bots = await _bots(desk)
    holding: defaultdict[str, list[Deal]] = defaultdict(list)
    unsure = {
        runner.market.base_asset
        for runner in desk.runners
        for intent in runner.unsettled
        if intent.order.side is Side.SELL and intent.state is not IntentState.OPEN
    }
    for bot in bots:
        if (deal := _deal_to_sell(bot)) is not None:
            holding[deal.market.base_asset].append(deal)
        sells = () if bot.deal is None else live_sells(bot.deal)
        if bot.deal is not None and any(order.state is not OrderState.OPEN for order in sells):
            unsure.add(bot.deal.market.base_asset)
    sure = {asset: tuple(deals) for asset, deals in holding.items() if asset not in unsure}
    return sure, frozenset(unsure)


async def _bots(desk: Desk) -> tuple[Bot, ...]:
    """Return all bots of the account, those that run here as they are now."""
    records: Sequence[BotRecord] = ()
    try:
        async with desk.around.store.begin(reads_only=True) as work:
            records = await work.bots.of(desk.account.user_id)
    except StoreUnavailable:
        raise
    except StoreError as exc:  # rows that make no sense: what runs here is compared all the same
        log.warning("holdings_in_part", account=desk.account.id, reason=str(exc))
    bots = {record.bot.id: record.bot for record in records if record.account_id == desk.account.id}
    bots.update((runner.bot.id, runner.bot) for runner in desk.runners)
    return tuple(bots.values())


# --------------------------------------------------------------------------------------------------- an emptied testnet


async def _look_for_reset(desk: Desk, findings: Findings) -> None:
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
            await _tell(runner, ExchangeReset(at=desk.around.clock.now(), deal_id=runner.bot.deal.id))


async def _forgotten(desk: Desk) -> frozenset[DealId]:
    """Return the open deals of which the exchange knows nothing, if it has been emptied at some moment.

    It has not when it knows an order that is older than one which it does not know; one question is enough for an
    exchange that knows the oldest.

    Raises:
        PortError: a question failed, which says nothing.
    """
    deals = [bot.deal.id for bot in await _bots(desk) if bot.deal is not None]
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
