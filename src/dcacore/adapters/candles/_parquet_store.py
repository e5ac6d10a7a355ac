"""The local candle store: one Parquet file a pair, interval and month, with a manifest beside them.

The months of one pair and interval stand together, as `BTCUSDT/1m/BTCUSDT-1m-2021-04.parquet` and so on, with
`BTCUSDT/1m/manifest.json` beside them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from dcacore.adapters.candles._files import Disk, alone, parquet_bytes
from dcacore.adapters.candles._manifest import Month, read_manifest
from dcacore.adapters.candles._merge import between, sound
from dcacore.adapters.candles._months import by_month, month_range
from dcacore.adapters.candles._settle import change, settle, settle_to_read
from dcacore.adapters.candles._shelf import Shelf, entry_of, sources_of
from dcacore.adapters.candles._shelf_check import checked, stored
from dcacore.ports.candle_store import CandleStore, Checked, Saved, Source, Stored, known_pair
from dcacore.ports.candles import Candles
from dcacore.ports.errors import BadFile, NoCandles
from dcacore.ports.intervals import INTERVALS, interval_ms, interval_name


class ParquetCandleStore(CandleStore):
    """Candles below a folder, which is made when the first candle is saved.

    A save happens whole or not at all, also when it is interrupted or killed. A process that saves waits for one that
    saves the same pair and interval. Readers wait for nobody, except to finish the renames of a save whose manifest is
    in place; one that reads at that very moment may still see some months before the save and some after it.
    """

    def __init__(self, folder: str | os.PathLike[str], *, disk: Disk | None = None) -> None:
        """Make a store.

        Args:
            folder: where the candles are; it need not exist yet.
            disk: makes the changes; for tests, which interrupt it.
        """
        self._folder = Path(folder)
        self._disk = disk or Disk()

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
        self._refuse_no_folder()
        with alone(shelf.folder):
            settle(shelf, self._disk)
            shelf.refuse_other_grid(new)
            manifest = _readable_manifest(shelf)
            merged = {
                month: shelf.merged(month, part, manifest.get(month), replace=replace) for month, part in by_month(new)
            }
            changed = {month: part for month, part in merged.items() if shelf.changed(month, part, manifest.get(month))}
            files = {month: parquet_bytes(part.candles) for month, part in changed.items()}
            entries = manifest | {
                month: entry_of(month, part.candles, files[month], manifest.get(month), sources)
                if month in changed
                else attrs.evolve(manifest[month], sources=sources_of(month, manifest[month], sources))
                for month, part in merged.items()
            }
            entries |= shelf.describe(month for month in shelf.months() if month not in entries)
            if files or entries != manifest:
                change(shelf, self._disk, files, entries)
        return Saved(
            added=sum(part.saved.added for part in merged.values()),
            replaced=sum(part.saved.replaced for part in merged.values()),
            unchanged=sum(part.saved.unchanged for part in merged.values()),
        )

    def load(self, pair: str, interval: str, from_ms: int | None = None, to_ms: int | None = None) -> Candles:
        interval_ms(interval)
        shelf = self._shelf(pair, interval)
        self._refuse_no_folder()
        settle_to_read(shelf, self._disk)
        months = [month for month in shelf.months() if _touches(month, from_ms, to_ms)]
        part = between(shelf.read(*months), from_ms, to_ms) if months else None
        if not part:
            wanted = "" if from_ms is None and to_ms is None else " in that range"
            raise NoCandles(f"{self._folder}: there are no {interval} candles of {pair}{wanted}")
        return attrs.evolve(part, source=f"{pair} {interval}")

    def sources(self, pair: str, interval: str) -> tuple[Source, ...]:
        interval_ms(interval)
        shelf = self._shelf(pair, interval)
        self._refuse_no_folder()
        settle_to_read(shelf, self._disk)
        return shelf.sources(_readable_manifest(shelf))

    def list(self) -> tuple[Stored, ...]:
        return tuple(stored(shelf) for shelf in self._shelves("*"))

    def check(self, pair: str) -> tuple[Checked, ...]:
        found = tuple(checked(shelf) for shelf in self._shelves(known_pair(pair)))
        if not found:
            raise NoCandles(f"{self._folder}: there are no candles of {pair}")
        return found

    def _shelf(self, pair: str, interval: str) -> Shelf:
        return Shelf(folder=self._folder / known_pair(pair) / interval, pair=pair, interval=interval)

    def _refuse_no_folder(self) -> None:
        try:
            os.scandir(self._folder).close()
        except FileNotFoundError:
            pass
        except NotADirectoryError as exc:
            raise BadFile(str(self._folder), "is a file, where the folder of the candle store should be") from exc
        except OSError as exc:
            raise BadFile(str(self._folder), f"cannot be read: {exc.strerror or exc}") from exc

    def _shelves(self, pair: str) -> Iterator[Shelf]:
        self._refuse_no_folder()
        for folder in sorted(path for path in self._folder.glob(pair) if path.is_dir()):
            for interval in INTERVALS:
                shelf = Shelf(folder=folder / interval, pair=folder.name, interval=interval)
                if not shelf.folder.is_dir():
                    continue
                settle_to_read(shelf, self._disk)
                if shelf.months() or _has_entries(shelf):
                    yield shelf


def _readable_manifest(shelf: Shelf) -> dict[str, Month]:
    try:
        return read_manifest(shelf.folder)
    except BadFile:  # what it said is lost either way; the months themselves are not
        return {}


def _has_entries(shelf: Shelf) -> bool:
    try:
        return bool(read_manifest(shelf.folder))
    except BadFile:  # `check` names it
        return True


def _touches(month: str, from_ms: int | None, to_ms: int | None) -> bool:
    begins, ends = month_range(month)
    return (from_ms is None or ends > from_ms) and (to_ms is None or begins < to_ms)
