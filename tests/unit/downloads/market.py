"""Candles and files that the tests of downloads look for. The present is noon of 2024-01-01 unless a test says else."""

from __future__ import annotations

import datetime
from typing import Final

from dcacore.application.download_plan import Wanted, pieces
from dcacore.ports.candle_archive import Piece
from tests.unit.candles.market import Row, rows

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR


def ms(text: str) -> int:
    """Return a time such as `2021-04-02` or `2021-04-02 10:00` (UTC) in Unix milliseconds."""
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp() * 1000)


def hours(begins: str, ends: str) -> list[Row]:
    """Return a candle for each hour."""
    return rows((ms(ends) - ms(begins)) // HOUR, HOUR, ms(begins))


def wanted(begins: str, ends: str) -> Wanted:
    """Return hours that are wanted."""
    return Wanted(pair="BTCUSDT", interval="1h", from_ms=ms(begins), to_ms=ms(ends))


def month(period: str) -> Piece:
    """Return the file of the hours of a month."""
    begins = datetime.date.fromisoformat(f"{period}-01")
    ends = (begins + datetime.timedelta(days=31)).replace(day=1)
    [[piece]] = pieces(wanted(str(begins), str(ends)))
    return piece


def day(period: str) -> Piece:
    """Return the file of the hours of a day."""
    ends = datetime.date.fromisoformat(period) + datetime.timedelta(days=1)
    [[piece]] = pieces(wanted(period, str(ends)))
    return piece
