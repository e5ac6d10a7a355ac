"""Which candles a backtest plays, and which gaps it refuses to play across."""

from __future__ import annotations

from itertools import starmap

import numpy as np
import pytest

from dcacore.application.playable import GapTooLong, duration_text, playable
from dcacore.ports.candles import Candles, Gap
from dcacore.ports.errors import NoCandles

MINUTE = 60_000


def candles(*minutes: int) -> Candles:
    flat = np.ones(len(minutes))
    times = np.array(minutes, dtype=np.int64) * MINUTE
    return Candles(interval_ms=MINUTE, open_time=times, open=flat, high=flat, low=flat, close=flat, volume=flat)


def minutes_of(played: Candles) -> list[int]:
    return [int(time) // MINUTE for time in played.open_time]


@pytest.mark.parametrize(
    ("start", "end", "left"),
    [
        (None, None, [0, 1, 2, 5]),
        (1, None, [1, 2, 5]),
        (None, 2, [0, 1]),
        (1, 2, [1]),
        (3, None, [5]),
        (-9, 99, [0, 1, 2, 5]),
    ],
)
def test_from_is_inside_and_to_is_not(start: int | None, end: int | None, left: list[int]) -> None:
    from_ms, to_ms = (None if minute is None else minute * MINUTE for minute in (start, end))
    found = playable(candles(0, 1, 2, 5), from_ms=from_ms, to_ms=to_ms, max_gap_ms=None)
    assert minutes_of(found.candles) == left
    assert len(found.candles.close) == len(left)


def test_rows_are_counted_from_where_the_range_starts() -> None:
    assert playable(candles(0, 1), from_ms=MINUTE, to_ms=None, max_gap_ms=None).candles.source == (
        "candles from 1970-01-01 00:01"
    )


@pytest.mark.parametrize(("start", "end"), [(3, 5), (6, None), (None, 0), (5, 3)])
def test_nothing_is_left(start: int | None, end: int | None) -> None:
    from_ms, to_ms = (None if minute is None else minute * MINUTE for minute in (start, end))
    with pytest.raises(NoCandles, match="there are some from 1970-01-01 00:00 to 1970-01-01 00:05"):
        playable(candles(0, 1, 2, 5), from_ms=from_ms, to_ms=to_ms, max_gap_ms=None)


def test_gaps_inside_the_range_are_told() -> None:
    found = playable(candles(0, 2, 3, 9), from_ms=0, to_ms=9 * MINUTE, max_gap_ms=MINUTE)
    assert found.gaps == (Gap(after=0, missing=1, resumes=2 * MINUTE),)


def test_a_gap_as_long_as_allowed_is_played_and_a_longer_one_is_not() -> None:
    three_missing = candles(0, 1, 5, 6)
    assert len(playable(three_missing, from_ms=None, to_ms=None, max_gap_ms=3 * MINUTE).gaps) == 1
    assert len(playable(three_missing, from_ms=None, to_ms=None, max_gap_ms=None).gaps) == 1
    with pytest.raises(GapTooLong) as caught:
        playable(three_missing, from_ms=None, to_ms=None, max_gap_ms=3 * MINUTE - 1)
    assert caught.value.gap == Gap(after=MINUTE, missing=3, resumes=5 * MINUTE)
    assert "for 3 min from 1970-01-01 00:02 to 1970-01-01 00:05 (UTC)" in str(caught.value)
    assert "--to 1970-01-01T00:02 or --from 1970-01-01T00:05, or both with --max-gap 0" in str(caught.value)


def test_both_ways_out_of_a_gap_work() -> None:
    three_missing = candles(0, 1, 5, 6)
    assert minutes_of(playable(three_missing, from_ms=None, to_ms=2 * MINUTE, max_gap_ms=1).candles) == [0, 1]
    assert minutes_of(playable(three_missing, from_ms=5 * MINUTE, to_ms=None, max_gap_ms=1).candles) == [5, 6]


def test_durations() -> None:
    written = {0: "0 s", 999: "0 s", 90_000: "1 min 30 s", 86_400_000: "1 d", 93_784_000: "1 d 2 h 3 min 4 s"}
    assert all(starmap(lambda length, text: duration_text(length) == text, written.items()))
