"""The months of one pair and interval on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import attrs

from dcacore.adapters.candles._files import parquet_bytes, write_whole
from dcacore.adapters.candles._manifest import Month, described
from dcacore.adapters.candles._merge import Merged
from dcacore.adapters.candles._months import month_range
from dcacore.adapters.candles._read import read_candles
from dcacore.ports.candle_store import Source
from dcacore.ports.candles import Candles
from dcacore.ports.errors import BadCandles
from dcacore.ports.intervals import DAY_MS
from dcacore.ports.times import utc_text


@attrs.frozen(kw_only=True)
class Shelf:
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
