"""Who waits to be let out: the more urgent ranks first, and in each rank one account after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from dcacore.adapters.binance.calls import Call, Rank

_Line = deque[tuple[Call, "asyncio.Future[None]"]]


class Lines:
    """The calls that wait."""

    def __init__(self) -> None:
        self._ranks: dict[Rank, dict[str, _Line]] = {Rank.ORDER: {}, Rank.READING: {}, Rank.PERIODIC: {}}

    def has(self, rank: Rank) -> bool:
        """Say whether anybody of that rank waits."""
        return any(self._ranks[rank].values())

    @property
    def is_empty(self) -> bool:
        """Whether nobody waits."""
        return not any(self.has(rank) for rank in self._ranks)

    async def wait(self, call: Call, who: str) -> None:
        """Return when the call has been let out; who gives up waiting leaves the line.

        Raises:
            PortError: as `refuse` was told.
        """
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line = self._ranks[call.rank].setdefault(who, deque())
        entry = (call, admitted)
        line.append(entry)
        try:
            await admitted
        except asyncio.CancelledError:
            if entry in line:
                line.remove(entry)
            raise

    def let_out(self, take: Callable[[Call], bool]) -> None:
        """Let out what *take* takes; in each rank what is taken last waits first the next time."""
        for lines in self._ranks.values():
            _let_out_in_turn(lines, take)

    def refuse(self, why: Callable[[], Exception]) -> None:
        """Let nobody wait any more."""
        for lines in self._ranks.values():
            for line in lines.values():
                for _, admitted in line:
                    if not admitted.done():
                        admitted.set_exception(why())
                line.clear()


def _let_out_in_turn(lines: dict[str, _Line], take: Callable[[Call], bool]) -> None:
    while waiting := [who for who, line in lines.items() if line]:
        for who in waiting:
            call, admitted = lines[who][0]
            if not admitted.done():
                if not take(call):
                    return
                admitted.set_result(None)
            lines[who].popleft()
            lines[who] = lines.pop(who)
    lines.clear()
