"""What every candle store promises, over each of them."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from dcacore.adapters.candles import MemoryCandleStore, ParquetCandleStore
from dcacore.domain.errors import InvalidParameter
from dcacore.ports.candle_store import CandleStore, Saved, Source
from dcacore.ports.candles import Candles, gaps
from dcacore.ports.errors import BadCandles, CandleConflict, NoCandles
from tests.unit.candles.market import MINUTE, START, candles, rows, same

DAY = 86_400_000


@pytest.fixture(params=["memory", "parquet"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CandleStore:
    return MemoryCandleStore() if request.param == "memory" else ParquetCandleStore(tmp_path / "candles")


def with_close(made: Candles, place: int, close: float) -> Candles:
    values = made.close.copy()
    values[place] = close
    return attrs.evolve(made, close=values)


def test_candles_come_back_equal(store: CandleStore) -> None:
    made = candles(rows())
    assert store.save("BTCUSDT", made) == Saved(added=50, replaced=0, unchanged=0)
    assert same(store.load("BTCUSDT", "1m"), made)


def test_saving_again_changes_nothing(store: CandleStore) -> None:
    made = candles(rows())
    store.save("BTCUSDT", made)
    assert store.save("BTCUSDT", made) == Saved(added=0, replaced=0, unchanged=50)
    assert same(store.load("BTCUSDT", "1m"), made)


def test_where_candles_came_from_is_kept(store: CandleStore) -> None:
    made = rows(60, DAY)
    first = Source(name="a.csv", sha256="a" * 64, first=START, last=START + 20 * DAY)
    second = Source(name="b.csv", sha256="b" * 64, first=START, last=START + 59 * DAY)
    assert store.sources("BTCUSDT", "1d") == ()
    store.save("BTCUSDT", candles(made[:21], DAY), sources=[first])
    store.save("BTCUSDT", candles(made, DAY), sources=[second])
    store.save("BTCUSDT", candles(made, DAY), sources=[first, second])
    assert store.sources("BTCUSDT", "1d") == (first, second)
    assert store.sources("BTCUSDT", "1m") == ()
    with pytest.raises(InvalidParameter):
        store.sources("btcusdt", "1d")


def test_new_candles_are_merged_over_months(store: CandleStore) -> None:
    made = rows(100, DAY)
    store.save("BTCUSDT", candles(made[40:70], DAY))
    store.save("BTCUSDT", candles(made[80:], DAY))
    assert store.save("BTCUSDT", candles(made[:85], DAY)) == Saved(added=50, replaced=0, unchanged=35)
    assert same(store.load("BTCUSDT", "1d"), candles(made, DAY))


def test_other_values_are_refused_and_nothing_is_changed(store: CandleStore) -> None:
    made = candles(rows(60, DAY), DAY)
    store.save("BTCUSDT", made)
    longer = candles(rows(90, DAY), DAY)
    with pytest.raises(
        CandleConflict, match=r"2021-05-12 00:00 \(\d+\) has close 101\.9, but the store has"
    ) as refusal:
        store.save("BTCUSDT", with_close(longer, 40, 101.9))
    assert refusal.value.open_time == START + 40 * DAY
    assert (refusal.value.column, refusal.value.stored, refusal.value.given) == ("close", made.close[40], 101.9)
    assert same(store.load("BTCUSDT", "1d"), made)


def test_replacing_takes_the_new_values(store: CandleStore) -> None:
    made = candles(rows(60, DAY), DAY)
    store.save("BTCUSDT", made)
    other = with_close(candles(rows(90, DAY), DAY), 40, 101.9)
    assert store.save("BTCUSDT", other, replace=True) == Saved(added=30, replaced=1, unchanged=59)
    assert same(store.load("BTCUSDT", "1d"), other)


def test_a_range_is_half_open(store: CandleStore) -> None:
    store.save("BTCUSDT", candles(rows(100, DAY), DAY))
    part = store.load("BTCUSDT", "1d", START + 20 * DAY, START + 60 * DAY)
    assert part.open_time.tolist() == [START + place * DAY for place in range(20, 60)]
    assert len(store.load("BTCUSDT", "1d", START + 99 * DAY)) == 1
    assert len(store.load("BTCUSDT", "1d", None, START + 1)) == 1


def test_what_is_not_there(store: CandleStore) -> None:
    store.save("BTCUSDT", candles(rows()))
    for pair, interval, start, end in (
        ("ETHUSDT", "1m", None, None),
        ("BTCUSDT", "5m", None, None),
        ("BTCUSDT", "1m", START + DAY, None),
        ("BTCUSDT", "1m", None, START),
        ("BTCUSDT", "1m", START + MINUTE, START),
    ):
        with pytest.raises(NoCandles):
            store.load(pair, interval, start, end)
    with pytest.raises(NoCandles, match="there are no candles of ETHUSDT"):
        store.check("ETHUSDT")


def test_list_is_sorted_by_pair_and_length(store: CandleStore) -> None:
    assert store.list() == ()
    store.save("ETHUSDT", candles(rows(40, DAY), DAY))
    store.save("ETHUSDT", candles(rows()))
    store.save("BTCUSDT", candles(rows(5)))
    assert [(entry.pair, entry.interval, entry.rows, entry.first, entry.last) for entry in store.list()] == [
        ("BTCUSDT", "1m", 5, START, START + 4 * MINUTE),
        ("ETHUSDT", "1m", 50, START, START + 49 * MINUTE),
        ("ETHUSDT", "1d", 40, START, START + 39 * DAY),
    ]


def test_check_reports_gaps_also_between_months(store: CandleStore) -> None:
    made = rows(100, DAY)
    kept = candles([row for place, row in enumerate(made) if place not in {5, 6, 28, 29, 30}], DAY)
    store.save("BTCUSDT", kept)
    [found] = store.check("BTCUSDT")
    assert (found.pair, found.interval, found.rows, found.problems) == ("BTCUSDT", "1d", 95, ())
    assert found.gaps == gaps(kept)
    assert [gap.missing for gap in found.gaps] == [2, 3]
    assert (found.gaps[1].after, found.gaps[1].resumes) == (START + 27 * DAY, START + 31 * DAY)


@pytest.mark.parametrize("pair", ["", "X", "btcusdt", "BTC/USDT", "../BTC", "BTC.", "BTC\n", "ＢＴＣ", "A" * 41])
def test_pairs_that_are_none(store: CandleStore, pair: str) -> None:
    made = candles(rows())
    for attempt in (lambda: store.save(pair, made), lambda: store.load(pair, "1m"), lambda: store.check(pair)):
        with pytest.raises(InvalidParameter, match="must be uppercase letters and digits"):
            attempt()


def test_impossible_candles_are_not_kept(store: CandleStore) -> None:
    with pytest.raises(BadCandles, match=r"made: row 4: close is -1\.0"):
        store.save("BTCUSDT", with_close(candles(rows()), 3, -1.0))
    with pytest.raises(BadCandles, match=r"row 1: .* is not on the grid of 1m"):
        store.save("BTCUSDT", candles(rows(start=START + 1)))
    with pytest.raises(InvalidParameter):
        store.load("BTCUSDT", "7m")
    assert store.list() == ()


def test_weeks_that_start_on_other_days_are_refused(store: CandleStore) -> None:
    store.save("BTCUSDT", candles(rows(20, 7 * DAY), 7 * DAY))
    with pytest.raises(BadCandles, match="is not on the grid"):
        store.save("BTCUSDT", candles(rows(20, 7 * DAY, START + 30 * 7 * DAY + DAY), 7 * DAY))


def test_every_double_comes_back_to_the_bit(store: CandleStore) -> None:
    odd = [(START + n * MINUTE, x, x * 1.1, x / 3, x, n / 7) for n, x in enumerate([5e-323, 1e-8, 0.1, 1 / 3, 1e300])]
    store.save("BTCUSDT", candles(odd))
    assert same(store.load("BTCUSDT", "1m"), candles(odd))


def test_gaps() -> None:
    made = candles([row for place, row in enumerate(rows()) if place not in {3, 10, 11}])
    assert [(gap.after, gap.missing, gap.resumes) for gap in gaps(made)] == [
        (START + 2 * MINUTE, 1, START + 4 * MINUTE),
        (START + 9 * MINUTE, 2, START + 12 * MINUTE),
    ]
    assert gaps(candles(rows(1))) == ()
    assert gaps(candles(rows(0))) == ()
