"""The local candle store: one Parquet file a pair, interval and month, with a manifest beside them.

The months of one pair and interval stand together, as `BTCUSDT/1m/BTCUSDT-1m-2021-04.parquet` and so on, with
`BTCUSDT/1m/manifest.json` beside them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from dcacore.adapters.candles._files import alone
from dcacore.adapters.candles._manifest import NAME, Month, read_manifest, write_manifest
from dcacore.adapters.candles._merge import between, merge, sound
from dcacore.adapters.candles._months import by_month, month_range
from dcacore.adapters.candles._read import read_candles
from dcacore.adapters.candles._shelf import Shelf
from dcacore.adapters.candles._shelf_check import checked, stored
from dcacore.ports.candle_store import CandleStore, Checked, Saved, Source, Stored, known_pair
from dcacore.ports.candles import Candles
from dcacore.ports.errors import BadFile, NoCandles
from dcacore.ports.intervals import INTERVALS, interval_ms, interval_name


class ParquetCandleStore(CandleStore):
    """Candles below a folder, which is made when the first candle is saved.

    Every file is written beside its place and renamed into it, so that an interrupted save leaves each month as it
    was or as it should be. A process that saves waits for one that saves the same pair and interval; readers wait
    for nobody.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)

    def save(
        self,
        pair: str,
        candles: Candles,
        *,
        sources: Sequence[Source] = (),
        replace: bool = False,
    ) -> Saved:
        interval = interval_name(candles.interval_ms)
        shelf = self._shelf(pair, interval)
        new = sound(candles)
        with alone(shelf.folder):
            shelf.refuse_other_grid(new)
            merged = {month: merge(shelf.read(month), part, replace=replace) for month, part in by_month(new)}
            manifest = _readable_manifest(shelf)
            entries = manifest | {month: shelf.write(month, part, manifest, sources) for month, part in merged.items()}
            entries |= {month: shelf.describe(month) for month in shelf.months() if month not in entries}
            if entries != manifest:
                write_manifest(shelf.folder, pair, interval, entries)
        return Saved(
            added=sum(part.saved.added for part in merged.values()),
            replaced=sum(part.saved.replaced for part in merged.values()),
            unchanged=sum(part.saved.unchanged for part in merged.values()),
        )

    def load(self, pair: str, interval: str, from_ms: int | None = None, to_ms: int | None = None) -> Candles:
        interval_ms(interval)
        shelf = self._shelf(pair, interval)
        files = [shelf.path(month) for month in shelf.months() if _touches(month, from_ms, to_ms)]
        part = between(read_candles(*files, interval=interval), from_ms, to_ms) if files else None
        if not part:
            wanted = "" if from_ms is None and to_ms is None else " in that range"
            raise NoCandles(f"{self._folder}: there are no {interval} candles of {pair}{wanted}")
        return attrs.evolve(part, source=f"{pair} {interval}")

    def list(self) -> tuple[Stored, ...]:
        return tuple(stored(shelf) for shelf in self._shelves("*"))

    def check(self, pair: str) -> tuple[Checked, ...]:
        found = tuple(checked(shelf) for shelf in self._shelves(known_pair(pair)))
        if not found:
            raise NoCandles(f"{self._folder}: there are no candles of {pair}")
        return found

    def _shelf(self, pair: str, interval: str) -> Shelf:
        return Shelf(folder=self._folder / known_pair(pair) / interval, pair=pair, interval=interval)

    def _shelves(self, pair: str) -> Iterator[Shelf]:
        for folder in sorted(path for path in self._folder.glob(pair) if path.is_dir()):
            for interval in INTERVALS:
                shelf = Shelf(folder=folder / interval, pair=folder.name, interval=interval)
                if shelf.months() or (shelf.folder / NAME).exists():
                    yield shelf


def _readable_manifest(shelf: Shelf) -> dict[str, Month]:
    try:
        return read_manifest(shelf.folder)
    except BadFile:  # what it said is lost either way; the months themselves are not
        return {}


def _touches(month: str, from_ms: int | None, to_ms: int | None) -> bool:
    begins, ends = month_range(month)
    return (from_ms is None or ends > from_ms) and (to_ms is None or begins < to_ms)
