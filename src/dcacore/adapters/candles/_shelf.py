"""The months of one pair and interval on disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from dcacore.adapters.candles._manifest import NAME, Month, described
from dcacore.adapters.candles._merge import Merged, merge
from dcacore.adapters.candles._months import month_range
from dcacore.adapters.candles._read import read_candles
from dcacore.ports.candle_store import Saved, Source
from dcacore.ports.candles import Candles
from dcacore.ports.errors import BadCandles, BadFile
from dcacore.ports.intervals import DAY_MS
from dcacore.ports.times import utc_text

_WAYS_OUT: Final = "import its candles again with --replace, or delete that file and import them again"


@attrs.frozen(kw_only=True)
class Shelf:
    """The months of one pair and interval."""

    folder: Path
    pair: str
    interval: str

    def path(self, month: str) -> Path:
        return self.folder / f"{self.pair}-{self.interval}-{month}.parquet"

    def waiting(self, month: str) -> Path:
        return self.folder / f".{self.path(month).name}.next"

    @property
    def waiting_manifest(self) -> Path:
        return self.folder / f".{NAME}.next"

    def months(self) -> tuple[str, ...]:
        return self._months_named("", "")

    def months_waiting(self) -> tuple[str, ...]:
        return self._months_named(".", ".next")

    def _months_named(self, before: str, after: str) -> tuple[str, ...]:
        digit = "[0-9]"
        name = f"{before}{self.pair}-{self.interval}-"
        found = self.folder.glob(f"{name}{digit * 4}-{digit * 2}.parquet{after}")
        return tuple(sorted(path.name[len(name) :][:7] for path in found))

    def read(self, *months: str) -> Candles:
        """Return the candles of *months*.

        Raises:
            BadFile: one of them is damaged; it says the ways out.
        """
        try:
            return read_candles(*map(self.path, months), interval=self.interval)
        except BadFile as exc:
            raise BadFile(exc.file, f"{exc.reason}; {_WAYS_OUT}") from exc

    def merged(self, month: str, new: Candles, entry: Month | None, *, replace: bool) -> Merged:
        """Return *new* among the stored candles of *month*, whose entry in the manifest is *entry*.

        Raises:
            BadFile: what is stored is damaged, and *replace* is false or *new* is less than what was stored.
            CandleConflict: it has other values, and *replace* is false.
        """
        path = self.path(month)
        if not path.exists():
            return merge(None, new, replace=replace)
        try:
            stored = self.read(month)
        except BadFile:
            if not (replace and path.is_file() and os.access(path, os.R_OK)):
                raise
            return _instead(path, new, entry)
        return merge(stored, new, replace=replace)

    def refuse_other_grid(self, new: Candles) -> None:
        """Refuse candles over a day long that do not start on the days on which the stored ones start."""
        if new.interval_ms <= DAY_MS:
            return
        stored = next(self._readable(), None)
        if stored is not None and (int(stored.open_time[0]) - int(new.open_time[0])) % new.interval_ms:
            raise BadCandles(
                new.source,
                1,
                f"{utc_text(int(new.open_time[0]))} is not on the grid of the stored {self.interval} candles",
            )

    def _readable(self) -> Iterator[Candles]:
        for month in self.months():
            try:
                yield self.read(month)
            except BadFile:  # `check` names it; the next month tells the grid as well
                continue

    def describe(self, months: Iterable[str]) -> dict[str, Month]:
        """Return new entries for *months* that the manifest has lost; where their candles came from is not known.

        A damaged month gets none, so that `check` goes on naming it.
        """
        entries = {}
        for month in months:
            try:
                entries[month] = described(self.read(month), self.path(month).read_bytes(), ())
            except BadFile:
                continue
        return entries

    def changed(self, month: str, merged: Merged, before: Month | None) -> bool:
        """Return whether *merged* is not yet what stands on the disk and, as *before*, in the manifest."""
        if merged.saved.added or merged.saved.replaced or before is None:
            return True
        return before.sha256 != self.sha256(month)

    def sources(self, manifest: Mapping[str, Month]) -> tuple[Source, ...]:
        """Return the sources of all months in *manifest*, without those of months that are not as it says."""
        sound = {month for month in self.months() if month in manifest and self.sha256(month) == manifest[month].sha256}
        lost = {source for month in manifest if month not in sound for source in manifest[month].sources}
        found = (source for month in sorted(sound) for source in manifest[month].sources if source not in lost)
        return tuple(dict.fromkeys(found))

    def sha256(self, month: str) -> str:
        return hashlib.sha256(self.path(month).read_bytes()).hexdigest()


def entry_of(month: str, candles: Candles, data: bytes, before: Month | None, sources: Sequence[Source]) -> Month:
    """Return the entry of *month*, which is to hold *candles*, stored as *data*.

    Args:
        month: as `YYYY-MM`.
        candles: all of its candles.
        data: its file.
        before: its entry so far.
        sources: what was imported now; those that reach into the month are added to its sources.
    """
    return described(candles, data, sources_of(month, before, sources))


def sources_of(month: str, before: Month | None, sources: Sequence[Source]) -> tuple[Source, ...]:
    """Return the sources of *month* so far, its entry being *before*, and those of *sources* that reach into it."""
    begins, ends = month_range(month)
    known = before.sources if before else ()
    new = [source for source in sources if source.first < ends and source.last >= begins and source not in known]
    return (*known, *new)


def _instead(path: Path, new: Candles, entry: Month | None) -> Merged:
    """Return *new* in the place of a month that cannot be read; what the manifest knows of, it must cover."""
    if entry is not None and not new.open_time[0] <= entry.first <= entry.last <= new.open_time[-1]:
        raise BadFile(
            str(path),
            f"is damaged, and held candles from {utc_text(entry.first)} to {utc_text(entry.last)}: import all of them "
            "with --replace, or delete that file and import what you have",
        )
    replaced = min(len(new), entry.rows) if entry else len(new)
    return Merged(candles=new, saved=Saved(added=len(new) - replaced, replaced=replaced, unchanged=0))
