"""Which files cover a range, and what they leave open."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcacore.application.download_plan import Wanted, days_instead, pieces, uncovered
from dcacore.domain.errors import InvalidParameter

DAY = 86_400_000


def ms(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp() * 1000)


def wanted(begins: str, ends: str, interval: str = "1m") -> Wanted:
    return Wanted(pair="BTCUSDT", interval=interval, from_ms=ms(begins), to_ms=ms(ends))


def periods(it: Wanted) -> list[list[str]]:
    return [[piece.period for piece in month] for month in pieces(it)]


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        ("2021-01-01", "2021-04-01", [["2021-01"], ["2021-02"], ["2021-03"]]),
        ("2020-12-01", "2021-02-03", [["2020-12"], ["2021-01"], ["2021-02-01", "2021-02-02"]]),
        ("2021-02-27", "2021-03-02", [["2021-02-27", "2021-02-28"], ["2021-03-01"]]),
        ("2021-02-27 10:00", "2021-03-02 00:01", [["2021-02-28"], ["2021-03-01"]]),
        ("2021-02-27 10:00", "2021-02-27 23:00", []),
        ("2024-02-01", "2024-03-01 00:00:01", [["2024-02"]]),
    ],
)
def test_whole_months_are_one_file_and_other_days_one_each(begins: str, ends: str, expected: list[list[str]]) -> None:
    assert periods(wanted(begins, ends)) == expected


def test_candles_of_several_days_have_no_daily_files() -> None:
    assert periods(wanted("2021-02-01", "2021-03-20", "1w")) == [["2021-02"]]


def test_a_piece_knows_its_file_and_its_time() -> None:
    [[month], *_] = pieces(wanted("2021-02-01", "2021-04-01"))
    assert (month.name, month.begins, month.ends) == ("BTCUSDT-1m-2021-02.zip", ms("2021-02-01"), ms("2021-03-01"))


def test_a_month_that_has_just_ended_is_looked_for_by_days() -> None:
    it = wanted("2021-02-01", "2021-03-01")
    [[month]] = pieces(it)
    assert len(days_instead(it, month, ms("2021-03-03"))) == 28
    assert days_instead(it, month, ms("2021-06-01")) == ()
    assert days_instead(it, days_instead(it, month, ms("2021-03-03"))[0], ms("2021-03-03")) == ()


def test_the_future_is_not_waited_for() -> None:
    now = ms("2021-02-03 10:00")
    assert wanted("2021-02-01", "9999-01-01").until(now) == wanted("2021-02-01", "2021-02-03 10:00")


def test_before_1970_there_is_nothing_to_look_for() -> None:
    assert wanted("1900-01-01", "2021-01-01").until(ms("2022-01-01")).from_ms == 0


@pytest.mark.parametrize(
    ("begins", "ends", "pair", "interval", "reason"),
    [
        ("2021-02-01", "2021-02-01", "BTCUSDT", "1m", "must lie before the end, 2021-02-01 00:00"),
        ("2021-02-03", "2021-02-01", "BTCUSDT", "1m", "must lie before the end"),
        ("2031-02-03", "2031-02-05", "BTCUSDT", "1m", "lies in the future"),
        ("2021-02-01", "2021-02-03", "btcusdt", "1m", "uppercase"),
        ("2021-02-01", "2021-02-03", "BTC/USDT", "1m", "uppercase"),
        ("2021-02-01", "2021-02-03", "../../x", "1m", "uppercase"),
        ("2021-02-01", "2021-02-03", "BTCUSDT", "7m", "must be one of 1s, 1m"),
        ("2021-02-01", "2021-02-03", "BTCUSDT", "1M", "months have no fixed length"),
        ("2021-02-01", "2021-02-03", "BTCUSDT", "1mo", "months have no fixed length"),
    ],
)
def test_what_cannot_be_had_is_refused(begins: str, ends: str, pair: str, interval: str, reason: str) -> None:
    it = Wanted(pair=pair, interval=interval, from_ms=ms(begins), to_ms=ms(ends))
    with pytest.raises(InvalidParameter, match=reason):
        it.until(ms("2026-01-01"))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda two: (min(two), max(two)))))
def test_what_is_uncovered_and_what_covers_are_together_the_whole(covered: list[tuple[int, int]]) -> None:
    left = [time for begins, ends in uncovered((5, 25), covered) for time in range(begins, ends)]
    assert left == [time for time in range(5, 25) if not any(begins <= time < ends for begins, ends in covered)]
