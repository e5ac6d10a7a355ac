"""What is on a shelf, by its manifest, and whether its files are as the manifest says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dcacore.adapters.candles._manifest import Month, read_manifest
from dcacore.adapters.candles._months import month_of
from dcacore.adapters.candles._shelf import Shelf
from dcacore.ports.candle_store import Checked, Stored
from dcacore.ports.candles import Candles, Gap, gaps
from dcacore.ports.errors import BadFile
from dcacore.ports.times import utc_text


def stored(shelf: Shelf) -> Stored:
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


def checked(shelf: Shelf) -> Checked:
    problems: list[str] = []
    try:
        manifest = read_manifest(shelf.folder)
    except BadFile as exc:
        manifest = {}
        problems.append(str(exc))
    good = []
    for month in shelf.months():
        try:
            candles = shelf.read(month)
        except BadFile as exc:
            problems.append(str(exc))
            continue
        problems += _differences(shelf, month, candles, manifest.get(month))
        good.append(candles)
    problems += [
        f"{shelf.path(month)}: there is no such file, but the manifest has it; importing its candles again adds it"
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


def _differences(shelf: Shelf, month: str, candles: Candles, entry: Month | None) -> Iterator[str]:
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
