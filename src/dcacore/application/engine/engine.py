"""The supervisor: which bots run here, what their users ask of them, and that everything that should go on does."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from dcacore.application.engine.alarms import Alarms
from dcacore.application.engine.bringing_up import BringingUp
from dcacore.application.engine.desk import Desk
from dcacore.application.engine.feed import Feed
from dcacore.application.engine.ownership import USUAL_PACE, Ownership, Pace
from dcacore.application.engine.patience import Hold
from dcacore.application.engine.runner import Runner
from dcacore.application.engine.surroundings import Surroundings, Tasks, first_of, log
from dcacore.application.engine.watchdog import Watchdog
from dcacore.application.engine.watching import Watching
from dcacore.application.engine.wire import Wire
from dcacore.domain.bot import Phase, TroubleKind
from dcacore.domain.commands import Command
from dcacore.domain.errors import DcaError
from dcacore.domain.ids import AccountId, BotId, RequestId
from dcacore.domain.money import Price
from dcacore.ports.errors import LeaseLost, PortError, StoreError, Unavailable
from dcacore.ports.records import Environment, Lease

REQUESTS_EVERY_S: Final = 1
COMPARE_EVERY_S: Final = 45
END_WITHIN_S: Final = 10
LISTENS_WITHIN_S: Final = 20
FORGIVEN_AFTER_S: Final = 300
BACKOFF_S: Final = (1, 2, 4, 8, 15, 30)


@attrs.define(eq=False)
class Engine:
    """Runs bots: all that are to run over its database, or its share of them.

    `run` returns after `stop`, when what was on the wire has been answered and stored. Orders that rest on the exchange
    stay there; the next engine takes them up.

    Attributes:
        around: the ports it works with.
        ownership: decides which bots it acts for.
        pace: how often it claims bots, and when it gives them up.
        runners: the bots that run here.
    """

    around: Surroundings
    ownership: Ownership
    pace: Pace = USUAL_PACE
    runners: dict[BotId, Runner] = attrs.field(factory=dict, init=False)
    _desks: dict[AccountId, Desk] = attrs.field(factory=dict, init=False)
    _feeds: dict[Environment, Feed] = attrs.field(factory=dict, init=False)
    _holds: dict[Environment, Hold] = attrs.field(factory=dict, init=False)
    _claimed_for: deque[RequestId] = attrs.field(factory=lambda: deque(maxlen=1000), init=False)
    _leases: Mapping[BotId, Lease | None] = attrs.field(factory=dict, init=False)
    _claimed: set[BotId] = attrs.field(factory=set, init=False)  # and not given back
    _breaks: dict[BotId, tuple[int, float]] = attrs.field(factory=dict, init=False)  # how many, and when the last
    _coming: set[BotId] = attrs.field(factory=set, init=False)
    _arrivals: Counter[BotId] = attrs.field(factory=Counter, init=False)
    _leaving: set[BotId] = attrs.field(factory=set, init=False)
    _tasks: Tasks = attrs.field(factory=Tasks, init=False)
    _alarms: Alarms = attrs.field(init=False)
    _watching: Watching = attrs.field(init=False)
    _bringing_up: BringingUp = attrs.field(init=False)
    _stopping: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _poked: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    def __attrs_post_init__(self) -> None:
        self._alarms = Alarms(self.around.clock)
        self._watching = Watching(self.around, self._alarms)
        self._bringing_up = BringingUp(self.around, self._watching)

    # -------------------------------------------------------------------------------------------------- from outside

    async def run(self) -> None:
        """Act for bots until `stop` is called.

        Raises:
            SchemaMismatch: the database is not this program's.
            StoreUnavailable: it cannot be reached at the start; later it is waited for.
        """
        await self.around.store.check()
        log.info("engine_started", engine=self.around.name)
        self._keep_going("alarms", self._alarms.run)
        self._keep_going("requests", self._hear_users)
        self._keep_going("ownership", self._share_out)
        watchdog = Watchdog(self.around, self.runners, self._feeds, self._watching.feed_of)
        self._keep_going("watchdog", watchdog.run)
        await self._stopping.wait()
        await self._end()

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._stopping.set()

    def poke(self) -> None:
        """Look at once for what users have asked."""
        self._poked.set()

    # --------------------------------------------------------------------------------------------------- keeping on

    def _keep_going(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._tasks.start(self._forever(name, work), name)

    async def _forever(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run *work* again whenever it ends, however it does: the one place that survives what nobody foresaw."""
        failures = 0
        while True:
            began = self.around.clock.monotonic()
            try:
                await work()
                log.warning("task_ended", task=name)
            except Exception as exc:  # noqa: BLE001 - the supervisor: one task's failure must not end the others
                is_foreseen = isinstance(exc, DcaError)
                log.error("task_failed", task=name, reason=str(exc), exc_info=not is_foreseen)
            if self.around.clock.monotonic() - began > FORGIVEN_AFTER_S:
                failures = 0
            await self.around.clock.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
            failures += 1

    async def _end(self) -> None:
        log.info("engine_stopping", engine=self.around.name)
        await self._tasks.end()
        retiring = [asyncio.ensure_future(runner.retire()) for runner in self.runners.values()]
        if retiring:
            await asyncio.wait(retiring, timeout=END_WITHIN_S)
        for runner in self.runners.values():
            runner.is_over = True
            await runner.tasks.end()
        for task in retiring:
            await task
        for desk in self._desks.values():
            await desk.tasks.end()
        try:
            await self.ownership.leave()
        except StoreError as exc:
            log.warning("leases_not_released", reason=str(exc))
        log.info("engine_stopped", engine=self.around.name)

    # ---------------------------------------------------------------------------------------------------- who runs

    async def _share_out(self) -> None:
        """Claim bots now and then, take up the new ones and let go of those that others act for."""
        while True:
            try:
                await self._claim()
            except StoreError as exc:
                log.warning("not_claimed", reason=str(exc))
            await self.around.clock.sleep(self.pace.look_every_s)

    async def _claim(self) -> None:
        began = self.around.clock.monotonic()
        async with self.around.store.begin(reads_only=True) as work:
            wanted = await work.bots.to_run()
        self._leases = await self.ownership.claim(wanted)
        self._claimed.update(self._leases)
        if any(lease is not None for lease in self._leases.values()):
            left = began + self.pace.give_up_after_s - self.around.clock.monotonic()
            self._alarms.set("leases", left, self._give_up)
        else:
            self._alarms.drop("leases")
        self._let_go([bot_id for bot_id in self.runners if bot_id not in self._leases])
        for runner in tuple(self.runners.values()):
            bot_id = runner.bot.id
            if bot_id in self._leases and runner.lease != self._leases[bot_id] and bot_id not in self._leaving:
                runner.break_off(LeaseLost("another engine acted for it meanwhile"))
        busy = self.runners.keys() | self._coming | self._leaving
        self._take_up([bot_id for bot_id in self._leases if bot_id not in busy])
        await self._release(self._claimed - self._leases.keys() - busy)

    def _give_up(self) -> None:
        """Act for none any more: the leases may run out, and others may act for these bots."""
        log.error("leases_not_renewed", seconds=self.pace.give_up_after_s)
        self._leases = {}
        self._let_go(tuple(self.runners))

    async def _release(self, bot_ids: Iterable[BotId]) -> None:
        gone = tuple(bot_ids)
        try:
            await self.ownership.release(gone)
        except StoreError as exc:  # it is tried again after the next claim
            log.warning("leases_not_released", reason=str(exc))
        else:
            self._claimed.difference_update(gone)

    def _take_up(self, bot_ids: Sequence[BotId], after_s: float = 0) -> None:
        if bot_ids:
            self._coming.update(bot_ids)
            self._tasks.start(self._bring_up(tuple(bot_ids), after_s), "bringing up")

    async def _bring_up(self, bot_ids: tuple[BotId, ...], after_s: float) -> None:
        """Find out where the bots trade, and take them up account by account: none waits for another's."""
        pauses = itertools.chain((after_s,), BACKOFF_S, itertools.repeat(BACKOFF_S[-1]))
        while bot_ids := self._still_coming(bot_ids):
            await self.around.clock.sleep(next(pauses))
            try:
                accounts = await self._bringing_up.by_account(bot_ids)
            except DcaError as exc:
                log.warning("bots_not_read", bots=bot_ids, reason=str(exc))
                continue
            for account_id, of_account in accounts.items():
                taking = self._bring_up_account(account_id, tuple(of_account))
                self._tasks.start(taking, f"bringing up {account_id}")
            bot_ids = tuple(it for it in bot_ids if not any(it in of_account for of_account in accounts.values()))

    async def _bring_up_account(self, account_id: AccountId, bot_ids: tuple[BotId, ...]) -> None:
        pauses = itertools.chain(BACKOFF_S, itertools.repeat(BACKOFF_S[-1]))
        arrivals = {bot_id: self._arrivals[bot_id] for bot_id in bot_ids}
        while bot_ids := self._still_coming(bot_ids):
            # one that has arrived and broken off since is coming by another way
            bot_ids = tuple(it for it in bot_ids if arrivals[it] == self._arrivals[it])
            try:
                await self._bringing_up.bring_up(self, account_id, bot_ids)
            except Exception as exc:  # noqa: BLE001 - the supervisor: these bots wait, the others go on
                log.error("bots_not_up", bots=bot_ids, reason=str(exc), exc_info=not isinstance(exc, DcaError))
            bot_ids = tuple(it for it in bot_ids if arrivals[it] == self._arrivals[it])
            if self._still_coming(bot_ids):
                await self.around.clock.sleep(next(pauses))

    def _still_coming(self, bot_ids: Iterable[BotId]) -> tuple[BotId, ...]:
        """Return those of the bots that this engine may still take up, and forget the others."""
        ids = tuple(bot_ids)
        self._coming.difference_update(it for it in ids if it not in self._leases)
        return tuple(it for it in ids if it in self._coming)

    def _let_go(self, bot_ids: Sequence[BotId]) -> None:
        for bot_id in bot_ids:
            if bot_id in self.runners and bot_id not in self._leaving:
                self._leaving.add(bot_id)
                self._tasks.start(self._retire(self.runners[bot_id]), f"letting go of {bot_id}")

    async def _retire(self, runner: Runner) -> None:
        bot_id = runner.bot.id
        try:
            self._watching.forget(runner)
            await runner.retire()
            self._forget(runner)
            if bot_id not in self._leases:
                await self._release([bot_id])
        finally:
            self._leaving.discard(bot_id)

    def _forget(self, runner: Runner) -> None:
        bot_id = runner.bot.id
        if self.runners.get(bot_id) is runner:
            del self.runners[bot_id]
        desk = self._desks.get(runner.record.account_id)
        if desk is not None and (wire := desk.wires.get(bot_id)) is not None and wire.runner is runner:
            del desk.wires[bot_id]

    # ----------------------------------------------------------------------------------------- what a runner calls

    def after_turn(self, runner: Runner, commands: Sequence[Command]) -> None:
        """Let go out what a turn wants to go out, and watch for what it wants to be told."""
        desk = self._desks[runner.record.account_id]
        desk.wires[runner.bot.id].carry_out(commands)
        self._watching.watch(runner, desk)
        trouble = runner.bot.trouble
        may_start = trouble is None or trouble.kind is TroubleKind.WAITING_FOR_BALANCE
        if runner.bot.phase is Phase.STARTING and may_start and not runner.is_closing:
            self._bringing_up.check(self, runner)

    def after_break(self, runner: Runner, exc: Exception) -> None:
        """Take a bot up anew whose database failed it in the middle of a turn."""
        log.warning("bot_interrupted", bot=runner.bot.id, reason=str(exc))
        self._watching.forget(runner)
        self._tasks.start(self._replace(runner), f"replacing {runner.bot.id}")

    async def _replace(self, runner: Runner) -> None:
        self._leaving.add(runner.bot.id)
        try:
            await runner.tasks.wait()
            self._forget(runner)
        finally:
            self._leaving.discard(runner.bot.id)
        if runner.bot.id in self._leases and not self._stopping.is_set():
            self._take_up([runner.bot.id], after_s=self._pause_after_break(runner.bot.id))

    def _pause_after_break(self, bot_id: BotId) -> float:
        """Return how long a bot waits that has broken off: longer each time, if it did lately."""
        now = self.around.clock.monotonic()
        count, last = self._breaks.get(bot_id, (0, now))
        count = 1 if now - last > FORGIVEN_AFTER_S else count + 1
        self._breaks[bot_id] = (count, now)
        return BACKOFF_S[min(count, len(BACKOFF_S)) - 1]

    async def desk(self, account_id: AccountId) -> Desk:
        """Return the account's desk, listening to its events.

        Raises:
            PortError: the account cannot be opened now.
        """
        if account_id not in self._desks:
            async with self.around.store.begin(reads_only=True) as work:
                account = await work.accounts.get(account_id)
            if account is None:
                raise StoreError(f"there is no account {account_id}")
            exchange = await self.around.venues.exchange(account)
            hold = self._holds.setdefault(account.environment, Hold())
            if account_id not in self._desks:
                desk = self._desks[account_id] = Desk(self.around, account, exchange, hold, self._bringing_up.after_gap)
                desk.tasks.start(self._forever(f"events of {account_id}", desk.listen), "account events")
                comparing = self._forever(f"comparisons of {account_id}", lambda: self._compare_now_and_then(desk))
                desk.tasks.start(comparing, "comparisons")
        desk = self._desks[account_id]
        try:
            async with asyncio.timeout(LISTENS_WITHIN_S):
                await desk.is_listening.wait()
        except TimeoutError as exc:
            raise desk.failure or Unavailable("the account's events do not come") from exc
        return desk

    async def feed(self, environment: Environment) -> Feed:
        """Return the environment's prices, flowing.

        Raises:
            PortError: they cannot be reached now.
        """
        if environment not in self._feeds:
            prices = await self.around.venues.prices(environment)
            if environment not in self._feeds:
                feed = self._feeds[environment] = Feed(self.around, environment, prices, self._fire)
                self._keep_going(f"prices of {environment.value}", feed.listen)
        return self._feeds[environment]

    def acts_for(self, bot_id: BotId) -> bool:
        """Say whether this engine acts for the bot now."""
        return bot_id in self._leases

    def lease(self, bot_id: BotId) -> Lease | None:
        """Return the lease under which this engine acts for the bot; None where there are no leases.

        Raises:
            LeaseLost: it does not act for the bot any more.
        """
        if bot_id not in self._leases:
            raise LeaseLost(f"this engine does not act for bot {bot_id} any more")
        return self._leases[bot_id]

    def arrived(self, wire: Wire, desk: Desk) -> None:
        """Note that a bot is up."""
        runner = wire.runner
        self.runners[runner.bot.id] = runner
        desk.wires[runner.bot.id] = wire
        self._coming.discard(runner.bot.id)
        self._arrivals[runner.bot.id] += 1

    def _fire(self, bot_id: BotId, price: Price) -> None:
        runner = self.runners.get(bot_id)
        if runner is not None:
            self._watching.fire(runner, price)

    # ------------------------------------------------------------------------------------------- what goes on always

    async def _hear_users(self) -> None:
        while True:
            async with self.around.store.begin(reads_only=True) as work:
                requests = await work.requests.waiting()
            elsewhere = []
            for request in requests:
                runner = self.runners.get(request.bot_id)
                if runner is None:
                    if request.bot_id not in self._coming | self._leaving and request.id not in self._claimed_for:
                        elsewhere.append(request.id)
                elif runner.is_reconciled and request.id not in runner.asked:
                    runner.asked.append(request.id)
                    runner.post(request)
            if elsewhere:  # once for each: a bot that another engine acts for stays there
                self._claimed_for.extend(elsewhere)
                await self._claim()
            self._poked.clear()
            wake = asyncio.ensure_future(self._poked.wait())
            pause = asyncio.ensure_future(self.around.clock.sleep(REQUESTS_EVERY_S))
            await first_of(wake, pause)

    async def _compare_now_and_then(self, desk: Desk) -> None:
        while True:
            await self.around.clock.sleep(COMPARE_EVERY_S)
            try:
                await self._bringing_up.compare(desk, "periodic")
            except PortError as exc:
                log.warning("not_compared", account=desk.account.id, reason=str(exc))
            await desk.look_after_troubles()
