"""Engines that die, stop, stand still or are not alone; databases that fail; bots that break: F65 to F85."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import sqlite3
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from dcacore.adapters.memory import MemoryStore
from dcacore.adapters.sqlalchemy import SqlStore, sqlite_store
from dcacore.adapters.sqlalchemy.backups import backup, restore
from dcacore.adapters.sqlalchemy.lock import EngineLock
from dcacore.adapters.sqlalchemy.schema import upgrade
from dcacore.application.engine.accounting import write
from dcacore.application.engine.desk import Desk
from dcacore.application.engine.runner import Runner
from dcacore.bootstrap.logs import Lines, configure_logs
from dcacore.domain.bot import Bot, Phase, Wanted
from dcacore.domain.engine import Decision, decide
from dcacore.domain.events import Event, Failed, PauseRequested
from dcacore.domain.ids import BotId
from dcacore.domain.intents import IntentState
from dcacore.domain.orders import Order, Role
from dcacore.domain.venue import VenueStatus
from dcacore.ports.errors import EngineRunning, OutcomeUnknown, SchemaMismatch, StoreError, Unavailable
from dcacore.ports.records import RequestKind
from dcacore.settings import Settings
from tests.faults.stage import BOT, Carry, Stage, lost_reply, of_role, price, refused, slow
from tests.simulation.database import Cables
from tests.strategies import MARKET


def ready(seed: str = "stage") -> Stage:
    stage = Stage(seed=seed)
    stage.list_pair()
    stage.open_account()
    stage.add_bot()
    return stage


def at(number: int) -> Callable[[int, str], bool]:
    return lambda count, _: count == number


# ---------------------------------------------------------------------------------------------------- kills, everywhere


def open_deal(stage: Stage) -> None:
    stage.start(after=3)


def fill_safety_order(stage: Stage) -> None:
    stage.move("90", after=3)


def close_deal(stage: Stage) -> None:
    stage.move("120", after=3)


def stop_selling(stage: Stage) -> None:
    stage.ask(RequestKind.STOP, sell="true", after=3)


def stop_keeping(stage: Stage) -> None:
    stage.ask(RequestKind.STOP, sell="false", after=3)


def add_funds(stage: Stage) -> None:
    stage.ask(RequestKind.ADD_FUNDS, amount="50", after=3)


def die_everywhere(
    before: tuple[Callable[[Stage], None], ...], doing: Callable[[Stage], None], check: Callable[[Stage], None]
) -> None:
    """Play *doing* once for each call that an engine makes in it, let the engine die there, and start another."""
    for number in range(400):
        stage = ready(str(number))
        stage.start_engine()
        for act in before:
            act(stage)
        stage.dies_at = at(len(stage.points) + number)
        doing(stage)
        has_died = stage.dies_at is None
        stage.dies_at = None
        if has_died:
            stage.run(3)
            stage.start_engine()
            stage.run(90)
            check(stage)
        stage.close()
        if not has_died:
            assert number > 3
            return
    raise AssertionError("there is no end to its calls")


def one_deal(stage: Stage) -> None:
    assert len(stage.orders(Role.BASE)) == 1
    assert len(stage.orders(Role.SAFETY)) == 2
    stage.expect_position()


def funds_at_most_once(stage: Stage) -> None:
    assert len(stage.orders(Role.EXTRA)) <= 1
    stage.expect_position()


def one_safety_order(stage: Stage) -> None:
    assert stage.deal().filled_safety_orders == 1
    stage.expect_position()


def one_end(stage: Stage) -> None:
    assert stage.bot().deals_closed == 1
    assert len(stage.wholly(Role.TAKE_PROFIT)) == 1
    assert len(stage.orders(Role.BASE)) <= 2


def stopped(stage: Stage) -> None:
    assert stage.bot().phase is Phase.STOPPED
    assert not stage.resting()


def test_f65_killed_at_any_step_of_opening_a_deal_there_is_one_deal() -> None:
    die_everywhere((), open_deal, one_deal)


def test_f65_killed_at_any_step_of_adding_funds_they_are_added_at_most_once() -> None:
    die_everywhere((open_deal,), add_funds, funds_at_most_once)


def test_f66_killed_at_any_step_after_a_fill_the_target_follows_without_another_event() -> None:
    die_everywhere((open_deal,), fill_safety_order, one_safety_order)


def test_f66_killed_at_any_step_of_a_deals_end_it_ends_once() -> None:
    die_everywhere((open_deal, fill_safety_order), close_deal, one_end)


@pytest.mark.parametrize(("stopping", "left"), [(stop_selling, 0), (stop_keeping, 1)])
def test_f67_killed_at_any_step_of_a_stop_the_stop_goes_on(stopping: Callable[[Stage], None], left: int) -> None:
    def check(stage: Stage) -> None:
        stopped(stage)
        assert stage.free("ABC") == left

    die_everywhere((open_deal,), stopping, check)


def test_f65_a_request_that_outlives_its_sender_is_found() -> None:
    for arrives in (1.0, 4.0):
        stage = ready()

        async def arrives_when_nobody_waits(carry: Carry, *, stage: Stage = stage, after: float = arrives) -> Any:
            loop = stage.loop

            async def arrive() -> None:
                await asyncio.sleep(after)
                await carry()

            loop.create_task(arrive(), context=contextvars.Context())
            stage.kill()
            await loop.create_future()

        stage.wire().on("place", arrives_when_nobody_waits)
        stage.start(after=0.5)
        stage.start_engine()
        stage.run(60)
        assert len(stage.orders(Role.BASE)) == 1
        stage.expect_position()
        stage.close()


@pytest.mark.parametrize("name", ["place", "cancel"])
def test_f68_a_graceful_stop_waits_for_what_is_on_the_wire(stage: Stage, name: str) -> None:
    stage.start()
    stage.wire().on(name, slow(before=2, after=2))
    stage.venue.move(MARKET.pair, stage.resting_price(Role.SAFETY))
    stage.run(0.5)
    began = stage.loop.time()
    stage.stop_engine(within=15)
    assert stage.loop.time() - began < 15
    assert stage.running.task.exception() is None
    assert not [intent for intent in stage.intents() if intent.state in {IntentState.SENDING, IntentState.UNKNOWN}]
    stage.start_engine()
    stage.run(10)
    stage.expect_position()


def test_f68_a_graceful_stop_does_not_wait_for_ever(stage: Stage) -> None:
    stage.wire().on("place", slow(before=3600))
    stage.start(after=3)
    stage.stop_engine(within=15)
    stage.start_engine()
    stage.run(60)
    assert len(stage.orders(Role.BASE)) == 1
    stage.expect_position()


def test_f68_orders_rest_while_no_engine_runs(stage: Stage) -> None:
    stage.start()
    stage.stop_engine()
    assert len(stage.resting()) == 3
    stage.move("90", after=60)
    stage.start_engine()
    stage.run(5)
    stage.expect_position()


# ------------------------------------------------------------------------------------------------------- the database


@pytest.mark.parametrize("commits", range(1, 9))
@pytest.mark.parametrize("kind", ["commits_fail", "commits_unsure"])
def test_f69_a_commit_that_fails_loses_no_order_and_makes_no_second_one(kind: str, commits: int) -> None:
    stage = ready()
    running = stage.start_engine()
    setattr(running.store, kind, commits)
    stage.start(after=90)
    assert len(stage.orders(Role.BASE)) == 1
    stage.expect_position()
    setattr(running.store, kind, commits)
    stage.move("90", after=90)
    assert stage.deal().filled_safety_orders == 1
    stage.expect_position()
    stage.close()


@pytest.mark.parametrize("kind", ["commits_fail", "commits_unsure"])
def test_f69_a_mark_that_could_not_be_made_sends_nothing(stage: Stage, kind: str) -> None:
    """The plan is stored, the mark before the wire is not, or not surely."""
    running = stage.start_engine()
    failed = 0

    def fail_the_mark(_: int, name: str) -> bool:
        nonlocal failed
        if name == "balances after" and not failed:  # the look at the balance comes between plan and mark
            failed = 1
            setattr(running.store, kind, 1)
        return False

    stage.dies_at = fail_the_mark
    stage.ask(RequestKind.START, after=1)
    assert failed
    assert not stage.wire().requests("place")
    stage.run(60)
    assert len(stage.orders(Role.BASE)) == 1
    stage.expect_position()


def test_f70_a_full_disk_is_not_complained_of_without_end(stage: Stage) -> None:
    stage.start()
    stage.running.store.is_full = True
    stage.run(300)
    assert len(stage.logged) < 2000


def test_f70_a_full_disk_sends_nothing_and_is_over_when_there_is_room(stage: Stage) -> None:
    stage.start()
    stage.running.store.is_full = True
    before = len(stage.wire().requests("place"))
    stage.move("90", after=300)
    assert len(stage.wire().requests("place")) == before
    assert any(line["event"] in {"bot_interrupted", "not_claimed", "task_failed"} for line in stage.logged)
    stage.running.store.is_full = False
    stage.run(60)
    assert stage.deal().filled_safety_orders == 1
    stage.expect_position()


@pytest.mark.parametrize("minutes", [0.2, 3, 60])
@pytest.mark.parametrize("is_leased", [False, True])
def test_f71_a_database_that_is_away_for_minutes(minutes: float, is_leased: bool) -> None:
    stage = ready()
    stage.start_engine(is_leased=is_leased)
    stage.start()
    stage.running.store.is_away = True
    before = len(stage.wire().requests("place"))
    stage.move("90", after=minutes * 60)
    assert len(stage.wire().requests("place")) == before
    stage.running.store.is_away = False
    stage.run(90)
    assert stage.deal().filled_safety_orders == 1
    stage.expect_position()
    stage.close()


def test_f71_a_database_that_is_away_at_the_start_is_said(stage: Stage) -> None:
    running = stage.start_engine()
    running.store.is_away = True
    stage.run(5)
    assert isinstance(running.task.exception(), StoreError)


def test_f72_a_second_engine_is_refused_by_the_lock_of_the_first(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'live.db'}"
    with EngineLock.take(url), pytest.raises(EngineRunning):
        EngineLock.take(url)
    EngineLock.take(url).release()


def test_f72_f82_several_engines_share_the_bots_and_none_is_run_twice(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(XYZ="1000000")
    names = [stage.add_bot(f"bot{number}") for number in range(6)]
    engines = [stage.start_engine(f"engine{number}", is_leased=True) for number in range(3)]
    for name in names:
        stage.ask(RequestKind.START, name)
    stage.run(120)
    shares = [set(running.engine.runners) for running in engines]
    assert sum(len(share) for share in shares) == 6
    assert set().union(*shares) == set(names)
    for name in names:
        assert len(stage.orders(Role.BASE, bot_id=name)) == 1
        stage.expect_position(name)
    stage.kill(engines[0])
    stage.move("90", after=120)
    for name in names:
        assert stage.deal(name).filled_safety_orders == 1
        stage.expect_position(name)


@pytest.mark.parametrize("seconds", [15, 60, 600])
def test_f73_an_engine_that_stood_still_writes_and_sends_nothing_that_is_not_its_own_any_more(
    stage: Stage, seconds: float
) -> None:
    first = stage.start_engine("first", is_leased=True)
    stage.start(after=3)
    stage.pause(first)
    second = stage.start_engine("second", is_leased=True)
    stage.move("90", after=seconds)
    stage.resume(first)
    stage.run(60)
    assert len(stage.orders(Role.TAKE_PROFIT)) == 2
    stage.expect_position()
    stage.move("120", after=30)
    assert stage.bot().deals_closed == 1
    assert len({*first.engine.runners} & {*second.engine.runners}) == 0


@pytest.mark.parametrize("point", ["balances after", "commit after", "place before"])
def test_f73_an_engine_that_stands_still_between_mark_and_wire(stage: Stage, point: str) -> None:
    first = stage.start_engine("first", is_leased=True)
    paused = False

    def pause(_: int, name: str) -> bool:
        nonlocal paused
        if name == point and not paused and stage.wire().requests("balances"):
            paused = True
            stage.pause(first)
        return False

    stage.dies_at = pause
    stage.start(after=3)
    assert paused
    second = stage.start_engine("second", is_leased=True)
    stage.run(120)
    stage.resume(first)
    stage.run(60)
    assert second.engine.runners
    assert len([it for it in stage.orders(Role.BASE) if it.order.status is VenueStatus.FILLED]) == 1
    stage.expect_position()


# ---------------------------------------------------------------------------------------- schema, backups, and sqlite


def on_file(stage: Stage, file: Path) -> SqlStore:
    """Put the stage onto a database file."""
    store = sqlite_store(f"sqlite:///{file}", clock=stage.clock, async_creator=Cables().connect, busy_timeout=0)
    stage.store = store
    return store


def test_f74_half_a_migration_is_no_database_to_start_on(empty_stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "half.db"
    upgrade(f"sqlite:///{file}")
    with sqlite3.connect(file) as raw:
        raw.execute("DROP TABLE order_intent")
    raw.close()
    store = on_file(empty_stage, file)
    running = empty_stage.start_engine()
    empty_stage.run(3)
    assert isinstance(running.task.exception(), StoreError)
    empty_stage.do(store.close())


@pytest.mark.parametrize("revision", ["ffffffffffff", None])
def test_f75_a_schema_of_another_program_is_refused(empty_stage: Stage, tmp_path: Path, revision: str | None) -> None:
    file = tmp_path / "other.db"
    upgrade(f"sqlite:///{file}")
    with sqlite3.connect(file) as raw:
        if revision is None:
            raw.execute("DELETE FROM alembic_version")
        else:
            raw.execute("UPDATE alembic_version SET version_num = ?", [revision])
    raw.close()
    store = on_file(empty_stage, file)
    running = empty_stage.start_engine()
    empty_stage.run(3)
    assert isinstance(running.task.exception(), SchemaMismatch)
    empty_stage.do(store.close())


def test_f76_f77_a_backup_that_is_older_than_the_exchange(empty_stage: Stage, tmp_path: Path) -> None:
    """The deal of the backup goes on; ids of the time since then are not used again."""
    stage, file, kept = empty_stage, tmp_path / "live.db", tmp_path / "kept.db"
    upgrade(f"sqlite:///{file}")
    store = on_file(stage, file)
    stage.list_pair()
    stage.open_account()
    stage.add_bot()
    stage.start(after=3)
    backup(f"sqlite:///{file}", kept)  # while the engine runs
    stage.move("90", after=5)
    before = {booked.order.order_id for booked in stage.orders()}
    stage.stop_engine()
    stage.do(store.close())
    restore(f"sqlite:///{file}", kept)
    store = on_file(stage, file)
    assert stage.deal().filled_safety_orders == 0
    stage.start_engine()
    stage.run(60)
    assert stage.deal().filled_safety_orders == 1
    assert len(stage.resting(Role.TAKE_PROFIT)) == 1
    if stage.trouble() is not None:  # the target that the bot took off since then: it cannot know who did
        stage.ask(RequestKind.RETRY, after=5)
    stage.expect_position()
    stage.move("120", after=10)
    assert stage.bot().deals_closed == 1
    stage.move("121", after=10)
    ids = [booked.order.order_id for booked in stage.orders()]
    assert len(ids) == len(set(ids))
    assert len(ids) > len(before)
    stage.stop_engine()
    stage.check()
    stage.is_checked = False
    stage.do(store.close())


@pytest.mark.parametrize("step", [open_deal, fill_safety_order, close_deal, stop_keeping])
def test_f76_a_backup_from_before_any_step(step: Callable[[Stage], None]) -> None:
    steps = (open_deal, fill_safety_order, close_deal)
    stage = ready()
    stage.start_engine()
    for before in steps[: steps.index(step)] if step in steps else steps[:1]:
        before(stage)
    assert isinstance(stage.store, MemoryStore)
    kept = attrs.evolve(stage.store._tables)
    step(stage)
    stage.stop_engine()
    stage.store = MemoryStore(stage.clock, epoch="second")
    stage.store.put(kept)
    stage.is_checked = False  # what was before the backup's deal may stay unknown; it is shown as stray
    stage.start_engine()
    stage.run(120)
    ids = [booked.order.order_id for booked in stage.orders()]
    assert len(ids) == len(set(ids))
    sells = sum(order.quantity - order.executed for order in stage.resting(Role.TAKE_PROFIT))
    assert sells <= stage.books().balances["ABC"].free + stage.books().balances["ABC"].locked
    assert stage.refused_per_hour() <= 5
    stage.close()


def test_f85_the_mark_is_stored_before_anything_is_on_the_wire(stage: Stage) -> None:
    unmarked: list[str] = []

    def look(order: Any) -> bool:
        assert isinstance(stage.store, MemoryStore)
        if stage.store._tables.intents[order.id].state is not IntentState.SENDING:
            unmarked.append(order.id)
        return False

    stage.wire().on("place", refused(OutcomeUnknown("")), when=look)
    stage.start()
    stage.move("90", after=10)
    stage.move("120", after=10)
    assert len(stage.orders()) > 6
    assert not unmarked


def test_f85_the_mark_is_synced_to_the_disk(empty_stage: Stage, tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'live.db'}")
    cables = Cables()
    store = sqlite_store(
        f"sqlite:///{tmp_path / 'live.db'}", clock=empty_stage.clock, async_creator=cables.connect, busy_timeout=0
    )
    empty_stage.store = store
    empty_stage.list_pair()
    empty_stage.open_account()
    levels = {connection.raw.execute("PRAGMA synchronous").fetchone()[0] for connection in cables._open}
    assert levels
    assert min(levels) >= 2  # FULL
    empty_stage.do(store.close())


# ---------------------------------------------------------------------------------------- bots that break, and memory


def test_f78_f81_a_day_of_many_bots_leaves_nothing_behind(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(XYZ="1000000")
    names = [stage.add_bot(f"bot{number}") for number in range(4)]
    stage.start(*names, after=5)

    def one_hour(number: int) -> None:
        for level in ("100", "80", "120"):
            stage.move(level, after=60)
        for step in range(40):
            stage.move(str(Decimal(100) + Decimal(step + number % 3) / 100), after=1)

    def size() -> int:
        engine = stage.running.engine
        runners = engine.runners.values()
        desks = engine.fleet.places.desks.values()
        return (
            sum(len(runner.intents) + len(runner.asked) + len(runner.tasks._running) for runner in runners)
            + sum(len(desk.foreign) + len(desk.strays) + len(desk.tasks._running) for desk in desks)
            + len(engine._alarms._heap)
            + len(engine._keeping_on.tasks._running)
        )

    for hour in range(4):
        one_hour(hour)
    early = size()
    for hour in range(12):
        one_hour(hour)
    gc.collect()
    assert stage.bot(names[0]).deals_closed > 10
    assert size() <= early * 1.5


def test_f78_prices_that_wait_for_a_busy_bot_are_few(stage: Stage) -> None:
    stage.start()
    runner = stage.running.engine.runners[BotId(BOT)]

    async def flood() -> None:
        await runner.guard.acquire()
        for step in range(500):
            stage.venue.move(MARKET.pair, price(f"{100 + step % 5}"))
            runner_inbox = runner._inbox
            assert runner_inbox is None or len(runner_inbox) < 10
            await asyncio.sleep(0.01)
        runner.guard.release()

    stage.do(flood())
    stage.run(5)
    stage.expect_position()


@pytest.mark.parametrize("times", [1, 3])
def test_f79_a_bot_whose_order_fails_in_a_way_that_nobody_foresaw_is_taken_up_anew(
    empty_stage: Stage, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account()
    stage.add_bot()
    reserve, failures = Desk.reserve, iter(range(times))

    def fail(desk: Desk, runner: Runner, order: Order) -> None:
        if next(failures, None) is not None:
            raise KeyError("nobody foresaw it")  # between the mark and the wire: nobody would look after the order
        reserve(desk, runner, order)

    monkeypatch.setattr(Desk, "reserve", fail)
    stage.start(after=600)
    assert len([line for line in stage.unforeseen if "nobody foresaw it" in line]) == times
    stage.unforeseen.clear()
    assert stage.trouble() is None
    stage.expect_position()


def test_f79_a_bot_that_breaks_off_while_it_is_checked_does_not_ask_without_a_pause(stage: Stage) -> None:
    asked: list[float] = []

    async def unreachable(carry: Carry) -> Any:
        asked.append(stage.loop.time())
        if len(asked) > 200:
            return await carry()  # else time would stand still
        raise Unavailable("the exchange cannot be reached")

    stage.wire().on("listing", unreachable, times=1e9)
    stage.start(after=5)
    stage.running.store.commits_fail = 1
    stage.ask(RequestKind.PAUSE, after=30)
    assert any(line["event"] == "bot_interrupted" for line in stage.logged)
    assert len(asked) < 30
    stage.is_checked = False


def test_f79_a_bot_whose_task_fails_in_the_middle_of_a_turn_comes_back_when_that_is_stored(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.start()
    runner = stage.running.engine.runners[BotId(BOT)]
    real, stored = write, stage.loop.create_future()

    async def late(*args: Any) -> None:
        await stored
        await real(*args)

    async def fail() -> None:
        raise KeyError("nobody foresaw it")

    async def let_fail() -> None:
        runner.tasks.start(fail(), "a task of the bot")

    monkeypatch.setattr("dcacore.application.engine.runner.write", late)
    told = stage.loop.create_task(runner.turn(PauseRequested(stage.clock.now())))  # by what is no task of the bot's
    stage.run(0.1)
    stage.do(let_fail())
    stage.run(30)
    assert stage.running.engine.runners.get(BotId(BOT)) in {None, runner}
    monkeypatch.setattr("dcacore.application.engine.runner.write", real)
    stored.set_result(None)
    stage.run(30)
    assert told.done()
    stage.unforeseen.clear()
    now = stage.running.engine.runners[BotId(BOT)]
    assert now is not runner
    assert now.bot.wanted is Wanted.PAUSE
    stage.expect_position()


@pytest.mark.parametrize("exc", [ValueError("nobody has foreseen this"), ZeroDivisionError(), RecursionError()])
@pytest.mark.parametrize("is_noted", [True, False])
def test_f79_one_bots_exception_is_its_own(
    empty_stage: Stage, monkeypatch: pytest.MonkeyPatch, exc: Exception, is_noted: bool
) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(XYZ="100000")
    stage.add_bot("bad")
    stage.add_bot("good")
    stage.start("bad", "good", after=5)
    real = decide
    is_bad = True

    def broken(bot: Bot, event: Event) -> Decision:
        if bot.id == "bad" and is_bad and not (is_noted and isinstance(event, Failed)):
            raise exc
        return real(bot, event)

    monkeypatch.setattr("dcacore.application.engine.runner.decide", broken)
    stage.move("90", after=60)
    assert stage.deal("good").filled_safety_orders == 1
    stage.expect_position("good")
    is_bad = False
    assert stage.unforeseen  # it is in the log, with its traceback
    stage.unforeseen.clear()
    stage.run(120)
    if not is_noted:  # nothing of it could be decided: it was brought up anew, again and again
        stage.expect_position("bad")
        return
    assert stage.trouble("bad") == "error"
    stage.ask(RequestKind.RETRY, "bad", after=60)
    assert stage.deal("bad").filled_safety_orders == 1
    stage.expect_position("bad")


def test_f80_a_bot_that_cannot_be_loaded_does_not_keep_the_others(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(XYZ="100000")
    for name in ("bad", "good", "other"):
        stage.add_bot(name)
    stage.start("bad", "good", "other", after=5)
    stage.stop_engine()
    running = stage.start_engine()
    running.store.broken[BotId("bad")] = StoreError("bot bad: its deal cannot be read")
    stage.move("90", after=30)
    for name in ("good", "other"):
        assert stage.deal(name).filled_safety_orders == 1
        stage.expect_position(name)
    running.store.broken.clear()
    stage.run(90)
    assert stage.deal("bad").filled_safety_orders == 1
    stage.expect_position("bad")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("phase", "nonsense"),
        ("strategy", "{"),
        ("total_profit", "abc"),
        ("price", "sNaN"),
        ("price", "NaN"),
        ("wanted", ""),
        ("market", "[]"),
    ],
)
def test_f80_a_bot_whose_row_makes_no_sense_does_not_keep_the_others(
    empty_stage: Stage, tmp_path: Path, column: str, value: str
) -> None:
    stage, file = empty_stage, tmp_path / "live.db"
    upgrade(f"sqlite:///{file}")
    store = on_file(stage, file)
    stage.list_pair()
    stage.open_account(XYZ="100000")
    stage.add_bot("bad")
    stage.add_bot("good")
    stage.start("bad", "good", after=5)
    stage.stop_engine()
    stage.do(store.close())
    with sqlite3.connect(file) as raw:
        raw.execute("PRAGMA ignore_check_constraints = ON")
        raw.execute(f"UPDATE bot SET {column} = ? WHERE id = 'bad'", [value])
    raw.close()
    store = on_file(stage, file)
    stage.start_engine()
    stage.move("90", after=60)
    assert stage.deal("good").filled_safety_orders == 1
    stage.expect_position("good")
    assert any(line["event"] in {"bot_not_loaded", "bot_broken"} for line in stage.logged) or value == "NaN"
    stage.unforeseen.clear()
    stage.is_checked = False
    stage.stop_engine()
    stage.do(store.close())


@pytest.fixture
def full_disk_log() -> Iterator[None]:
    """Log as programs do, to a file that has no room."""
    handle = os.open("/dev/full", os.O_WRONLY)
    lines = Lines(handle)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dcacore.bootstrap.logs.Lines", lambda: lines)
        configure_logs(Settings())
    yield
    lines.close()
    os.close(handle)


def test_f84_a_log_that_cannot_be_written_stops_nothing(stage: Stage, full_disk_log: None) -> None:
    stage.start(after=5)
    stage.wire().on("place", lost_reply, when=of_role(Role.TAKE_PROFIT))
    stage.move("90", after=60)
    assert stage.deal().filled_safety_orders == 1
    stage.expect_position()


def test_f83_an_exchange_that_never_answers_one_bot_stops_no_other(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(XYZ="100000")
    stage.add_bot("held")
    stage.add_bot("free")
    stage.wire().on("place", slow(before=86_400), when=lambda order: "-held-" in order.id)
    stage.start("held", "free", after=30)
    stage.move("90", after=60)
    assert stage.deal("free").filled_safety_orders == 1
    stage.expect_position("free")
    assert any(line["event"] for line in stage.logged)
