"""Bots that have really traded come back equal from every store, whatever has happened to them."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcacore.adapters.memory import MemoryStore
from dcacore.adapters.sqlalchemy import postgres_store, sqlite_store
from dcacore.adapters.sqlalchemy.inline import inline_connection
from dcacore.adapters.sqlalchemy.schema import upgrade
from dcacore.domain.bot import Bot
from dcacore.domain.deal import Deal
from dcacore.domain.events import PauseRequested, Refusal, StartRequested, StopRequested
from dcacore.domain.ids import BotId, OrderId
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.money import Price
from dcacore.ports.records import Lifetime
from dcacore.ports.store import Store
from tests.contract.databases import PostgresServer, TestClock
from tests.contract.stored import PAPER, account, booked, intents_of, record, user
from tests.property.live import Live
from tests.strategies import Setting, settings_to_trade

PLENTY: Final = Decimal(10) ** 9
Step = tuple[str, int]

# What may happen to a bot, the usual more often.
THINGS: Final = [
    *("move", "move", "jump", "send", "send", "send", "deliver", "deliver", "all", "lose", "refuse", "short", "expire"),
    *("resolve", "stop", "sell", "pause", "start", "restart", "ready", "wait", "settle"),
]
STEPS: Final = st.lists(st.tuples(st.sampled_from(THINGS), st.integers(-12, 12)), min_size=5, max_size=40)


def take(live: Live, step: Step) -> None:
    """Let one thing happen to the bot, if it can happen now."""
    what, number = step
    tick = live.core.market.tick_size
    acts: dict[str, Callable[[], object]] = {
        "move": lambda: live.move_to(Price(max(2 * tick, live.price + number * tick))),
        "jump": lambda: live.move_to(Price(max(2, int(live.price / tick) * (100 + number) // 100) * tick)),
        "all": live.deliver_all,
        "stop": lambda: live.tell(StopRequested(live.core.at, live.price)),
        "sell": lambda: live.tell(StopRequested(live.core.at, live.price, sell=True)),
        "pause": lambda: live.tell(PauseRequested(live.core.at, live.price)),
        "start": lambda: live.tell(StartRequested(live.core.at, live.price)),
        "restart": live.restart_engine,
        "ready": live.ready,
        "wait": lambda: live.pass_time(abs(number)),
        "settle": live.settle,
    }
    if live.outbox:
        acts["send"] = live.send_next
        acts["lose"] = lambda: live.lose_next(arrives=number > 0)
        acts["refuse"] = lambda: live.refuse_next(Refusal.RULE)
        acts["short"] = lambda: live.refuse_next(Refusal.BALANCE)
        acts["expire"] = lambda: live.expire_next(Decimal(abs(number)) / 13)
    if live.inbox:
        acts["deliver"] = lambda: live.deliver(abs(number))
    if live.unanswered:
        acts["resolve"] = lambda: live.resolve(next(iter(live.unanswered)))
    acts.get(what, lambda: None)()


@attrs.define
class Keeper:
    """What the engine does about the store after each decision.

    Attributes:
        store: where it is kept.
        known: the orders of the open deal that have been stored.
        ended: how many ended deals have been.
    """

    store: Store
    known: dict[OrderId, Intent] = attrs.field(factory=dict)
    ended: int = 0
    lifetime: Lifetime = attrs.field(factory=Lifetime)

    async def keep(self, live: Live) -> None:
        """Store what has changed."""
        bot, ended = live.bot, live.ended[self.ended :]
        self.ended += len(ended)
        closed = [intent for deal in ended for intent in intents_of(bot.id, deal)]
        now = [*closed, *(() if bot.deal is None else intents_of(bot.id, bot.deal))]
        gone = [self._gone(one) for key, one in self.known.items() if key not in {intent.id for intent in now}]
        async with self.store.begin() as work:
            for deal in ended:
                await work.deals.end(bot.id, deal)
                self.lifetime = self.lifetime if deal.exit and deal.exit.value == "cancel" else self.lifetime.plus(deal)
            await work.bots.save(bot)
            await work.intents.save([*gone, *now])
            await work.fills.add(booked(now))
            await work.commit()
        self.known = {intent.id: intent for intent in now if intent not in closed}

    def _gone(self, intent: Intent) -> Intent:
        if intent.order.fills:
            return intent
        return attrs.evolve(
            intent, state=IntentState.CANCELED if intent.order.executed is not None else IntentState.REJECTED
        )

    async def compare(self, bot: Bot, ended: Sequence[Deal]) -> None:
        """See that the store gives back what it was given."""
        async with self.store.begin(reads_only=True) as work:
            found = await work.bots.get(bot.id)
            assert found is not None
            assert found.bot == bot
            assert found.lifetime == self.lifetime
            if bot.deal is not None:
                assert list(found.bot.deal.orders if found.bot.deal else ()) == list(bot.deal.orders)
            for deal in ended[-2:]:
                kept = await work.deals.get(deal.id)
                assert kept is not None
                assert kept.deal == deal


async def play(store: Store, bot_id: str, setting: Setting, steps: Sequence[Step]) -> None:
    """Let a bot live through *steps*, stored and compared after each."""
    live = Live.of(setting, PLENTY)
    live.bot = attrs.evolve(live.bot, id=BotId(bot_id))
    paper = attrs.evolve(account(), id=PAPER)
    owner = record(live.bot)
    async with store.begin() as work:
        if await work.users.get(owner.user_id) is None:
            await work.users.add(user())
            await work.accounts.add(paper)
        await work.bots.add(owner)
        await work.commit()
    keeper = Keeper(store)
    live.tell(StartRequested(live.core.at, setting.price))
    live.ready()
    for step in (("settle", 0), *steps):
        take(live, step)
        await keeper.keep(live)
        await keeper.compare(live.bot, live.ended)
    async with store.begin() as work:
        await work.bots.remove(live.bot.id)  # its trade ids are used again
        await work.commit()


@settings(max_examples=60)
@given(setting=settings_to_trade(), steps=STEPS)
def test_in_memory(setting: Setting, steps: list[Step]) -> None:
    asyncio.run(play(MemoryStore(TestClock()), "bot", setting, steps))


def test_in_sqlite() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'dca.db'}"
        upgrade(url)

        @settings(max_examples=60)
        @given(setting=settings_to_trade(), steps=STEPS)
        def everything_comes_back(setting: Setting, steps: list[Step]) -> None:
            async def run() -> None:
                store = sqlite_store(url, clock=TestClock(), async_creator=inline_connection)
                try:
                    await play(store, "bot", setting, steps)
                finally:
                    async with store.begin() as work:
                        await work.bots.remove(BotId("bot"))
                        await work.commit()
                    await store.close()

            asyncio.run(run())

        everything_comes_back()


def test_in_postgresql(postgres: PostgresServer) -> None:
    url, numbers = postgres.url(postgres.new_database("filled")), itertools.count()

    @settings(max_examples=12)
    @given(setting=settings_to_trade(), steps=STEPS)
    def everything_comes_back(setting: Setting, steps: list[Step]) -> None:
        async def run() -> None:
            store = postgres_store(url)
            try:
                await play(store, f"bot{next(numbers)}", setting, steps)
            finally:
                await store.close()

        asyncio.run(run())

    everything_comes_back()


@pytest.mark.prove
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_at_length(kind: str, tmp_path: Path) -> None:
    upgrade(url := f"sqlite:///{tmp_path / 'dca.db'}")
    numbers = itertools.count()

    @given(setting=settings_to_trade(), steps=STEPS)
    def everything_comes_back(setting: Setting, steps: list[Step]) -> None:
        async def run() -> None:
            clock = TestClock()
            made = (
                MemoryStore(clock)
                if kind == "memory"
                else sqlite_store(url, clock=clock, async_creator=inline_connection)
            )
            try:
                await play(made, f"bot{next(numbers)}", setting, steps)
            finally:
                await made.close()

        asyncio.run(run())

    everything_comes_back()
