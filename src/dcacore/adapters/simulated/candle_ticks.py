"""Candles as whole ticks: floats end here."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import attrs
import numpy as np
import numpy.typing as npt

from dcacore.domain.errors import DcaError, InvalidParameter
from dcacore.domain.market import Market
from dcacore.domain.money import exact, plain
from dcacore.ports.candle_rules import Column
from dcacore.ports.candles import Candles, Times

Ticks = npt.NDArray[np.int64]

_COLUMNS = ("open", "high", "low", "close")
_MOST_DECIMALS = 12
_COUNTABLE = 2**51  # beyond it neighbouring multiples are too close for doubles to tell them apart


class OffGrid(DcaError):
    """A price in the data is not a multiple of the market's tick size.

    Attributes:
        source: what the candles were read from.
        row: the first such row, counted from 1.
        price: the first such price in it, as the data has it.
        tick_size: the market's.
        fitting: the coarsest tick size on which all prices lie; None when there is none of 12 decimals or fewer.
    """

    def __init__(self, source: str, row: int, price: str, tick_size: Decimal, fitting: Decimal | None) -> None:
        self.source, self.row, self.price = source, row, price
        self.tick_size, self.fitting = tick_size, fitting
        way_out = (
            "no tick size of 12 decimals or fewer fits this data"
            if fitting is None
            else f'this data fits: tick_size = "{plain(fitting)}" under [market]'
        )
        super().__init__(f"{source}: row {row}: {price} is not a multiple of tick_size {plain(tick_size)}; {way_out}")


@attrs.frozen(kw_only=True, eq=False)
class TickCandles:
    """Candles whose prices are counts of the market's tick size; times as in `Candles`."""

    open_time: Times
    open: Ticks
    high: Ticks
    low: Ticks
    close: Ticks

    def __len__(self) -> int:
        return len(self.open_time)


@exact
def to_ticks(candles: Candles, market: Market) -> TickCandles:
    """Return *candles* on the tick grid of *market*, exactly.

    A double stands for the decimal it prints as. It is a multiple of the tick size when the multiple nearest to it
    prints the same; below 2**51 ticks that is decided without an error.

    Raises:
        OffGrid: a price is not on the grid.
        InvalidParameter: the tick size is too fine for the prices to be counted in it.
    """
    columns = {name: getattr(candles, name) for name in _COLUMNS}
    ticks = {name: _counted(column, market.tick_size) for name, column in columns.items()}
    off = np.zeros(len(candles), dtype=bool)
    for name, column in columns.items():
        off |= _prices(ticks[name], market.tick_size) != column
    if off.any():
        row = int(off.argmax())
        price = next(
            float(column[row])
            for name, column in columns.items()
            if _prices(ticks[name][row : row + 1], market.tick_size)[0] != column[row]
        )
        raise OffGrid(
            candles.source, row + 1, plain(Decimal(repr(price))), market.tick_size, coarsest_tick(columns.values())
        )
    return TickCandles(open_time=candles.open_time, **ticks)


def _parts(tick_size: Decimal) -> tuple[int, int]:
    """Return the tick size as numerator and a power of ten."""
    numerator, denominator = tick_size.as_integer_ratio()
    places = max(0, -int(tick_size.normalize().as_tuple().exponent))
    return numerator * 10**places // denominator, 10**places


def _counted(column: npt.NDArray[np.float64], tick_size: Decimal) -> Ticks:
    units, scale = _parts(tick_size)
    counted = column * (scale / units)
    np.rint(counted, out=counted)
    if not float(counted.max()) * units < _COUNTABLE:
        raise InvalidParameter("tick_size", plain(tick_size), "is too fine for these prices")
    return counted.astype(np.int64)


def _prices(ticks: Ticks, tick_size: Decimal) -> npt.NDArray[np.float64]:
    """Return the doubles nearest to these multiples: one division of two exact doubles, so rounded once."""
    units, scale = _parts(tick_size)
    counted = ticks.astype(np.float64)
    if units != 1:
        counted *= units
    counted /= scale
    return counted


def coarsest_tick(columns: Iterable[Column]) -> Decimal | None:
    """Return the largest tick size on which all prices of *columns* lie, at most 12 decimals; None when none does."""
    prices = np.unique(np.concatenate(list(columns)))
    for places in range(_MOST_DECIMALS + 1):
        one = Decimal(1).scaleb(-places)
        counted = np.rint(prices * 10**places)
        if np.all(np.abs(counted) < _COUNTABLE) and np.array_equal(_prices(counted.astype(np.int64), one), prices):
            return int(np.gcd.reduce(counted.astype(np.int64))) * one
    return None
