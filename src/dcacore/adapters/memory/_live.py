"""Words within one process: each listener has what it has not heard yet, one word of each thing.

Whoever says a price only notes it: what is decided on it comes first. A moment later it is handed on, and the next ones
a quarter of a second apart at least, the last of each market, so that a lively market and many pages do not slow the
engine down.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

import attrs

from dcacore.domain.ids import BotId, UserId
from dcacore.ports.live import BotChanged, Listening, Live, Market, PriceMoved, Word

Later = Callable[[float, Callable[[], None]], object]
PACE_S: Final = 0.25
SOON_S: Final = 0.05
"""After how long a price is handed on that comes after a while without one: its orders have gone out by then."""
_Key = BotId | Market | None


@attrs.define(eq=False)
class MemoryListening(Listening):
    """What one page hears. Of each bot, of each market and of notifications one word is kept: the last."""

    hub: MemoryLive
    user_id: UserId
    markets: frozenset[Market] = frozenset()
    _words: dict[_Key, Word] = attrs.field(factory=dict, init=False)
    _news: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    def watch(self, markets: Collection[Market]) -> None:
        wanted = frozenset(markets)
        self.hub.move(self, self.markets, wanted)
        self.markets = wanted

    async def heard(self, timeout_s: float) -> tuple[Word, ...]:
        if not self._words:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._news.wait()
            except TimeoutError:
                return ()
        words = tuple(self._words.values())
        self._words.clear()
        self._news.clear()
        return words

    def put(self, word: Word) -> None:
        """Keep *word* until it is heard, in the place of an older one of the same thing."""
        self._words[_key(word)] = word
        self._news.set()


def _key(word: Word) -> _Key:
    if isinstance(word, PriceMoved):
        return word.environment, word.pair
    return word.bot_id if isinstance(word, BotChanged) else None


def _by_the_loop(seconds: float, call: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(seconds, call)


class MemoryLive(Live):
    """Carries words within this process."""

    def __init__(self, *, pace_s: float = PACE_S, later: Later | None = None) -> None:
        """Begin with nobody listening.

        Args:
            pace_s: how far apart prices are handed on.
            later: calls something after so many seconds; the running loop's unless given.
        """
        self._listening: defaultdict[UserId | Market, set[MemoryListening]] = defaultdict(set)
        self._prices: dict[Market, PriceMoved] = {}
        self._rests = False
        self._pace_s = pace_s
        self._later = later or _by_the_loop

    def say(self, word: Word) -> None:
        if isinstance(word, PriceMoved):
            market = word.environment, word.pair
            if market in self._listening:
                if not self._prices and not self._rests:
                    self._later(min(SOON_S, self._pace_s), self._hand_on)
                self._prices[market] = word
        else:
            self._tell(word.user_id, word)

    def _hand_on(self) -> None:
        prices, self._prices = self._prices, {}
        self._rests = bool(prices)
        if self._rests:
            self._later(self._pace_s, self._hand_on)
        for market, word in prices.items():
            self._tell(market, word)

    def _tell(self, concerned: UserId | Market, word: Word) -> None:
        for listener in self._listening.get(concerned, ()):
            listener.put(word)

    def listen(self, user_id: UserId) -> AbstractContextManager[MemoryListening]:
        return self._listener(user_id)

    @contextmanager
    def _listener(self, user_id: UserId) -> Iterator[MemoryListening]:
        listener = MemoryListening(self, user_id)
        self._listening[user_id].add(listener)
        try:
            yield listener
        finally:
            self._drop(user_id, listener)
            listener.watch(())

    def move(self, listener: MemoryListening, before: frozenset[Market], after: frozenset[Market]) -> None:
        """Let *listener* hear of other markets."""
        for market in before - after:
            self._drop(market, listener)
        for market in after - before:
            self._listening[market].add(listener)

    def _drop(self, concerned: UserId | Market, listener: MemoryListening) -> None:
        theirs = self._listening[concerned]
        theirs.discard(listener)
        if not theirs:
            del self._listening[concerned]

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listening)
