"""What must hold when everything is quiet again: the database against the exchange's own books."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Protocol

from dcacore.adapters.simulated.books import BookedOrder
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.domain.bot import Bot, Phase, shown_state
from dcacore.domain.deal import AT_MARKET, Deal, Exit
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import BotId, DealId, OrderId, parse_order_id
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.market import Market
from dcacore.domain.money import ZERO, exact
from dcacore.domain.orders import Fill, Role, Side
from dcacore.domain.venue import VenueStatus
from dcacore.ports.records import BotRecord, DealRecord
from dcacore.ports.store import Store
from tests.simulation.world import World

_SHOWN: Final = frozenset(
    {
        "error",
        "needs_attention",
        "waiting_for_balance",
        "paused",
        "stopped",
        "starting",
        "monitoring",
        "placing_order",
        "in_position",
        "closing",
    }
)
_EXISTS: Final = frozenset({IntentState.OPEN, IntentState.FILLED, IntentState.CANCELED, IntentState.EXPIRED})
_NEVER: Final = frozenset({IntentState.REJECTED, IntentState.NOT_PLACED})
MOST_REFUSED: Final = 5
HOUR_S: Final = 3600


class Checked(Protocol):
    """Bots whose database is held against the exchange's own books.

    Attributes:
        violations: what must not be and is.
        prefix: what the ids of all orders of bots begin with.
    """

    violations: list[str]
    prefix: str

    @property
    def venue(self) -> SimulatedVenue:
        """The exchange."""

    @property
    def store(self) -> Store:
        """The database."""

    async def records(self) -> Sequence[BotRecord]:
        """Return the bots as they are stored."""


async def check_world(world: World) -> None:
    """Note every invariant that does not hold with the world."""
    await check_books(world)
    _check_manners(world)
    await check_memory(world)


async def check_books(world: Checked) -> None:
    """Note where the database says something else than the exchange's own books, or a bot does not go on."""
    records = await world.records()
    bots = {record.bot.id: record for record in records}
    orders = _own_orders(world)
    for bot_id, record in bots.items():
        async with world.store.begin(reads_only=True) as work:
            deals = await work.deals.of([bot_id], limit=1_000_000)
            totals = await work.feed.totals([bot_id])
            numbers = range(1, record.bot.deals_started + 1)
            ids = dict.fromkeys([*(DealId(f"{bot_id}-{number}") for number in numbers), *orders[bot_id]])
            intents = {deal_id: await work.intents.of_deal(deal_id) for deal_id in ids}
        _check_bot(world, record, deals, intents, orders[bot_id])
        by_day = (sum(day.totals.deals for day in totals), sum((day.totals.profit for day in totals), ZERO))
        if by_day != (record.lifetime.deals, record.lifetime.profit):
            world.violations.append(f"I4: the days of {bot_id} come to {by_day}, its lifetime is {record.lifetime}")
    for account in world.venue.accounts:
        for booked in world.venue.books(account).orders:
            parsed = parse_order_id(booked.order.order_id)
            if parsed is not None and (parsed.prefix != world.prefix or parsed.bot_id not in bots):
                world.violations.append(f"I2: {booked.order.order_id} is of no bot")


def _own_orders(world: Checked) -> dict[BotId, dict[DealId, list[BookedOrder]]]:
    found: dict[BotId, dict[DealId, list[BookedOrder]]] = defaultdict(lambda: defaultdict(list))
    for account in world.venue.accounts:
        for booked in world.venue.books(account).orders:
            parsed = parse_order_id(booked.order.order_id)
            if parsed is not None:
                found[parsed.bot_id][parsed.deal_id].append(booked)
    return found


def _check_bot(
    world: Checked,
    record: BotRecord,
    deals: Sequence[DealRecord],
    intents: dict[DealId, tuple[Intent, ...]],
    orders: dict[DealId, list[BookedOrder]],
) -> None:
    bot, violations = record.bot, world.violations
    by_deal = {it.deal.id: it.deal for it in deals}
    for deal_id, of_deal in intents.items():
        known = {intent.id: intent for intent in of_deal}
        booked: dict[OrderId, BookedOrder] = {}
        for order in orders.get(deal_id, ()):
            if order.order.order_id in booked:
                violations.append(f"I1: {order.order.order_id} exists twice")
            booked[order.order.order_id] = order
        violations.extend(f"I2: the database does not know {it}" for it in booked.keys() - known.keys())
        for intent in of_deal:
            _check_intent(world, intent, booked.get(intent.id))
        deal = by_deal.get(deal_id)
        if deal is not None:
            _check_deal(world, deal, of_deal, list(booked.values()))
        elif any(order.order.executed for order in booked.values()):
            violations.append(f"I3: {deal_id} has traded, and is no deal")
    _check_profits(world, record, list(by_deal.values()))
    _check_alive(world, bot)


