"""What must go on whatever happens: tasks that are begun again whenever they end."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

import attrs

from dcacore.application.engine.surroundings import Tasks, log
from dcacore.domain.errors import DcaError
from dcacore.ports.clock import Clock

FORGIVEN_AFTER_S: Final = 300
"""After so long without a failure the pauses begin at the shortest again."""
BACKOFF_S: Final = (1, 2, 4, 8, 15, 30)
"""The pauses before something is tried again; the last one from then on."""


@attrs.define
class KeepingOn:
    """Runs tasks for ever.

    Attributes:
        clock: for the pauses.
        tasks: what goes on for the whole engine.
    """

    clock: Clock
    tasks: Tasks = attrs.field(factory=Tasks, init=False)

    def start(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Let *work* go on from now until the engine ends."""
        self.tasks.start(self.forever(name, work), name)

    async def forever(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run *work* again whenever it ends, however it does: the one place that survives what nobody foresaw."""
        failures = 0
        while True:
            began = self.clock.monotonic()
            try:
                await work()
                log.warning("task_ended", task=name)
            except Exception as exc:  # noqa: BLE001 - the supervisor: one task's failure must not end the others
                is_foreseen = isinstance(exc, DcaError)
                log.error("task_failed", task=name, reason=str(exc), exc_info=not is_foreseen)
            if self.clock.monotonic() - began > FORGIVEN_AFTER_S:
                failures = 0
            await self.clock.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
            failures += 1
