"""What a market can have made: the rules that every candle keeps, wherever it comes from."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.float64]

COLUMNS: Final = ("open", "high", "low", "close", "volume")


class Priced(Protocol):
    """Columns of one length."""

    @property
    def open(self) -> Column: ...
    @property
    def high(self) -> Column: ...
    @property
    def low(self) -> Column: ...
    @property
    def close(self) -> Column: ...
    @property
    def volume(self) -> Column: ...


def possible(rows: Priced) -> npt.NDArray[np.bool_]:
    """Return for each row whether a market can have made its prices and volume."""
    # A low above 0 under both ends and a finite high over them bound all four prices; comparing NaN is false.
    with np.errstate(invalid="ignore"):
        fits: npt.NDArray[np.bool_] = rows.high >= np.maximum(rows.open, rows.close)
        fits &= rows.low <= np.minimum(rows.open, rows.close)
        fits &= rows.low > 0
        fits &= rows.high < np.inf
        fits &= rows.volume >= 0
        fits &= rows.volume < np.inf
    return fits


def what_is_wrong(rows: Priced, place: int) -> str:
    """Return the rule that the row at *place* breaks, with its values."""
    row = {name: float(getattr(rows, name)[place]) for name in COLUMNS}
    for name, value in row.items():
        if not np.isfinite(value):
            return f"{name} is {value!r}, not a finite number"
        if name != "volume" and value <= 0:
            return f"{name} is {value!r}, a price must be above 0"
    for end in ("open", "close"):
        if row["high"] < row[end]:
            return f"high {row['high']!r} is below {end} {row[end]!r}"
        if row["low"] > row[end]:
            return f"low {row['low']!r} is above {end} {row[end]!r}"
    return f"volume is {row['volume']!r}, it cannot be below 0"