def _check_intent(world: Checked, intent: Intent, booked: BookedOrder | None) -> None:
    violations = world.violations
    if intent.state not in _EXISTS | _NEVER:
        violations.append(f"I7: {intent.id} is {intent.state.value} when all is calm")
    if booked is None:
        if intent.state in _EXISTS:
            violations.append(f"I2: {intent.id} is {intent.state.value}, and the exchange never had it")
        return
    venue = booked.order
    if intent.state in _NEVER:
        violations.append(f"I6: {intent.id} is {intent.state.value}, and the exchange has it {venue.status.value}")
    is_open = venue.status is VenueStatus.OPEN
    if is_open != (intent.state is IntentState.OPEN):
        violations.append(f"I6: {intent.id} is {intent.state.value}, on the exchange {venue.status.value}")
    if is_open and intent.order.is_cancelling:
        violations.append(f"I7: {intent.id} has been asked to be cancelled, and still rests")
    expected = sorted((_key(trade.fill(_market(world, booked))) for trade in venue.trades), key=str)
    if sorted((_key(fill) for fill in intent.order.fills), key=str) != expected:
        violations.append(f"I6: {intent.id} has filled {intent.order.fills}, not {expected}")


def _market(world: Checked, booked: BookedOrder) -> Market:
    return world.venue.pair(booked.pair).market


def _key(fill: Fill) -> tuple[str, Decimal, Decimal, Decimal, Decimal]:
    return (fill.trade_id, fill.price, fill.quantity, fill.base_fee, fill.quote_fee)


@exact
def _check_deal(world: Checked, deal: Deal, intents: Sequence[Intent], booked: Sequence[BookedOrder]) -> None:
    """I3 and I4: the deal's sums are those of the exchange's own trades."""
    buys = [trade.fill(_market(world, it)) for it in booked for trade in it.order.trades if trade.side is Side.BUY]
    sells = [trade.fill(_market(world, it)) for it in booked for trade in it.order.trades if trade.side is Side.SELL]
    books = deal.books
    sums = {
        "bought": (books.bought, sum((it.quantity for it in buys), ZERO)),
        "sold": (books.sold, sum((it.quantity for it in sells), ZERO)),
        "base fees": (books.base_fees, sum((it.base_fee for it in buys), ZERO)),
        "gross": (books.gross, sum((it.notional for it in buys), ZERO)),
        "proceeds": (books.proceeds, sum((it.notional for it in sells), ZERO)),
        "buy fees": (books.buy_fees, sum((it.quote_fee for it in buys), ZERO)),
        "sell fees": (books.sell_fees, sum((it.quote_fee for it in sells), ZERO)),
    }
    for name, (ours, theirs) in sums.items():
        if ours != theirs:
            number = "I3" if name in {"bought", "sold", "base fees"} else "I4"
            world.violations.append(f"{number}: {deal.id} has {name} {ours}, the exchange {theirs}")
    if deal.result is not None:
        result, cost = deal.result, books.gross + books.buy_fees + books.carried.cost
        left = result.carried.cost + result.kept.cost
        if result.profit != books.proceeds - books.sell_fees - (cost - left):
            world.violations.append(f"I4: the profit of {deal.id} is not what came in less what went out")
        if books.net != result.carried.quantity + result.kept.quantity:
            world.violations.append(f"I3: {deal.id} has lost coins at its end")
        world.violations.extend(
            f"I7: {intent.id} still rests, and its deal has ended"
            for intent in intents
            if intent.state is IntentState.OPEN
        )


