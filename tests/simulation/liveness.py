"""Whether every bot goes on by itself once nothing goes wrong any more, or says what its user must do."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, assert_never

from dcacore.application.engine.runner import Runner
from dcacore.domain.bot import Bot, Cure, Phase, Trouble, TroubleKind, Wanted
from dcacore.domain.commands import Place
from dcacore.domain.deal import AT_MARKET, Deal
from dcacore.domain.engine import decide
from dcacore.domain.events import RetryDue, TimePassed
from dcacore.domain.ids import BotId
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.money import ZERO, exact
from dcacore.domain.orders import Role, Side
from dcacore.domain.watch import Retry, watches
from dcacore.ports.records import BotRecord
from tests.simulation.world import World, price_now

PATIENCE_S: Final = 1300.0
"""The slowest that is cured by itself: a buy that the exchange has refused for want of balance, after 20 minutes."""
_FEES: Final = Decimal("1.01")
_ON_THEIR_WAY: Final = frozenset({IntentState.PLANNED, IntentState.SENDING, IntentState.UNKNOWN})


async def await_life(world: World, look_every_s: float) -> None:
    """Return when each bot has once been seen live, and note those that never are."""
    until = world.loop.time() + PATIENCE_S
    awaited = dict.fromkeys(world.bots, "it has not been looked at")
    while True:
        dead = await why_not_live(world)
        awaited = {bot_id: dead[bot_id] for bot_id in awaited if bot_id in dead}
        if not awaited:
            return
        if world.loop.time() >= until:
            break
        await asyncio.sleep(look_every_s)
    world.violations.extend(f"I7: {it} is not live before its user says retry: {why}" for it, why in awaited.items())


async def why_not_live(world: World) -> dict[BotId, str]:
    """Return the bots that are neither at work nor wait for what is named, and what is wrong with each."""
    records = await world.records()
    async with world.store.begin(reads_only=True) as work:
        asked = {request.bot_id: request.kind.value for request in await work.requests.waiting()}
        unsettled: defaultdict[BotId, list[Intent]] = defaultdict(list)
        for intent in await work.intents.unsettled(tuple(world.bots)):
            unsettled[intent.bot_id].append(intent)
    short = _short(world, records)
    found: dict[BotId, str] = {}
    for record in records:
        bot = record.bot
        why = f"nobody has answered {asked[bot.id]}" if bot.id in asked else ""
        why = why or _of_orders(unsettled[bot.id]) or _of_engine(world, bot)
        why = why or _of_trouble(world, record, short) or _of_phase(world, bot)
        if why:
            found[bot.id] = why
    return found


def _of_orders(unsettled: Sequence[Intent]) -> str:
    for intent in unsettled:
        if intent.state in _ON_THEIR_WAY:
            return f"{intent.id} is {intent.state.value}"
        if intent.order.is_cancelling:
            return f"{intent.id} is being taken off"
    return ""


def _of_engine(world: World, bot: Bot) -> str:
    if bot.phase is Phase.STOPPED:
        return ""
    runner = _runner(world, bot)
    if runner is None:
        return f"it is {bot.phase.value}, and nobody runs it"
    if not runner.is_reconciled:
        return "it has not been compared"
    return "a turn of it does not end" if runner.busy_since is not None else ""


def _runner(world: World, bot: Bot) -> Runner | None:
    running = world.running
    runner = None if running is None else running.engine.runners.get(bot.id)
    return None if runner is None or runner.is_over or runner.is_closing else runner


def _of_trouble(world: World, record: BotRecord, short: frozenset[tuple[str, str]]) -> str:
    """Return what is wrong with a trouble: that what it waits for is there."""
    bot, trouble = record.bot, record.bot.trouble
    if trouble is None:
        return ""
    match trouble.cure:
        case Cure.USER | Cure.COINS:
            is_true = True
        case Cure.HOLDINGS:
            is_true = (record.account_id, _base(bot)) in short
        case Cure.TRADING:
            is_true = world.venue.pair(_pair(bot)).is_halted
        case Cure.CREDENTIALS:
            is_true = world.venue.account(record.account_id).is_revoked
        case Cure.BALANCE:
            is_true = _lacks_balance(world, record)
        case _:
            assert_never(trouble.cure)
    return "" if is_true else f"{_told(trouble)}, though that has been cured"


def _told(trouble: Trouble) -> str:
    return f"{trouble.kind.value}: {trouble.reason} ({trouble.cure.value})"


@exact
def _short(world: World, records: Sequence[BotRecord]) -> frozenset[tuple[str, str]]:
    """Return the accounts, each with an asset, that hold less than their deals believe."""
    held: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for record in records:
        if record.bot.deal is not None:
            held[record.account_id, _base(record.bot)] += record.bot.deal.books.net
    found = set()
    for account in world.venue.accounts:
        for asset, balance in world.venue.books(account).balances.items():
            if balance.free + balance.locked < held[account, asset]:
                found.add((str(account), asset))
    return frozenset(found)


@exact
def _lacks_balance(world: World, record: BotRecord) -> bool:
    """Say whether what the bot would buy first costs more than is free."""
    bot = record.bot
    market = bot.market if bot.deal is None else bot.deal.market
    price = price_now(world, market.pair)
    due = RetryDue(world.clock.now(), price)
    wanted = (command.order for command in decide(bot, due).commands if isinstance(command, Place))
    first = next((order for order in wanted if order.side is Side.BUY), None)
    balance = world.venue.books(record.account_id).balances.get(market.quote_asset)
    free = ZERO if balance is None else balance.free
    return first is not None and (first.price or price) * first.quantity * _FEES > free


def _of_phase(world: World, bot: Bot) -> str:
    """Return what a bot that may act has left undone."""
    if bot.trouble is not None and bot.trouble.kind is not TroubleKind.WAITING_FOR_BALANCE:
        return ""  # it places nothing, and says why
    match bot.phase:
        case Phase.STOPPED:
            why = "it is to run, and has stopped" if bot.wanted is Wanted.RUN else ""
        case Phase.STARTING | Phase.PLACING_ORDER:
            why = f"it is {bot.phase.value}"
        case Phase.MONITORING:
            why = "it is to stop, and goes on" if bot.wanted is Wanted.STOP else ""
        case Phase.IN_POSITION:
            why = _of_position(bot.deal)
        case Phase.CLOSING:
            why = _of_exit(world, bot.deal)
        case _:
            assert_never(bot.phase)
    return why or ("" if bot.trouble else _left_undone(world, bot))


def _of_position(deal: Deal | None) -> str:
    if deal is None:
        return "it is in position without a deal"
    has_target = any(order.role is Role.TAKE_PROFIT and order.is_live for order in deal.orders.values())
    if has_target or deal.strategy.trailing_deviation or deal.is_too_small_to_sell:
        return ""
    return f"it holds {deal.books.net} and has no take profit"


def _of_exit(world: World, deal: Deal | None) -> str:
    """Only an exit at market may wait, for a price at which the market takes what is held."""
    waits = deal is not None and deal.exit in AT_MARKET and not deal.can_sell_at(price_now(world, deal.market.pair))
    return "" if waits else "it is closing"


def _left_undone(world: World, bot: Bot) -> str:
    """Return what a bot would do if it were told where the market stands: somebody should have told it."""
    now, price = world.clock.now(), price_now(world, _pair(bot))
    is_retry = watches(bot).retry is Retry.PRICE and (bot.price != price or bot.is_price_old)
    decision = decide(bot, RetryDue(now, price) if is_retry else TimePassed(now, price))
    if decision.commands or decision.bot.phase is not bot.phase:
        names = ", ".join(type(command).__name__ for command in decision.commands)
        return f"it is {bot.phase.value}, and has not been told what makes it {decision.bot.phase.value} ({names})"
    return ""


def _pair(bot: Bot) -> str:
    return (bot.market if bot.deal is None else bot.deal.market).pair


def _base(bot: Bot) -> str:
    return (bot.market if bot.deal is None else bot.deal.market).base_asset
