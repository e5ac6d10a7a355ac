"""When accounts are compared with what the exchange holds: at start, after every gap, now and then; one at a time."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import attrs

from dcacore.application.engine.comparing import compare
from dcacore.application.engine.desk import Desk
from dcacore.application.engine.findings import Findings
from dcacore.application.engine.runner import Ended
from dcacore.application.engine.surroundings import Surroundings, log
from dcacore.application.engine.wire import Wire
from dcacore.domain.ids import AccountId
from dcacore.ports.errors import PortError

COMPARE_EVERY_S: Final = 45
_PAUSES_S: Final = (1, 2, 4, 8, 15)
_LONGEST_PAUSE_S: Final = 30


@attrs.define(eq=False)
class Comparisons:
    """Compares accounts, each with nothing else that compares it at the same time."""

    around: Surroundings
    _turns: defaultdict[AccountId, asyncio.Lock] = attrs.field(factory=lambda: defaultdict(asyncio.Lock), init=False)

    def after_gap(self, desk: Desk, reason: str) -> None:
        """Compare an account whose events come again after a gap; until that has worked no buy goes out."""
        desk.is_sure.clear()
        if desk.wires:
            desk.tasks.start(self._until_it_works(desk, reason), "comparison after a gap")

    async def _until_it_works(self, desk: Desk, cause: str) -> None:
        pauses = itertools.chain(_PAUSES_S, itertools.repeat(_LONGEST_PAUSE_S))
        while True:
            try:
                await self.of_all(desk, cause)
            except (Ended, PortError) as exc:
                log.warning("not_compared", account=desk.account.id, reason=str(exc))
                await self.around.clock.sleep(next(pauses))
            else:
                return

    async def now_and_then(self, desk: Desk) -> None:
        """Compare an account every 45 s, for ever, and see which troubles are over and which rules have changed."""
        while True:
            await self.around.clock.sleep(COMPARE_EVERY_S)
            try:
                await self.of_all(desk, "periodic")
            except PortError as exc:
                log.warning("not_compared", account=desk.account.id, reason=str(exc))
            await desk.look_after_troubles()
            await desk.refresh_rules()

    async def of_all(self, desk: Desk, cause: str) -> Findings:
        """Compare an account with all of its bots here.

        Raises:
            PortError: the exchange could not be asked, or the database not be written.
        """
        async with self._turns[desk.account.id]:
            wires = [wire for wire in desk.wires.values() if wire.runner.is_reconciled and not wire.runner.is_over]
            try:
                return await self._compare(desk, wires, cause)
            except Ended:
                return Findings()  # a bot broke off in the middle; the others are compared again in a moment

    async def of_some(self, desk: Desk, wires: Sequence[Wire], cause: str) -> Findings:
        """Compare an account with these of its bots.

        Raises:
            PortError: the exchange could not be asked, or the database not be written.
            Ended: a bot broke off in the middle.
        """
        async with self._turns[desk.account.id]:
            return await self._compare(desk, wires, cause)

    async def _compare(self, desk: Desk, wires: Sequence[Wire], cause: str) -> Findings:
        gaps = desk.gaps
        findings = await compare(desk, wires, cause)
        going_on = [it for it in desk.wires.values() if it.runner.is_reconciled and not it.runner.is_over]
        if desk.gaps == gaps and all(wire in wires for wire in going_on):
            desk.is_sure.set()  # else what has been missed may not be in what was compared
        return findings
