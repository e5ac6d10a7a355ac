"""A candle store that lives as long as the process: for tests, and for users without a folder."""

from __future__ import annotations

from collections.abc import Sequence

from dcacore.adapters.candles._merge import between, merge, sound
from dcacore.ports.candle_store import CandleStore, Checked, Saved, Source, Stored, known_pair
from dcacore.ports.candles import Candles, gaps
from dcacore.ports.errors import NoCandles
from dcacore.ports.intervals import interval_ms, interval_name


class MemoryCandleStore(CandleStore):
    """Candles in memory."""

    def __init__(self) -> None:
        self._candles: dict[tuple[str, int], Candles] = {}
        self._sources: dict[tuple[str, int], dict[Source, None]] = {}  # as an ordered set

    def save(
        self,
        pair: str,
        candles: Candles,
        *,
        sources: Sequence[Source] = (),
        replace: bool = False,
    ) -> Saved:
        key = (known_pair(pair), interval_ms(interval_name(candles.interval_ms)))
        merged = merge(self._candles.get(key), sound(candles), replace=replace)
        self._candles[key] = merged.candles
        self._sources.setdefault(key, {}).update(dict.fromkeys(sources))
        return merged.saved

    def load(self, pair: str, interval: str, from_ms: int | None = None, to_ms: int | None = None) -> Candles:
        stored = self._candles.get((known_pair(pair), interval_ms(interval)))
        part = between(stored, from_ms, to_ms) if stored else None
        if not part:
            raise NoCandles(f"there are no {interval} candles of {pair} in that range")
        return part

    def sources(self, pair: str, interval: str) -> tuple[Source, ...]:
        return tuple(self._sources.get((known_pair(pair), interval_ms(interval)), ()))

    def list(self) -> tuple[Stored, ...]:
        return tuple(
            Stored(
                pair=pair,
                interval=interval_name(length),
                rows=len(candles),
                first=int(candles.open_time[0]),
                last=int(candles.open_time[-1]),
            )
            for (pair, length), candles in sorted(self._candles.items())
        )

    def check(self, pair: str) -> tuple[Checked, ...]:
        wanted = known_pair(pair)
        found = tuple(
            Checked(pair=name, interval=interval_name(length), rows=len(candles), gaps=gaps(candles), problems=())
            for (name, length), candles in sorted(self._candles.items())
            if name == wanted
        )
        if not found:
            raise NoCandles(f"there are no candles of {pair}")
        return found
