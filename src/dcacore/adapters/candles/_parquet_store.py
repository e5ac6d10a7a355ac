"""The local candle store: one Parquet file a pair, interval and month, with a manifest beside them.

<folder>/BTCUSDT/1m/BTCUSDT-1m-2021-04.parquet
<folder>/BTCUSDT/1m/manifest.json
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from dcacore.adapters.candles._files import parquet_bytes, write_whole
from dcacore.adapters.candles._manifest import Month, described, read_manifest, write_manifest
from dcacore.adapters.candles._merge import Merged, between, merge, sound
from dcacore.adapters.candles._months import by_month, month_of, month_range
from dcacore.adapters.candles._read import read_candles
from dcacore.ports.candle_store import CandleStore, Checked, Saved, Source, Stored, known_pair
from dcacore.ports.candles import Candles, Gap, gaps
from dcacore.ports.errors import BadCandles, BadFile, NoCandles
from dcacore.ports.intervals import DAY_MS, INTERVALS, interval_ms, interval_name
from dcacore.ports.times import utc_text


class ParquetCandleStore(CandleStore):
    """Candles below a folder, which is made when the first candle is saved.

    Every file is written beside its place and renamed into it, so that an interrupted save leaves each month as it
    was or as it should be. One process may save at a time; any number may read meanwhile.
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
        return tuple(_stored(shelf) for shelf in self._shelves("*"))

    def check(self, pair: str) -> tuple[Checked, ...]:
        found = tuple(_checked(shelf) for shelf in self._shelves(known_pair(pair)))
        if not found:
            raise NoCandles(f"{self._folder}: there are no candles of {pair}")
        return found

    def _shelf(self, pair: str, interval: str) -> _Shelf:
        return _Shelf(folder=self._folder / known_pair(pair) / interval, pair=pair, interval=interval)

    def _shelves(self, pair: str) -> Iterator[_Shelf]:
        for folder in sorted(path for path in self._folder.glob(pair) if path.is_dir()):
            for interval in INTERVALS:
                shelf = _Shelf(folder=folder / interval, pair=folder.name, interval=interval)
                if shelf.months() or (shelf.folder / "manifest.json").exists():
                    yield shelf


@attrs.frozen(kw_only=True)
class _Shelf:
    """The months of one pair and interval."""

    folder: Path
    pair: str
    interval: str

    def path(self, month: str) -> Path:
        return self.folder / f"{self.pair}-{self.interval}-{month}.parquet"

    def months(self) -> tuple[str, ...]:
        digits = "[0-9]"
        found = self.folder.glob(f"{self.pair}-{self.interval}-{digits * 4}-{digits * 2}.parquet")
        return tuple(sorted(path.stem[-7:] for path in found))

    def read(self, month: str) -> Candles | None:
        path = self.path(month)
        return read_candles(path, interval=self.interval) if path.exists() else None

    def refuse_other_grid(self, new: Candles) -> None:
        """Refuse candles over a day long that do not start on the days on which the stored ones start."""
        if new.interval_ms > DAY_MS and self.months():
            stored = self.read(self.months()[0])
            if stored is not None and (int(stored.open_time[0]) - int(new.open_time[0])) % new.interval_ms:
                raise BadCandles(
                    new.source,
                    1,
                    f"{utc_text(int(new.open_time[0]))} is not on the grid of the stored {self.interval} candles",
                )

    def describe(self, month: str) -> Month:
        """Return a new entry for a month that the manifest has lost; where its candles came from is not known."""
        return described(read_candles(self.path(month), interval=self.interval), self.path(month).read_bytes(), ())

    def write(self, month: str, merged: Merged, manifest: dict[str, Month], sources: Sequence[Source]) -> Month:
        before = manifest.get(month)
        if (
            not merged.saved.added
            and not merged.saved.replaced
            and before is not None
            and before.sha256 == self.sha256(month)
        ):
            return before
        begins, ends = month_range(month)
        known = before.sources if before else ()
        new = [source for source in sources if source.first < ends and source.last >= begins and source not in known]
        data = parquet_bytes(merged.candles)
        write_whole(self.path(month), data)
        return described(merged.candles, data, (*known, *new))

    def sha256(self, month: str) -> str:
        return hashlib.sha256(self.path(month).read_bytes()).hexdigest()


def _readable_manifest(shelf: _Shelf) -> dict[str, Month]:
    try:
        return read_manifest(shelf.folder)
    except BadFile:  # what it said is lost either way; the months themselves are not
        return {}


def _touches(month: str, from_ms: int | None, to_ms: int | None) -> bool:
    begins, ends = month_range(month)
    return (from_ms is None or ends > from_ms) and (to_ms is None or begins < to_ms)


def _stored(shelf: _Shelf) -> Stored:
    try:
        months = read_manifest(shelf.folder)
    except BadFile as exc:
        return Stored(pair=shelf.pair, interval=shelf.interval, problem=str(exc))
    if tuple(sorted(months)) != shelf.months():
        problem = f"{shelf.folder}: the files and the manifest differ; `dca data check {shelf.pair}` says how"
        return Stored(pair=shelf.pair, interval=shelf.interval, problem=problem)
    return Stored(
        pair=shelf.pair,
        interval=shelf.interval,
        rows=sum(month.rows for month in months.values()),
        first=min(month.first for month in months.values()),
        last=max(month.last for month in months.values()),
    )


def _checked(shelf: _Shelf) -> Checked:
    problems: list[str] = []
    try:
        manifest = read_manifest(shelf.folder)
    except BadFile as exc:
        manifest = {}
        problems.append(str(exc))
    good = []
    for month in shelf.months():
        try:
            candles = read_candles(shelf.path(month), interval=shelf.interval)
        except BadFile as exc:
            problems.append(str(exc))
            continue
        problems += _differences(shelf, month, candles, manifest.get(month))
        good.append(candles)
    problems += [
        f"{shelf.path(month)}: there is no such file, but the manifest has it"
        for month in manifest
        if month not in shelf.months()
    ]
    return Checked(
        pair=shelf.pair,
        interval=shelf.interval,
        rows=sum(len(candles) for candles in good),
        gaps=_all_gaps(good),
        problems=tuple(problems),
    )


def _differences(shelf: _Shelf, month: str, candles: Candles, entry: Month | None) -> Iterator[str]:
    path = shelf.path(month)
    strays = {month_of(int(candles.open_time[place])) for place in (0, -1)} - {month}
    if strays:
        yield f"{path}: it holds candles of {', '.join(sorted(strays))}"
    if entry is None:
        yield f"{path}: the manifest does not have it; importing its candles again adds it"
    elif entry.sha256 != shelf.sha256(month):
        yield (
            f"{path}: it was changed after the import, and has {len(candles)} candles from "
            f"{utc_text(int(candles.open_time[0]))}; the manifest says {entry.rows} from {utc_text(entry.first)}"
        )


def _all_gaps(months: Sequence[Candles]) -> tuple[Gap, ...]:
    found: list[Gap] = []
    for place, candles in enumerate(months):
        if place:
            before, after = int(months[place - 1].open_time[-1]), int(candles.open_time[0])
            missing = (after - before) // candles.interval_ms - 1
            if missing > 0:
                found.append(Gap(after=before, missing=missing, resumes=after))
        found += gaps(candles)
    return tuple(found)
