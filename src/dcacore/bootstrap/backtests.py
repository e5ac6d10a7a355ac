"""Backtests in the background: each in a process of its own, so that an engine here is not kept from its work."""

from __future__ import annotations

import asyncio
import datetime
import multiprocessing
from collections.abc import Mapping
from enum import Enum
from multiprocessing.connection import Connection
from typing import Any, Final

import attrs

from dcacore.application.refusals import NotFound
from dcacore.domain.errors import DcaError, NotNow
from dcacore.domain.ids import UserId
from dcacore.domain.market import Market
from dcacore.domain.numbers import Number
from dcacore.ports.bot_file import BotFile
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.intervals import DAY_MS

AT_ONCE: Final = 2
"""How many of a user may wait or run."""
KEPT: Final = 10
"""How many of a user are remembered."""
LONGEST_S: Final = 900
"""How long one may run."""
_KEPT_IN_ALL: Final = 500
_GAP_MS: Final = DAY_MS


class JobState(Enum):
    """How a backtest stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class Order:
    """What is played.

    Attributes:
        bot: the bot.
        market: the rules of its market.
        data_dir: folder of the candle store.
        interval: which candles of it.
        from_ms: where to start, Unix milliseconds; None is the first candle.
        to_ms: before which time to end; None is after the last.
        path: which of a candle's extremes comes first.
        slippage: how far a market order's price moves against it, as a fraction.
        balance: quote that the bot has; None is without limit.
    """

    bot: BotFile
    market: Market
    data_dir: str
    interval: str
    from_ms: int | None = None
    to_ms: int | None = None
    path: str = "nearest"
    slippage: Number = 0
    balance: Number | None = None


@attrs.frozen(kw_only=True)
class Job:
    """A backtest that was asked for.

    Attributes:
        id: names it.
        user_id: whose.
        asked_at: when.
        state: how it stands.
        result: the values of `dca backtest --json` when it is done; None otherwise.
        warnings: what to know before believing it.
        failure: why it failed; empty otherwise.
    """

    id: str
    user_id: UserId
    asked_at: datetime.datetime
    state: JobState = JobState.QUEUED
    result: Mapping[str, object] | None = None
    warnings: tuple[str, ...] = ()
    failure: str = ""


def play(order: Order) -> tuple[Mapping[str, object], tuple[str, ...]]:
    """Return the report of a backtest as JSON values, and its warnings.

    Raises:
        DcaError: it cannot be played; the text says why.
    """
    from dcacore import bootstrap
    from dcacore.application.playable import playable
    from dcacore.backtest import played
    from dcacore.backtest.as_json import report_as_json

    store = bootstrap.candle_store(order.data_dir)
    candles = store.load(order.bot.strategy.pair, order.interval, order.from_ms, order.to_ms)
    found = playable(candles, from_ms=order.from_ms, to_ms=order.to_ms, max_gap_ms=_GAP_MS)
    done = played.play(order.bot, order.market, found, path=order.path, slippage=order.slippage, balance=order.balance)
    return report_as_json(done.report), done.warnings


def _child(sending: Connection, order: Order) -> None:
    """Play in this process, and send what came of it; errors go as text, as not all of them can be packed."""
    try:
        result, warnings = play(order)
    except DcaError as exc:
        sending.send((None, (), str(exc)))
    else:
        sending.send((result, warnings, ""))


@attrs.define(eq=False)
class Backtests:
    """Plays backtests, one at a time, and remembers the last ones of each user until the program ends.

    Attributes:
        clock: says when.
        ids: names them.
    """

    clock: Clock
    ids: Ids
    _jobs: dict[str, Job] = attrs.field(factory=dict, init=False)
    _tasks: set[asyncio.Task[None]] = attrs.field(factory=set, init=False)
    _turn: asyncio.Semaphore = attrs.field(factory=lambda: asyncio.Semaphore(1), init=False)

    def begin(self, user_id: UserId, order: Order) -> Job:
        """Return a backtest that has just been queued.

        Raises:
            NotNow: as many of the user's are under way as there may be.
        """
        mine = [job for job in self._jobs.values() if job.user_id == user_id]
        if sum(job.state in {JobState.QUEUED, JobState.RUNNING} for job in mine) >= AT_ONCE:
            raise NotNow(f"{AT_ONCE} backtests of yours are under way: wait for one of them")
        ended = [job for job in mine if job.state in {JobState.DONE, JobState.FAILED}]
        for job in ended[: max(0, len(ended) - KEPT + 1)]:
            del self._jobs[job.id]
        if len(self._jobs) >= _KEPT_IN_ALL:
            self._forget_oldest()
        job = Job(id=self.ids.new(), user_id=user_id, asked_at=self.clock.now())
        self._jobs[job.id] = job
        task = asyncio.create_task(self._run(job, order), name=f"backtest {job.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def _forget_oldest(self) -> None:
        for job in self._jobs.values():
            if job.state in {JobState.DONE, JobState.FAILED}:
                del self._jobs[job.id]
                return

    def of(self, user_id: UserId, job_id: str) -> Job:
        """Return how the user's backtest stands.

        Raises:
            NotFound: the user has none of that id, or it has been forgotten.
        """
        job = self._jobs.get(job_id)
        if job is None or job.user_id != user_id:
            raise NotFound("backtest", job_id)
        return job

    async def close(self) -> None:
        """End all that are under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self, job: Job, order: Order) -> None:
        async with self._turn:
            self._jobs[job.id] = attrs.evolve(job, state=JobState.RUNNING)
            try:
                async with asyncio.timeout(LONGEST_S):
                    result, warnings, failure = await _in_process(order)
            except TimeoutError:
                result, warnings, failure = None, (), f"it was ended after {LONGEST_S} s: play a shorter time"
            except (EOFError, OSError):
                result, warnings, failure = None, (), "its process has died"
            state = JobState.FAILED if result is None else JobState.DONE
            self._jobs[job.id] = attrs.evolve(job, state=state, result=result, warnings=warnings, failure=failure)


async def _in_process(order: Order) -> tuple[Mapping[str, object] | None, tuple[str, ...], str]:
    context: Any = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sending, order), daemon=True)
    with receiving:
        try:
            with sending:
                await asyncio.to_thread(process.start)
            told: tuple[Mapping[str, object] | None, tuple[str, ...], str] = await asyncio.to_thread(receiving.recv)
            return told
        finally:
            if process.pid is not None:
                process.kill()
                process.join()
                process.close()
