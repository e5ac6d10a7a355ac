"""The bots that run here: which ones this engine acts for, how they come, and how they leave."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from dcacore.application.engine.alarms import Alarms
from dcacore.application.engine.bringing_up import BringingUp
from dcacore.application.engine.comparisons import Comparisons
from dcacore.application.engine.desk import Desk
from dcacore.application.engine.keeping_on import BACKOFF_S, FORGIVEN_AFTER_S, KeepingOn
from dcacore.application.engine.ownership import Ownership, Pace
from dcacore.application.engine.places import Places
from dcacore.application.engine.runner import Runner
from dcacore.application.engine.surroundings import Surroundings, log
from dcacore.application.engine.triggers import Seen
from dcacore.application.engine.watching import Watching
from dcacore.application.engine.wire import Wire
from dcacore.domain.bot import Phase, TroubleKind
from dcacore.domain.commands import Command
from dcacore.domain.errors import DcaError
from dcacore.domain.ids import AccountId, BotId
from dcacore.domain.intents import Intent
from dcacore.ports.errors import LeaseLost, StoreError
from dcacore.ports.records import Lease

END_WITHIN_S: Final = 10


@attrs.define(eq=False)
class Fleet:
    """Claims bots, takes them up, and lets go of them.

    Attributes:
        around: the ports it works with.
        ownership: decides which bots this engine acts for.
        pace: how often bots are claimed, and when they are given up.
        keeping_on: the tasks of the engine.
        alarms: times to come.
        runners: the bots that run here.
        watching: tells them what they are to be told.
        places: where they trade.
    """

    around: Surroundings
    ownership: Ownership
    pace: Pace
    keeping_on: KeepingOn
    alarms: Alarms
    runners: dict[BotId, Runner] = attrs.field(factory=dict, init=False)
    watching: Watching = attrs.field(init=False)
    places: Places = attrs.field(init=False)
    _bringing_up: BringingUp = attrs.field(init=False)
    _wires: dict[BotId, Wire] = attrs.field(factory=dict, init=False)
    _leases: Mapping[BotId, Lease | None] = attrs.field(factory=dict, init=False)
    _claimed: set[BotId] = attrs.field(factory=set, init=False)  # and not given back
    _breaks: dict[BotId, tuple[int, float]] = attrs.field(factory=dict, init=False)  # how many, and when the last
    _coming: set[BotId] = attrs.field(factory=set, init=False)
    _arrivals: Counter[BotId] = attrs.field(factory=Counter, init=False)
    _leaving: set[BotId] = attrs.field(factory=set, init=False)
    _is_ending: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        comparisons = Comparisons(self.around)
        self.watching = Watching(self.around, self.alarms)
        self.places = Places(self.around, self.keeping_on, comparisons, self._fire)
        self._bringing_up = BringingUp(self.around, self.watching, self.places, comparisons, self)

    def is_under_way(self, bot_id: BotId) -> bool:
        """Say whether the bot is about to come, or to leave."""
        return bot_id in self._coming or bot_id in self._leaving

    # ---------------------------------------------------------------------------------------------- which ones it is

    async def share_out(self) -> None:
        """Claim bots now and then, take up the new ones and let go of those that others act for, for ever.

        Accounts that have a new key are opened anew, and their bots are taken up as after a start.
        """
        while True:
            try:
                await self.claim()
                await self._report_health()
                for desk in await self.places.with_new_keys():
                    await self._open_anew(desk)
            except StoreError as exc:
                log.warning("not_claimed", reason=str(exc))
            await self.around.clock.sleep(self.pace.look_every_s)

    async def _report_health(self) -> None:
        """Let other processes read how the ways to the exchanges are; nothing is written where none is measured."""
        if health := self.around.venues.health():
            async with self.around.store.begin() as work:
                await work.leases.report_health(self.around.name, health)
                await work.commit()

    async def claim(self) -> None:
        """Claim bots, take up the new ones and let go of those that others act for.

        Raises:
            StoreError: it is not known which ones; what was claimed before holds until its leases run out.
        """
        began = self.around.clock.monotonic()
        async with self.around.store.begin(reads_only=True) as work:
            wanted = await work.bots.to_run()
        self._leases = await self.ownership.claim(wanted)
        self._claimed.update(self._leases)
        if any(lease is not None for lease in self._leases.values()):
            left = began + self.pace.give_up_after_s - self.around.clock.monotonic()
            self.alarms.set("leases", left, self._give_up)
        else:
            self.alarms.drop("leases")
        self._let_go([bot_id for bot_id in self.runners if bot_id not in self._leases])
        for runner in tuple(self.runners.values()):
            bot_id = runner.bot.id
            if bot_id in self._leases and runner.lease != self._leases[bot_id] and bot_id not in self._leaving:
                runner.break_off(LeaseLost("another engine acted for it meanwhile"))
        busy = self.runners.keys() | self._coming | self._leaving
        self._take_up([bot_id for bot_id in self._leases if bot_id not in busy])
        await self._release(self._claimed - self._leases.keys() - busy)

    async def _open_anew(self, desk: Desk) -> None:
        """Leave a desk whose account has another key; its bots come back by the way of every start."""
        log.info("account_opened_anew", environment=desk.account.environment.value, account=desk.account.id)
        self.places.leave(desk)
        self._let_go(tuple(desk.wires))
        if not desk.wires:
            await self.places.clear(desk)

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

    # --------------------------------------------------------------------------------------------------- how they come

    def _take_up(self, bot_ids: Sequence[BotId], after_s: float = 0) -> None:
        if bot_ids:
            self._coming.update(bot_ids)
            self.keeping_on.tasks.start(self._bring_up(tuple(bot_ids), after_s), "bringing up")

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
                self.keeping_on.tasks.start(taking, f"bringing up {account_id}")
            bot_ids = tuple(it for it in bot_ids if not any(it in of_account for of_account in accounts.values()))

    async def _bring_up_account(self, account_id: AccountId, bot_ids: tuple[BotId, ...]) -> None:
        pauses = itertools.chain(BACKOFF_S, itertools.repeat(BACKOFF_S[-1]))
        arrivals = {bot_id: self._arrivals[bot_id] for bot_id in bot_ids}
        while bot_ids := self._still_coming(bot_ids):
            # one that has arrived and broken off since is coming by another way
            bot_ids = tuple(it for it in bot_ids if arrivals[it] == self._arrivals[it])
            try:
                await self._bringing_up.bring_up(account_id, bot_ids)
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

    def arrived(self, wire: Wire) -> None:
        """Note that a bot is up."""
        bot_id = wire.runner.bot.id
        self._wires[bot_id] = wire.desk.wires[bot_id] = wire
        self.runners[bot_id] = wire.runner
        self._coming.discard(bot_id)
        self._arrivals[bot_id] += 1

    # -------------------------------------------------------------------------------------------------- how they leave

    def _let_go(self, bot_ids: Sequence[BotId]) -> None:
        for bot_id in bot_ids:
            if bot_id in self.runners and bot_id not in self._leaving:
                self._leaving.add(bot_id)
                self.keeping_on.tasks.start(self._retire(self.runners[bot_id]), f"letting go of {bot_id}")

    async def _retire(self, runner: Runner) -> None:
        bot_id = runner.bot.id
        try:
            self.watching.forget(runner)
            await runner.retire()
            await self._forget(runner)
            if bot_id not in self._leases:
                await self._release([bot_id])
        finally:
            self._leaving.discard(bot_id)
        if bot_id in self._leases and not self._is_ending:
            self._take_up([bot_id])

    async def _forget(self, runner: Runner) -> None:
        bot_id = runner.bot.id
        wire = self._wires.get(bot_id)
        if wire is not None and wire.runner is runner:
            del self._wires[bot_id], self.runners[bot_id], wire.desk.wires[bot_id]
            if not (wire.desk.wires or self.places.is_open(wire.desk)):
                await self.places.clear(wire.desk)  # none of its bots is left here: they come back on another

    def after_break(self, runner: Runner, exc: Exception) -> None:
        """Take a bot up anew that has broken off: its database failed it, or one of its tasks."""
        log.warning("bot_interrupted", bot=runner.bot.id, reason=str(exc))
        self.watching.forget(runner)
        self.keeping_on.tasks.start(self._replace(runner), f"replacing {runner.bot.id}")

    async def _replace(self, runner: Runner) -> None:
        self._leaving.add(runner.bot.id)
        try:
            async with runner.guard:  # a turn that something else has begun is stored before the bot is read anew
                pass
            await runner.tasks.wait()
            await self._forget(runner)
        finally:
            self._leaving.discard(runner.bot.id)
        if runner.bot.id in self._leases and not self._is_ending:
            self._take_up([runner.bot.id], after_s=self._pause_after_break(runner.bot.id))

    def _pause_after_break(self, bot_id: BotId) -> float:
        """Return how long a bot waits that has broken off: longer each time, if it did lately."""
        now = self.around.clock.monotonic()
        count, last = self._breaks.get(bot_id, (0, now))
        count = 1 if now - last > FORGIVEN_AFTER_S else count + 1
        self._breaks[bot_id] = (count, now)
        return BACKOFF_S[min(count, len(BACKOFF_S)) - 1]

    def ending(self) -> None:
        """Take none up any more."""
        self._is_ending = True

    async def end(self) -> None:
        """Let go of all bots, when what is on the wire has been answered and stored, or after 10 s."""
        retiring = [asyncio.ensure_future(runner.retire()) for runner in tuple(self.runners.values())]
        if retiring:
            await asyncio.wait(retiring, timeout=END_WITHIN_S)
        for runner in tuple(self.runners.values()):
            runner.is_over = True
            await runner.tasks.end()
        await self.places.close()
        for task in retiring:
            await task
        try:
            await self.ownership.leave()
        except StoreError as exc:
            log.warning("leases_not_released", reason=str(exc))

    # ---------------------------------------------------------------------------------------------- what moves them

    def at_once(self, runner: Runner, intent: Intent) -> Intent:
        """Return an order of a turn that is about to be stored, marked as being sent if it can go out at once."""
        return self._wires[runner.bot.id].at_once(intent)

    def after_turn(self, runner: Runner, commands: Sequence[Command]) -> None:
        """Let go out what a turn wants to go out, and watch for what it wants to be told."""
        self.around.tally.turns += 1
        wire = self._wires[runner.bot.id]
        wire.carry_out(commands)
        self.watching.watch(runner, wire.desk)
        trouble = runner.bot.trouble
        may_start = trouble is None or trouble.kind is TroubleKind.WAITING_FOR_BALANCE
        if runner.bot.phase is Phase.STARTING and may_start and not runner.is_closing:
            self._bringing_up.check(runner)

    def _fire(self, bot_id: BotId, seen: Seen) -> None:
        runner = self.runners.get(bot_id)
        if runner is not None:
            self.watching.fire(runner, seen)
