"""Backtests in the background: candles that are missing are fetched, then each is played in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import attrs

from dcacore.application.download_plan import Wanted
from dcacore.application.editing import bot_text
from dcacore.application.refusals import NotFound
from dcacore.bootstrap import candle_store, fetching
from dcacore.bootstrap.app import App
from dcacore.bootstrap.playing import MAX_GAP_MS, Order, Told, play, play_apart, unpacked
from dcacore.domain.errors import DcaError, NotNow
from dcacore.domain.ids import UserId
from dcacore.ports.backtests import BacktestRun, Outcome, RunState
from dcacore.ports.errors import NoCandles, StoreError
from dcacore.ports.intervals import interval_ms
from dcacore.ports.store import Work

__all__ = ["AT_ONCE", "KEPT", "LONGEST_S", "Backtests", "Order", "play"]

AT_ONCE: Final = 2
"""How many of a user may wait or run."""
KEPT: Final = 50
"""How many of a user are kept: the newest."""
LONGEST_S: Final = 900
"""How long one may be played, and how long candles may be fetched for it."""
SEEN_EVERY_S: Final = 10
ABANDONED: Final = datetime.timedelta(minutes=1)
"""After so long without a sign of life, nobody plays it any more."""
_ENDED: Final = "the program that played it has ended: ask for it again"


@attrs.define(eq=False)
class Backtests:
    """Plays backtests, one at a time, and keeps the newest of each user.

    Attributes:
        app: where they are kept, and where candles come from.
    """

    app: App
    _tasks: dict[str, asyncio.Task[None]] = attrs.field(factory=dict, init=False)
    _percents: dict[str, int] = attrs.field(factory=dict, init=False)
    _turn: asyncio.Semaphore = attrs.field(factory=lambda: asyncio.Semaphore(1), init=False)
    _fetching: asyncio.Semaphore = attrs.field(factory=lambda: asyncio.Semaphore(1), init=False)

    async def begin(self, user_id: UserId, order: Order) -> BacktestRun:
        """Return a backtest that has just been queued.

        Raises:
            NotNow: as many of the user's are under way as there may be.
            NotFound: there is no such user.
        """
        now = self.app.clock.now()
        run = _asked(self.app.ids.new(), user_id, order, now)
        async with self.app.store.begin() as work:
            if await work.users.hold(user_id) is None:
                raise NotFound("user", user_id)
            mine = [await self._settled(work, it) for it in await work.backtests.of(user_id)]
            if sum(not it.state.has_ended for it in mine) >= AT_ONCE:
                raise NotNow(f"{AT_ONCE} backtests of yours are under way: wait for one of them")
            for old in [it for it in mine if it.state.has_ended][KEPT - 1 :]:
                await work.backtests.remove(user_id, old.id)
            await work.backtests.add(run)
            await work.commit()
        task = asyncio.create_task(self._run(run, order), name=f"backtest {run.id}")
        self._tasks[run.id] = task
        task.add_done_callback(lambda _: self._forget(run.id))
        return run

    async def of(self, user_id: UserId, run_id: str) -> BacktestRun:
        """Return how the user's backtest stands.

        Raises:
            NotFound: the user has none of that id, or it has been forgotten.
        """
        async with self.app.store.begin(reads_only=True) as work:
            found = await work.backtests.get(user_id, run_id)
        if found is None:
            raise NotFound("backtest", run_id)
        return self._as_it_is(found)

    async def all_of(self, user_id: UserId) -> tuple[BacktestRun, ...]:
        """Return the user's backtests, newest first."""
        async with self.app.store.begin(reads_only=True) as work:
            return tuple([self._as_it_is(it) for it in await work.backtests.of(user_id)])

    async def report(self, user_id: UserId, run_id: str) -> dict[str, Any] | None:
        """Return the values of `dca backtest --json`; None before it is done."""
        found = await self._outcome(user_id, run_id)
        return None if found is None else await asyncio.to_thread(unpacked, found.report)

    async def drawings(self, user_id: UserId, run_id: str) -> dict[str, Any] | None:
        """Return what its charts draw; None before it is done."""
        found = await self._outcome(user_id, run_id)
        return None if found is None else await asyncio.to_thread(unpacked, found.drawings)

    async def _outcome(self, user_id: UserId, run_id: str) -> Outcome | None:
        async with self.app.store.begin(reads_only=True) as work:
            return await work.backtests.outcome(user_id, run_id)

    def percent(self, run_id: str) -> int | None:
        """Return how much of what goes on is done; None when that is not known here."""
        return self._percents.get(run_id)

    async def remove(self, user_id: UserId, run_id: str) -> None:
        """End the user's backtest if it is under way, and forget it.

        Raises:
            NotFound: the user has none of that id.
        """
        async with self.app.store.begin() as work:
            if not await work.backtests.remove(user_id, run_id):
                raise NotFound("backtest", run_id)
            await work.commit()
        task = self._tasks.get(run_id)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def close(self) -> None:
        """End all that are under way; they are kept as failed."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _forget(self, run_id: str) -> None:
        self._tasks.pop(run_id, None)
        self._percents.pop(run_id, None)

    def _as_it_is(self, run: BacktestRun) -> BacktestRun:
        """Return the backtest, ended if the program that played it has."""
        is_alive = run.id in self._tasks or self.app.clock.now() - run.seen_at < ABANDONED
        if run.state.has_ended or is_alive:
            return run
        return attrs.evolve(run, state=RunState.FAILED, ended_at=run.seen_at, failure=_ENDED)

    async def _settled(self, work: Work, run: BacktestRun) -> BacktestRun:
        found = self._as_it_is(run)
        if found != run:
            await work.backtests.save(found)
        return found

    # ------------------------------------------------------------------------------------------------ one of them

    async def _run(self, run: BacktestRun, order: Order) -> None:
        seeing = asyncio.create_task(self._be_seen(run.id), name=f"backtest {run.id} lives")
        told = Told(failure=_ENDED)  # whatever happens: one that nobody plays must not look as if it went on
        try:
            told = await self._told(run, order)
        finally:
            await self._save(_ended(run, told, self.app.clock.now()), told.outcome)
            seeing.cancel()
            await asyncio.wait([seeing])

    async def _told(self, run: BacktestRun, order: Order) -> Told:
        try:
            note = await self._fetched(run, order)
            async with self._turn, asyncio.timeout(LONGEST_S):
                await self._save(attrs.evolve(run, state=RunState.RUNNING, seen_at=self.app.clock.now()))
                self._percents[run.id] = 0
                told = await play_apart(order, lambda percent: self._percents.update({run.id: percent}))
        except TimeoutError:
            return Told(failure=f"it was ended after {LONGEST_S} s: play a shorter time")
        except (EOFError, OSError):
            return Told(failure="its process has died")
        except DcaError as error:
            return Told(failure=str(error))
        if note and told.outcome is None:
            return Told(failure=note)
        return attrs.evolve(told, warnings=(*([note] if note else []), *told.warnings))

    async def _fetched(self, run: BacktestRun, order: Order) -> str:
        """Fetch what is missing, and return what to know about it; only closed candles are played."""
        if order.environment is None or order.from_ms is None or order.to_ms is None:
            return ""
        step = interval_ms(order.interval)
        end = min(order.to_ms, int(self.app.clock.now().timestamp() * 1000)) // step * step
        begin = -(-order.from_ms // step) * step
        if end <= begin:
            raise NoCandles(f"no {order.interval} candle has begun and closed in that time: take shorter candles")
        wanted = Wanted(pair=order.bot.strategy.pair, interval=order.interval, from_ms=begin, to_ms=end)
        store = candle_store(order.data_dir)
        await asyncio.to_thread(fetching.take_over, self.app, order.environment, wanted)
        parts = await asyncio.to_thread(fetching.missing, store, wanted, MAX_GAP_MS)
        if not parts:
            return ""
        async with self._fetching, asyncio.timeout(LONGEST_S):
            await self._save(attrs.evolve(run, state=RunState.FETCHING, seen_at=self.app.clock.now()))
            self._percents[run.id] = 0
            tell = _percents(lambda percent: self._percents.update({run.id: percent}))
            note = await fetching.fetch(self.app, order.environment, wanted, parts, tell)
        return note or await asyncio.to_thread(fetching.lacking, store, wanted, MAX_GAP_MS)

    async def _save(self, run: BacktestRun, outcome: Outcome | None = None) -> None:
        async with self.app.store.begin() as work:
            await work.backtests.save(run, outcome)
            await work.commit()

    async def _be_seen(self, run_id: str) -> None:
        while True:
            await asyncio.sleep(SEEN_EVERY_S)
            with contextlib.suppress(StoreError):
                async with self.app.store.begin() as work:
                    await work.backtests.see(run_id, self.app.clock.now())
                    await work.commit()


def _asked(run_id: str, user_id: UserId, order: Order, now: datetime.datetime) -> BacktestRun:
    return BacktestRun(
        id=run_id,
        user_id=user_id,
        asked_at=now,
        seen_at=now,
        name=order.bot.name,
        bot=bot_text(order.bot.name, order.bot.strategy, order.market, order.bot.fees),
        environment=order.environment,
        pair=order.market.pair,
        quote_asset=order.market.quote_asset,
        interval=order.interval,
        from_ms=order.from_ms,
        to_ms=order.to_ms,
        path=order.path,
        slippage=Decimal(order.slippage),
        balance=None if order.balance is None else Decimal(order.balance),
    )


def _ended(run: BacktestRun, told: Told, now: datetime.datetime) -> BacktestRun:
    return attrs.evolve(
        run,
        state=RunState.FAILED if told.outcome is None else RunState.DONE,
        seen_at=now,
        ended_at=now,
        warnings=told.warnings,
        failure=told.failure,
        figures=told.figures,
    )


def _percents(tell: Callable[[int], None]) -> Callable[[float], None]:
    return lambda share: tell(int(share * 100))
