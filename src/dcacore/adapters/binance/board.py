"""The last price of each pair, and everybody who reads prices."""

from __future__ import annotations

from collections.abc import AsyncIterator

from dcacore.ports.prices import Tick
from dcacore.ports.tick_box import TickBox


class Board:
    """Hands ticks on; each reader has a box of its own, so that a slow one keeps nobody waiting."""

    def __init__(self) -> None:
        self._last: dict[str, Tick] = {}
        self._boxes: list[TickBox] = []

    def tell(self, tick: Tick) -> None:
        """Hand a tick on."""
        if tick.price is not None:
            self._last[tick.pair] = tick
        for box in self._boxes:
            box.put(tick)

    def fail(self, why: BaseException) -> None:
        """Let everybody's reading end with *why*."""
        for box in self._boxes:
            box.fail(why)

    def last(self, pair: str) -> Tick | None:
        """Return the last tick of *pair* with a price."""
        return self._last.get(pair)

    def forget(self, pair: str) -> None:
        """Forget what *pair* cost."""
        self._last.pop(pair, None)

    def ticks(self) -> AsyncIterator[Tick]:
        """Yield what each pair cost last, and then each tick."""
        box = TickBox()
        self._boxes.append(box)
        for pair in sorted(self._last):
            box.put(self._last[pair])

        async def told() -> AsyncIterator[Tick]:
            try:
                while True:
                    yield await box.get()
            finally:
                self._boxes.remove(box)

        return told()