@exact
def _check_profits(world: Checked, record: BotRecord, deals: Sequence[Deal]) -> None:
    ended = [deal for deal in deals if deal.result is not None]
    total = sum((deal.result.profit for deal in ended if deal.result is not None), ZERO)
    counted = sum((it.result.profit for it in ended if it.result is not None and it.exit is not Exit.CANCEL), ZERO)
    if record.bot.profit != total:
        world.violations.append(f"I4: {record.bot.id} says it made {record.bot.profit}, its deals made {total}")
    if record.lifetime.profit != counted:
        world.violations.append(f"I4: {record.bot.id} has a lifetime of {record.lifetime.profit}, its deals {counted}")
    ordered = sorted((deal for deal in deals if deal.books.bought), key=lambda deal: deal.number)
    for before, after in itertools.pairwise(ordered):
        if before.result is not None and before.result.carried != after.books.carried:
            world.violations.append(f"I3: {after.id} did not take over what {before.id} carried on")


def _check_alive(world: Checked, bot: Bot) -> None:
    """I7 and I9: the bot goes on, or says why not."""
    shown = shown_state(bot)
    if shown not in _SHOWN:
        world.violations.append(f"I9: {bot.id} shows {shown}")
    if bot.trouble is not None:
        if _is_eaten_by_fees(world, bot):
            return
        world.violations.append(f"I9: {bot.id} is {shown} when all is calm: {bot.trouble.reason}")
        return
    if bot.phase in {Phase.STARTING, Phase.PLACING_ORDER, Phase.CLOSING} and not _is_stuck_by_size(world, bot):
        world.violations.append(f"I7: {bot.id} is {shown} ({bot.phase.value}) when all is calm")
    deal = bot.deal
    if bot.phase is not Phase.IN_POSITION or deal is None:
        return
    has_target = any(order.role is Role.TAKE_PROFIT and order.is_live for order in deal.orders.values())
    is_excused = deal.strategy.trailing_deviation or deal.is_too_small_to_sell
    if not has_target and not is_excused:
        world.violations.append(f"I7: {deal.id} holds {deal.books.net} and has no take profit")


def _is_eaten_by_fees(world: Checked, bot: Bot) -> bool:
    """Say whether what a bot has bought is what its account pays fees with: then it may lack at any time."""
    base = (bot.market if bot.deal is None else bot.deal.market).base_asset
    return any(world.venue.account(account).pays_with == base for account in world.venue.accounts)


def _is_stuck_by_size(world: Checked, bot: Bot) -> bool:
    """Say whether an exit waits for a price at which the market takes what is held."""
    deal = bot.deal
    if bot.phase is not Phase.CLOSING or deal is None or deal.exit not in AT_MARKET:
        return False
    price = world.venue.price(deal.market.pair)
    return price is not None and not deal.can_sell_at(price)


def _check_manners(world: World) -> None:
    """I10."""
    world.violations.extend(f"I10: {pushed}" for pushed in world.manners.pushed)
    by_bot: dict[BotId, list[float]] = defaultdict(list)
    for at, order_id in world.manners.refused:
        parsed = parse_order_id(order_id)
        if parsed is not None:
            by_bot[parsed.bot_id].append(at)
    for bot_id, times in by_bot.items():
        resets = sorted([*world.started, *(at for at, retried in world.retried if retried == bot_id)])
        for index, since in enumerate(times):
            until = min(since + HOUR_S, next((at for at in resets if at > since), since + HOUR_S))
            count = sum(since <= at < until for at in times[index:])
            if count > MOST_REFUSED:
                world.violations.append(f"I10: {count} orders of {bot_id} were refused within an hour")
                break


async def check_memory(world: World) -> None:
    """Note where what a quiet engine holds of a bot is not what is stored, and where the file is not whole."""
    running = world.running
    if running is None or not running.process.is_alive or running.process.is_paused:
        return
    quiet = {
        bot_id: runner.bot
        for bot_id, runner in running.engine.runners.items()
        if runner.busy_since is None and not runner.is_over and not runner.guard.locked()
    }
    async with world.store.begin(reads_only=True) as work:
        stored = {record.bot.id: record.bot for record in await work.bots.load(tuple(quiet))}
    for bot_id, bot in quiet.items():
        known = evolve(stored[bot_id], price=bot.price, is_price_old=bot.is_price_old)  # what is heard, not stored
        if known != bot:
            world.violations.append(f"store: {bot_id} is not what is stored of it")


async def check_file(world: World) -> None:
    """Note what SQLite itself finds wrong."""
    async with world.store.engine.connect() as connection:
        wrong = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).fetchall()
        whole = (await connection.exec_driver_sql("PRAGMA integrity_check")).fetchall()
    if wrong or [tuple(row) for row in whole] != [("ok",)]:
        world.violations.append(f"store: the file is broken: {wrong} {whole}")
