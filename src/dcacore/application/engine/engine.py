"""The supervisor: it hears what users ask, and sees that everything that should go on does."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Final

import attrs

from dcacore.application.engine.alarms import Alarms
from dcacore.application.engine.fleet import Fleet
from dcacore.application.engine.keeping_on import KeepingOn
from dcacore.application.engine.ownership import USUAL_PACE, Ownership, Pace
from dcacore.application.engine.runner import Runner
from dcacore.application.engine.surroundings import Surroundings, first_of, log
from dcacore.application.engine.watchdog import Watchdog
from dcacore.domain.ids import BotId, RequestId

REQUESTS_EVERY_S: Final = 1


@attrs.define(eq=False)
class Engine:
    """Runs bots: all that are to run over its database, or its share of them.

    `run` returns after `stop`, when what was on the wire has been answered and stored. Orders that rest on the exchange
    stay there; the next engine takes them up.

    Attributes:
        around: the ports it works with.
        ownership: decides which bots it acts for.
        pace: how often it claims bots, and when it gives them up.
        fleet: the bots that run here.
    """

    around: Surroundings
    ownership: Ownership
    pace: Pace = USUAL_PACE
    fleet: Fleet = attrs.field(init=False)
    _claimed_for: deque[RequestId] = attrs.field(factory=lambda: deque(maxlen=1000), init=False)
    _keeping_on: KeepingOn = attrs.field(init=False)
    _alarms: Alarms = attrs.field(init=False)
    _stopping: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _poked: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    def __attrs_post_init__(self) -> None:
        self._keeping_on = KeepingOn(self.around.clock)
        self._alarms = Alarms(self.around.clock)
        self.fleet = Fleet(self.around, self.ownership, self.pace, self._keeping_on, self._alarms)

    @property
    def runners(self) -> Mapping[BotId, Runner]:
        """The bots that run here."""
        return self.fleet.runners

    async def run(self) -> None:
        """Act for bots until `stop` is called.

        Raises:
            SchemaMismatch: the database is not this program's.
            StoreUnavailable: it cannot be reached at the start; later it is waited for.
        """
        await self.around.store.check()
        log.info("engine_started", engine=self.around.name)
        fleet = self.fleet
        self._keeping_on.start("alarms", self._alarms.run)
        self._keeping_on.start("requests", self._hear_users)
        self._keeping_on.start("ownership", fleet.share_out)
        watchdog = Watchdog(self.around, fleet.runners, fleet.places, fleet.watching.feed_of)
        self._keeping_on.start("watchdog", watchdog.run)
        await self._stopping.wait()
        log.info("engine_stopping", engine=self.around.name)
        await self._keeping_on.tasks.end()
        await fleet.end()
        log.info("engine_stopped", engine=self.around.name)

    def stop(self) -> None:
        """Let `run` come to its end."""
        self.fleet.ending()
        self._stopping.set()

    def poke(self) -> None:
        """Look at once for what users have asked."""
        self._poked.set()

    async def _hear_users(self) -> None:
        """Let bots hear what their users ask of them; what nobody here acts for is claimed for, once."""
        while True:
            async with self.around.store.begin(reads_only=True) as work:
                requests = await work.requests.waiting()
            elsewhere = []
            for request in requests:
                runner = self.fleet.runners.get(request.bot_id)
                if runner is None:
                    if not self.fleet.is_under_way(request.bot_id) and request.id not in self._claimed_for:
                        elsewhere.append(request.id)
                elif runner.is_reconciled and request.id not in runner.asked:
                    runner.asked.append(request.id)
                    runner.post(request)
            if elsewhere:  # a bot that another engine acts for stays there
                self._claimed_for.extend(elsewhere)
                await self.fleet.claim()
            self._poked.clear()
            wake = asyncio.ensure_future(self._poked.wait())
            pause = asyncio.ensure_future(self.around.clock.sleep(REQUESTS_EVERY_S))
            await first_of(wake, pause)
