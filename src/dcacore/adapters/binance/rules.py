"""The rules of all pairs of one environment: asked for together, believed for an hour, shared by all accounts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Final

import structlog

from dcacore.adapters.binance.calls import RULES
from dcacore.adapters.binance.filters import listing_of
from dcacore.adapters.binance.limiter import Limiter
from dcacore.adapters.binance.reading import Row, Unreadable, row_of, rows_of, text_in
from dcacore.adapters.binance.refusals import WRONG_PAIR, NoAnswer, Refused, of_reading
from dcacore.adapters.binance.rest import Rest
from dcacore.adapters.binance.windows import limits_of
from dcacore.domain.errors import DomainError
from dcacore.domain.market import Market
from dcacore.ports.clock import Clock
from dcacore.ports.errors import Unavailable, UnknownPair
from dcacore.ports.exchange import Listing

log = structlog.get_logger("dcacore.binance")

LAST_S: Final = 3600
ASKED_TOGETHER: Final = 100
"""Pairs in one request: its address must not become too long."""


class Rules:
    """What is known of the pairs of one environment."""

    def __init__(self, rest: Rest, limiter: Limiter, clock: Clock) -> None:
        self._rest = rest
        self._limiter = limiter
        self._clock = clock
        self._known: dict[str, tuple[float, Listing]] = {}
        self._odd: dict[str, str] = {}
        self._wanted: set[str] = set()
        self._all: tuple[str, ...] = ()
        self._all_at = float("-inf")
        self._asking = asyncio.Lock()

    async def listing(self, pair: str) -> Listing:
        """Return how the exchange lists *pair*, at most an hour old.

        Raises:
            UnknownPair: it does not.
            Unavailable: it does not say.
        """
        if (known := self._fresh(pair)) is not None:
            return known
        self._wanted.add(pair)
        async with self._asking:  # who comes meanwhile is asked for together
            if (known := self._fresh(pair)) is None:
                await self._read(pair)
                known = self._fresh(pair)
        if known is None and pair in self._odd:
            raise Unavailable(f"the rules of {pair} cannot be read: {self._odd[pair]}")
        if known is None:
            raise UnknownPair(pair)
        return known

    async def all(self) -> tuple[Listing, ...]:
        """Return every pair that takes orders, at most an hour old.

        Raises:
            Unavailable: the exchange does not say.
        """
        async with self._asking:
            if self._clock.monotonic() - self._all_at >= LAST_S:
                await self._take_in_all()
            found = [self._known.get(pair) for pair in self._all]
        return tuple([known[1] for known in found if known is not None and known[1].is_trading])

    async def _take_in_all(self) -> None:
        try:
            answer = row_of(await self._rest.ask(RULES, {"symbolStatus": "TRADING"}))
            rows = rows_of(answer.get("symbols"))
        except Unreadable as exc:
            raise Unavailable(f"the exchange's rules cannot be read: {exc}") from None
        self._keep(rows, [])
        self._all, self._all_at = tuple([str(row.get("symbol")) for row in rows]), self._clock.monotonic()

    def market(self, pair: str) -> Market | None:
        """Return the pair's rules as far as they are known, however old; None when they have never been read."""
        known = self._known.get(pair)
        return None if known is None else known[1].market

    def forget(self, pair: str) -> None:
        """Read the pair's rules anew when they are next wanted."""
        if pair in self._known:
            self._known[pair] = (float("-inf"), self._known[pair][1])

    def _fresh(self, pair: str) -> Listing | None:
        known = self._known.get(pair)
        return known[1] if known is not None and self._clock.monotonic() - known[0] < LAST_S else None

    async def _read(self, pair: str) -> None:
        others = sorted(other for other in self._wanted - {pair} if self._fresh(other) is None)
        pairs = [pair, *others[: ASKED_TOGETHER - 1]]
        self._wanted.difference_update(pairs)
        try:
            await self._take_in(pairs)
        except UnknownPair:
            if len(pairs) == 1:
                raise
            self._wanted.update(others)  # one of them is wrong: each asks for itself
            await self._take_in([pair])

    async def _take_in(self, pairs: list[str]) -> None:
        one = len(pairs) == 1
        params = {"symbol": pairs[0]} if one else {"symbols": json.dumps(pairs, separators=(",", ":"))}
        try:
            answer = row_of(await self._rest.ask_plainly(RULES, params))
            rows = rows_of(answer.get("symbols"))
            self._limiter.learn(limits_of(rows_of(answer.get("rateLimits"))))
        except Refused as exc:
            if exc.code == WRONG_PAIR or (exc.code == -1100 and "symbol" in exc.text):  # noqa: PLR2004  # no such name
                raise UnknownPair(pairs[0]) from None
            raise of_reading(exc) from None
        except (NoAnswer, Unreadable) as exc:
            raise Unavailable(f"the exchange's rules cannot be read: {exc}") from None
        self._keep(rows, pairs)

    def _keep(self, rows: Iterable[Row], pairs: list[str]) -> None:
        now = self._clock.monotonic()
        for pair in pairs:
            self._odd.pop(pair, None)
            self._known.pop(pair, None)  # what is listed no more is not known any more
        for row in rows:
            try:
                self._known[text_in(row, "symbol")] = (now, listing_of(row))
            except (Unreadable, DomainError) as exc:  # one odd pair must not take the others with it
                self._odd[str(row.get("symbol"))] = str(exc)
                log.warning("rules_not_read", pair=str(row.get("symbol"))[:20], reason=str(exc))
