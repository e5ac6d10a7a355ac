"""A small world with a script: what a scenario is told on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, Final

import attrs

from dcacore.adapters.simulated.faults import Plan
from dcacore.adapters.simulated.hands import Hand, Staff
from dcacore.domain.ids import AccountId, BotId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Price
from dcacore.domain.roles import Role
from dcacore.domain.strategy import Strategy
from dcacore.domain.venue import VenueOrder
from dcacore.ports.records import RequestKind
from tests.simulation.gate import Crash, Moment
from tests.simulation.invariants import check_world
from tests.simulation.ledger import BotLedger, Watcher
from tests.simulation.liveness import await_life
from tests.simulation.loop import Livelock
from tests.simulation.market import MARKETS
from tests.simulation.user import bring_back
from tests.simulation.world import World, new_world

PAIR: Final = "BTCUSDT"
MARKET: Final = MARKETS[0][0]
START_PRICE: Final = Decimal(60_000)
TICK_S: Final = 5.0
DOWN_S: Final = 3.0
SOON_S: Final = 0.2
LEFT_ALONE_S: Final = 20.0
LOOK_EVERY_S: Final = 5.0
"""After the script: all is left alone for so long, and then until every bot has been seen live ..."""
CALM_S: Final = (14.0, 40.0)
"""... and then the user looks after troubles this often, and all is left alone for the last time."""


def strategy(**changes: Any) -> Strategy:
    """Return a strategy that buys for 600 at 60,000 and three times below, each one percent."""
    values: dict[str, Any] = {
        "pair": PAIR,
        "base_order_size": 600,
        "safety_order_size": 600,
        "max_safety_orders": 3,
        "price_deviation": 1,
        "take_profit": 1,
        "auto_restart": False,
    }
    return Strategy(**{**values, **changes})


@attrs.define(eq=False)
class Stage:
    """What a script can do.

    Attributes:
        world: the world it happens in.
        account: the account of all bots.
        watcher: checks what must always hold.
    """

    world: World
    account: AccountId
    watcher: Watcher

    async def bot(self, name: str = "botaaaaa", **changes: Any) -> BotId:
        """Return a new bot, started."""
        wanted = strategy(**changes)
        bot_id = await self.world.add_bot(name, self.account, MARKET, wanted)
        self.watcher.bots[bot_id] = BotLedger(max(6, wanted.resting_limit))
        await self.ask(bot_id, RequestKind.START)
        await self.wait(6)
        return bot_id

    async def ask(self, bot_id: BotId, kind: RequestKind, **details: str) -> None:
        """Ask something of a bot; again when the database was busy."""
        while not await self.world.ask(bot_id, kind, **details):
            await self.wait(0.3)

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    async def price(self, price: float, wait: float = 4) -> None:
        """Move the market, and let time pass."""
        self.world.venue.move(PAIR, Price(Decimal(str(price))))
        await self.wait(wait)

    @property
    def hand(self) -> Hand:
        """The user, at the exchange."""
        return Hand(self.world.venue, self.account)

    @property
    def staff(self) -> Staff:
        """The exchange's staff."""
        return Staff(self.world.venue)

    def resting(self, role: Role) -> VenueOrder | None:
        """Return an order of that role that rests."""
        for ledger in self.watcher.bots.values():
            for order, _, its_role in ledger.live.values():
                if its_role is role:
                    return order
        return None


Script = Callable[[Stage], Awaitable[None]]


@attrs.frozen
class Told:
    """What came of telling a script.

    Attributes:
        violations: what must not have happened and has.
        names: the calls of the first process.
        digest: of the trace.
        lines: the last lines of the trace.
        deals: how many deals ended.
    """

    violations: tuple[str, ...]
    names: tuple[str, ...]
    digest: str
    lines: tuple[str, ...]
    deals: int


def tell(name: str, script: Script, crash: Crash | None = None, *, plan: Plan | None = None, seed: str = "") -> Told:
    """Tell a script, with the first process dying at *crash*, and check the world after it."""
    world = new_world(f"{name}{seed}", plan or Plan({}))
    world.crash = crash or Crash(-1, Moment.BEFORE)
    is_late = world.crash.moment is Moment.LATER
    down_s = SOON_S if is_late else DOWN_S  # so that the next process is there when the request arrives
    names: list[str] = []
    deals: list[int] = []

    async def life() -> None:
        stage = await _set_up(world)
        going_on = [
            world.loop.create_task(world.keep_running(least=down_s, most=down_s)),
            world.loop.create_task(_tick(world)),
        ]
        await script(stage)
        names.extend(world.first_calls)
        world.dice.is_calm = True
        await asyncio.sleep(LEFT_ALONE_S)
        await await_life(world, LOOK_EVERY_S)
        for pause in CALM_S:
            await _look_after(stage)
            await asyncio.sleep(pause)
        await check_world(world)
        world.is_ending = True
        deals.append(sum([record.lifetime.deals for record in await world.records()]))
        for task in going_on:
            task.cancel()

    try:
        world.live(life())
    except Livelock as exc:
        world.violations.append(f"livelock: {exc}")
    return Told(
        violations=tuple(dict.fromkeys(world.violations)),
        names=tuple(names),
        digest=world.trace.digest,
        lines=tuple(world.trace.lines),
        deals=sum(deals),
    )


async def _set_up(world: World) -> Stage:
    world.venue.list_pair(MARKET, Price(START_PRICE))
    await world.found()
    account = await world.open_account("main", {"USDT": Decimal(5000)}, Fees())
    watcher = Watcher({PAIR: MARKET.base_asset}, world.violations.append)
    world.venue.listen(account, watcher)
    return Stage(world, account, watcher)


async def _tick(world: World) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        price = world.venue.price(PAIR)
        assert price is not None
        world.venue.move(PAIR, price)


async def _look_after(stage: Stage) -> None:
    records = await stage.world.records()
    bring_back(stage.world, stage.account, records)
    for record in records:
        if record.bot.trouble is not None:
            await stage.ask(record.bot.id, RequestKind.RETRY)


def points(names: tuple[str, ...]) -> list[Crash]:
    """Return every point at which a process that makes these calls can die."""
    found = []
    for call, name in enumerate(names):
        moments = [Moment.BEFORE, Moment.AFTER]
        if " place " in name or " cancel " in name:
            moments += [Moment.LATER, Moment.UNANSWERED]
        found += [Crash(call, moment) for moment in moments]
    return found


def other_rules(market: Market) -> Market:
    """Return *market* with a coarser step."""
    return attrs.evolve(market, step_size=market.step_size * 10, min_quantity=market.min_quantity * 10)
