"""Which streams each connection has been told to send, a few messages a second at most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from dcacore.adapters.binance.frames import stream_of
from dcacore.adapters.binance.link import Dead, Link
from dcacore.adapters.binance.pace import Pace
from dcacore.ports.clock import Clock

STREAMS_A_MESSAGE: Final = 100


class Subscriptions:
    """Keeps the pairs of each connection."""

    def __init__(self, clock: Clock, pace: Pace) -> None:
        self._clock = clock
        self._pace = pace
        self._pairs: dict[Link, set[str]] = {}

    def begin(self, link: Link) -> None:
        """Begin with a connection that sends nothing yet; those that have ended are forgotten."""
        self._pairs = {it: pairs for it, pairs in self._pairs.items() if not it.ended.done()}
        self._pairs[link] = set()

    def of(self, link: Link) -> frozenset[str]:
        """Return the pairs that the connection sends, as far as is known.

        Raises:
            Dead: it has ended, and another has begun.
        """
        return frozenset(self._known(link))

    def _known(self, link: Link) -> set[str]:
        if link not in self._pairs:
            raise Dead("the connection has ended")
        return self._pairs[link]

    async def settle(self, link: Link, wanted: frozenset[str]) -> frozenset[str]:
        """Let the connection send *wanted* and nothing else; return what it has not sent before.

        Raises:
            Dead: the exchange does not do it.
        """
        has = self._known(link)
        too_many, missing = has - wanted, wanted - has
        for pairs in _batches(too_many):
            await self._say(link, "UNSUBSCRIBE", pairs)
            has.difference_update(pairs)
        for pairs in _batches(missing):
            await self._say(link, "SUBSCRIBE", pairs)
            has.update(pairs)
        return frozenset(missing)

    async def confirm(self, link: Link) -> frozenset[str]:
        """Return the pairs that the exchange itself says it sends; those that it has forgotten are no longer counted.

        Raises:
            Dead: it does not answer.
        """
        answer = await link.ask({"method": "LIST_SUBSCRIPTIONS"})
        listed = answer.get("result")
        if not isinstance(listed, list):
            raise Dead("the exchange does not say what it streams")
        names = {name for name in listed if isinstance(name, str)}
        self._pairs[link] = {pair for pair in self._known(link) if stream_of(pair) in names}
        await self._clock.sleep(self._pace.between_messages)
        return self.of(link)

    async def _say(self, link: Link, method: str, pairs: list[str]) -> None:
        answer = await link.ask({"method": method, "params": [stream_of(pair) for pair in pairs]})
        if "result" not in answer:
            raise Dead(f"the exchange does not {method.lower()}")
        await self._clock.sleep(self._pace.between_messages)


def _batches(pairs: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(pairs)
    for first in range(0, len(ordered), STREAMS_A_MESSAGE):
        yield ordered[first : first + STREAMS_A_MESSAGE]
