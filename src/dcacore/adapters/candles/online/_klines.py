"""Candles as the exchange's REST interface answers them: `GET /api/v3/klines`, page by page."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncGenerator
from typing import Any, Final

import attrs
import numpy as np

from dcacore.adapters.candles.online._web import Answer, Web
from dcacore.ports.candle_archive import ExchangeCandles, Stretch
from dcacore.ports.candles import Candles, joined
from dcacore.ports.clock import Clock
from dcacore.ports.errors import Unavailable, UnknownPair
from dcacore.ports.intervals import interval_ms

_KLINES: Final = "api/v3/klines"
_TIME: Final = "api/v3/time"
_PAGE: Final = 1_000  # the most that it gives
_PAGE_BYTES: Final = 4 << 20
_PAUSE_S: Final = 0.1
_MOST_WEIGHT: Final = 3_000  # half of what an address may use in a minute: bots trade from it as well
_MINUTE_S: Final = 60
_TOGETHER: Final = 20
_FOUND: Final = 200
_INVALID_SYMBOL: Final = -1121
_CLOSE_TIME: Final = 6
_WHOLE: Final = re.compile(r"\d{1,9}", re.ASCII)


@attrs.frozen(eq=False)
class _Page:
    candles: Candles | None
    is_last: bool
    body: bytes


class BinanceKlines(ExchangeCandles):
    """Klines of Binance spot, or of a server that speaks like it; a call weighs 2 of the 6,000 that a minute has."""

    def __init__(self, web: Web, clock: Clock) -> None:
        """Ask the server *web*."""
        self._web = web
        self._clock = clock
        self._free_at = clock.monotonic()

    async def stretches(self, pair: str, interval: str, from_ms: int, to_ms: int) -> AsyncGenerator[Stretch]:
        step = interval_ms(interval)
        now_ms = await self._server_time()  # this machine's clock may go fast, and a forming candle must not pass
        at, is_last = from_ms, False
        pages: list[_Page] = []
        while at < to_ms and not is_last:
            page = await self._page(pair, interval, (at, to_ms), now_ms)
            is_last = page.is_last
            if page.candles is not None:
                pages.append(page)
                # After a halt the next page begins later, and a short page is not the end: only the times count.
                at = int(page.candles.open_time[-1]) + step
            if pages and (is_last or at >= to_ms or len(pages) == _TOGETHER):
                yield _together(pages)
                pages = []

    async def _server_time(self) -> int:
        answer = await self._web.get(_TIME, most=_PAGE_BYTES)
        time = self._content(_TIME, answer, dict).get("serverTime")
        if not isinstance(time, int):
            raise Unavailable(f"{self._web.where(_TIME)} answers without a time")
        return time

    async def _page(self, pair: str, interval: str, wanted: tuple[int, int], now_ms: int) -> _Page:
        begins, ends = wanted
        params: dict[str, str | int] = {
            "symbol": pair,
            "interval": interval,
            "startTime": begins,
            "endTime": ends - 1,
            "limit": _PAGE,
        }
        await self._be_polite()
        answer = await self._web.get(_KLINES, params, most=_PAGE_BYTES)
        await self._rest(answer)
        rows = self._content(_KLINES, answer, list, pair)
        try:
            closed = [row for row in rows if row[_CLOSE_TIME] < now_ms]
            candles = _candles(closed, interval_ms(interval), f"{pair} {interval} of {_KLINES}") if closed else None
        except (TypeError, ValueError, IndexError, KeyError, OverflowError) as exc:
            raise Unavailable(f"{self._web.where(_KLINES)} answers something else than candles") from exc
        if candles is not None and not begins <= candles.open_time[0] <= candles.open_time[-1] < ends:
            raise Unavailable(f"{self._web.where(_KLINES)} answers candles of another time than was asked for")
        return _Page(candles, len(closed) < len(rows) or not rows, answer.body)

    async def _be_polite(self) -> None:
        if (left := self._free_at - self._clock.monotonic()) > 0:
            await self._clock.sleep(left)

    async def _rest(self, answer: Answer) -> None:
        used = answer.headers.get("x-mbx-used-weight-1m", "0")
        if _WHOLE.fullmatch(used) is not None and int(used) >= _MOST_WEIGHT:
            await self._clock.sleep(_MINUTE_S - self._clock.now().second)
        else:  # whoever wants only this page, such as a chart, need not wait for the next one
            self._free_at = self._clock.monotonic() + _PAUSE_S

    def _content(self, path: str, answer: Answer, kind: type[dict[str, Any] | list[Any]], pair: str = "") -> Any:
        try:
            content = json.loads(answer.body)
        except (ValueError, RecursionError):
            content = None
        if answer.status == _FOUND and isinstance(content, kind):
            return content
        said = content if isinstance(content, dict) else {}
        if said.get("code") == _INVALID_SYMBOL:
            raise UnknownPair(pair)
        reason = said.get("msg", "not as the exchange should")
        raise Unavailable(f"{self._web.where(path)} answers HTTP {answer.status}: {reason}")


def _candles(rows: list[list[Any]], step: int, source: str) -> Candles:
    columns = [np.array([float(str(row[place])) for row in rows]) for place in range(1, 6)]
    time = np.array([row[0] for row in rows])
    if time.dtype != np.int64:
        raise TypeError
    opened, high, low, close, volume = columns
    return Candles(
        interval_ms=step, open_time=time, open=opened, high=high, low=low, close=close, volume=volume, source=source
    )


def _together(pages: list[_Page]) -> Stretch:
    digest = hashlib.sha256()
    for page in pages:
        digest.update(page.body)
    return Stretch(candles=joined([page.candles for page in pages if page.candles]), sha256=digest.hexdigest())
