"""The manifest beside the months of one pair and interval: what each should hold and where it came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from dcacore.adapters.candles._months import month_range
from dcacore.ports.candle_store import Source
from dcacore.ports.candles import Candles, gaps
from dcacore.ports.errors import BadFile

NAME: Final = "manifest.json"
_VERSION: Final = 1


@attrs.frozen(kw_only=True)
class Month:
    """What the manifest says about one month.

    Attributes:
        rows: number of candles.
        first: open time of the first candle, Unix milliseconds.
        last: open time of the last candle.
        gaps: number of gaps inside the month.
        missing: candles missing in those gaps.
        sha256: checksum of the month's file.
        sources: the files that the candles came from, in the order in which they were imported.
    """

    rows: int
    first: int
    last: int
    gaps: int
    missing: int
    sha256: str
    sources: tuple[Source, ...]


def described(candles: Candles, data: bytes, sources: Sequence[Source]) -> Month:
    """Return the entry of a month that holds *candles*, stored as *data*."""
    holes = gaps(candles)
    return Month(
        rows=len(candles),
        first=int(candles.open_time[0]),
        last=int(candles.open_time[-1]),
        gaps=len(holes),
        missing=sum(hole.missing for hole in holes),
        sha256=hashlib.sha256(data).hexdigest(),
        sources=tuple(sources),
    )


def read_manifest(folder: Path) -> dict[str, Month]:
    """Return the months of *folder*'s manifest; empty when there is none.

    Raises:
        BadFile: it is damaged.
    """
    path = folder / NAME
    try:
        content = json.loads(path.read_bytes())
        return {name: _month(name, month) for name, month in content["months"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise BadFile(str(path), "is damaged; importing its candles again makes a new one") from exc


def manifest_bytes(pair: str, interval: str, months: Mapping[str, Month]) -> bytes:
    """Return the manifest of *months*."""
    content = {
        "version": _VERSION,
        "pair": pair,
        "interval": interval,
        "months": {name: attrs.asdict(months[name]) for name in sorted(months)},
    }
    return (json.dumps(content, indent=1) + "\n").encode()


def _month(name: str, month: dict[str, object]) -> Month:
    sources = month["sources"]
    if not isinstance(sources, list):
        raise TypeError
    numbers = {key: _number(month[key]) for key in ("rows", "first", "last", "gaps", "missing")}
    begins, ends = month_range(name)
    if not begins <= numbers["first"] <= numbers["last"] < ends:
        raise ValueError
    return Month(sha256=str(month["sha256"]), sources=tuple(Source(**source) for source in sources), **numbers)


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError
    return value
