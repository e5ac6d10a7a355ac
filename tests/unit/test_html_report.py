from __future__ import annotations

import itertools
import random
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from html.parser import HTMLParser
from typing import Final

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcacore.backtest.html import render_html
from dcacore.backtest.html._charts import FULL_SIZE_MARKERS, MOST_CANDLESTICKS, SIZE, Chart, time_charts
from dcacore.backtest.html._scales import Scale, amount_scale, level_ticks, price_scale, time_ticks
from dcacore.backtest.html._text import duration, exactly, number, regrouped, signed
from dcacore.backtest.report import BacktestReport
from dcacore.backtest.run import backtest
from dcacore.domain.deal import Exit
from dcacore.domain.market import Fees
from dcacore.domain.money import plain
from dcacore.domain.orders import Role
from dcacore.domain.preview import ladder
from dcacore.domain.strategy import Strategy
from dcacore.ports.candles import Candles
from tests.unit.played import MARKET, STRATEGY, walk

VOID: Final = frozenset({"meta", "link"})
OPTIONAL_END: Final = frozenset({"tr", "td", "th", "path", "use", "line", "rect", "circle"})
FEES: Final = Fees()
WITH_STOP: Final = attrs.evolve(STRATEGY, stop_loss=Decimal(3))


def page(
    candles: Candles,
    strategy: Strategy = STRATEGY,
    *,
    name: str = "calm",
    warnings: Sequence[str] = (),
    band: Mapping[str, Decimal] | None = None,
    gaps: int = 0,
    report: BacktestReport | None = None,
    balance: Decimal | None = None,
) -> str:
    report = backtest(strategy, MARKET, FEES, candles, balance=balance) if report is None else report
    return render_html(
        report,
        candles,
        name=name,
        strategy=strategy,
        market=MARKET,
        fees=FEES,
        warnings=warnings,
        band=band,
        gaps=gaps,
    )


class Outline(HTMLParser):
    """What tests ask of a page: its text, the ids it gives and refers to, and whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.named: set[str] = set()
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        if "id" in values:
            self.ids.append(values["id"])
        for reference in ("aria-labelledby", "aria-describedby"):
            self.named.update(values.get(reference, "").split())
        if values.get("href", "").startswith("#"):
            self.named.add(values["href"][1:])
        if tag not in VOID | OPTIONAL_END:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID | OPTIONAL_END:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def paths(html: str) -> list[str]:
    return re.findall(r' d="([^"]+)"', html)


@pytest.fixture(scope="module")
def candles() -> Candles:
    return walk(5)


@pytest.fixture(scope="module")
def report(candles: Candles) -> BacktestReport:
    return backtest(WITH_STOP, MARKET, FEES, candles)


def test_nothing_is_fetched(candles: Candles) -> None:
    html = page(candles)
    assert "://" not in html
    assert "src=" not in html
    assert "@import" not in html
    assert set(re.findall(r"url\(([^)]*)\)", html)) == {"#hatch"}
    assert set(re.findall(r'href="([^#"][^"]*)"', html)) == {"data:,"}
    assert "default-src 'none'" in html


@pytest.mark.parametrize("length", [1, 2, MOST_CANDLESTICKS, MOST_CANDLESTICKS + 1, 900])
def test_tags_are_closed_and_ids_given_once_and_found(length: int) -> None:
    outline = Outline(page(walk(5, length), WITH_STOP))
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.named <= set(outline.ids)


def test_the_same_arguments_give_the_same_page(candles: Candles) -> None:
    assert page(candles) == page(candles)


def test_what_a_user_typed_stays_text() -> None:
    hostile = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}"
    html = page(walk(1, 30), name=hostile, warnings=[f"beware: {hostile}"])
    assert "<img" not in html
    assert html.count("<script") == 1
    assert Outline(html).words.count(hostile) == 1
    assert "alert(1)</script>" not in html


def test_every_closed_deal_has_its_row(candles: Candles, report: BacktestReport) -> None:
    html = page(candles, WITH_STOP, report=report)
    rows = re.findall(r"<tr[^>]*><th scope=row>(\d+)<td>", html)
    assert rows == [str(place) for place in range(1, len(report.deals) + 1)]
    assert len(rows) > 20
    for deal in report.deals:
        assert f"<td>{signed(deal.profit, 2)}<td>{deal.reason.value.replace('_', ' ')}" in html


def test_every_fill_is_marked(candles: Candles, report: BacktestReport) -> None:
    chart = time_charts(report, candles, MARKET, FEES, 2)["price"]
    deals = [deal.deal for deal in report.deals] + ([report.open_deal.deal] if report.open_deal else [])
    for role in (Role.BASE, Role.SAFETY, Role.TAKE_PROFIT, Role.STOP_LOSS):
        fills = sum(len(order.fills) for deal in deals for order in deal.orders.values() if order.role is role)
        drawn = next(each for each in chart.markers if each.kind == role.value)
        assert drawn.total == fills == len(drawn.points)
        assert all(0 <= float(x) <= 100 and 0 <= float(y) <= 100 for x, y in drawn.points)


@given(st.integers(0, 2**32), st.integers(2, 12_000), st.booleans())
def test_no_series_is_longer_than_5000_points_and_none_loses_an_extreme(seed: int, length: int, crashes: bool) -> None:
    rng = np.random.default_rng(seed)
    steps = np.round(rng.normal(0, 4, length)) - (9_000 if crashes else 0) * (np.arange(length) == length // 2)
    close = np.maximum(np.round(10_000 + np.cumsum(steps)), 2) / 100
    opens = np.concatenate([close[:1], close[:-1]])
    candles = Candles(
        interval_ms=60_000,
        open_time=np.arange(length, dtype=np.int64) * 60_000,
        open=opens,
        high=np.round(np.maximum(opens, close) + 0.01, 2),
        low=np.round(np.minimum(opens, close) - 0.01, 2),
        close=close,
        volume=np.ones(length),
    )
    report = _idle(candles)
    chart = time_charts(report, candles, MARKET, FEES, 2)["price"]
    shapes = {line.kind: [int(each) for each in re.findall(r"-?\d+", line.path)] for line in chart.lines}
    assert all(len(numbers) <= 2 * 5_000 for numbers in shapes.values())
    closes, wicks = shapes["hidden"][1::2], [int(each) for each in re.findall(r"[ V](\d+)", _line(chart, "wick"))]
    for tops, lows, highs in ((closes, candles.close, candles.close), (wicks, candles.low, candles.high)):
        assert max(tops) == round(SIZE - SIZE * chart.up.share(float(lows.min())))
        assert min(tops) == round(SIZE - SIZE * chart.up.share(float(highs.max())))


def _line(chart: Chart, kind: str) -> str:
    return next(line.path for line in chart.lines if line.kind == kind)


def _idle(candles: Candles) -> BacktestReport:
    played = backtest(STRATEGY, MARKET, FEES, walk(1, 2), balance=Decimal(1))
    return attrs.evolve(played, candles=len(candles), marks=())


def test_a_long_gap_breaks_the_lines_and_has_no_candlesticks() -> None:
    whole = walk(5, 600)
    later = np.where(np.arange(600) < 300, 0, 86_400_000)
    parted = attrs.evolve(whole, open_time=whole.open_time + later)
    for candles, pieces in ((whole, 1), (parted, 2)):
        charts = time_charts(backtest(STRATEGY, MARKET, FEES, candles), candles, MARKET, FEES, 2)
        sticks = ("wick", "rise", "fall")
        lines = {line.path.count("M") for chart in charts.values() for line in chart.lines if line.kind not in sticks}
        assert lines == {pieces}
    chart = time_charts(_idle(parted), parted, MARKET, FEES, 2)["price"]
    bodies = [int(x) for kind in ("rise", "fall") for x in re.findall(r"[MH](\d+)", _line(chart, kind))]
    share = 300 * 60_000 / (86_400_000 + 600 * 60_000)
    assert not [x for x in bodies if share * SIZE < x < (1 - share) * SIZE]


@pytest.mark.parametrize(
    ("length", "interval_ms", "sticks", "words"),
    [
        (1, 60_000, 1, "1 min"),
        (MOST_CANDLESTICKS, 60_000, MOST_CANDLESTICKS, "1 min"),
        (MOST_CANDLESTICKS + 80, 60_000, 160, "3 min"),
        (600, 60_000, 200, "3 min"),
        (731, 43_200_000, 366, "1 d"),
        (900, 86_400_000, 129, "7 d"),
        (50, 1_000, 50, "1 s"),
    ],
)
def test_the_market_is_drawn_in_candlesticks_that_say_how_long_they_are(
    length: int, interval_ms: int, sticks: int, words: str
) -> None:
    candles = walk(5, length, interval_ms)
    chart = time_charts(_idle(candles), candles, MARKET, FEES, 2)["price"]
    bodies = _line(chart, "rise").count("M") + _line(chart, "fall").count("M")
    assert bodies == _line(chart, "wick").count("M") / 2
    assert sticks <= bodies <= sticks + 1  # a range that begins off the grid has one more
    assert f"each candlestick is {words}" in Outline(page(candles)).text
    if words == "1 min":
        assert _line(chart, "fall").count("M") == int((candles.close < candles.open).sum())


def test_a_candlestick_stands_where_its_fills_are_marked() -> None:
    candles = walk(5, 30)
    chart = time_charts(backtest(STRATEGY, MARKET, FEES, candles), candles, MARKET, FEES, 2)["price"]
    middles = {int(x) / 100 for x in re.findall(r"M(\d+) ", _line(chart, "wick"))}
    marked = [float(x) for each in chart.markers for x, _ in each.points]
    assert marked
    assert all(min(abs(x - middle) for middle in middles) < 0.02 for x in marked)


def test_kinds_of_markers_have_shapes_of_their_own_one_size_and_a_halo(
    candles: Candles, report: BacktestReport
) -> None:
    html = page(candles, WITH_STOP, report=report)
    shapes = dict(re.findall(r'<g id="(m-[a-z_]+)"><path class="halo" d="([^"]+)"/><path d="\2"/></g>', html))
    assert list(shapes) == ["m-base", "m-safety", "m-take_profit", "m-trailing", "m-stop_loss", "m-close"]
    assert len(set(shapes.values())) == len(shapes)
    stopped = next(place for place, deal in enumerate(report.deals) if deal.reason is Exit.STOP_LOSS)
    for deals, size in ((report.deals[: stopped + 1], "m"), (report.deals, "s")):
        many = page(candles, WITH_STOP, report=attrs.evolve(report, deals=deals))
        drawn = re.findall(r'<use href="#([ms])-([a-z_]+)" x="[0-9.]+%"', many)
        assert (len(drawn) > FULL_SIZE_MARKERS) == (size == "s")
        assert {each for each, _ in drawn} == {size}
        assert {kind for _, kind in drawn} == {"base", "safety", "take_profit", "stop_loss"}


def test_a_trailing_take_profit_has_a_marker_of_its_own(candles: Candles) -> None:
    trailing = attrs.evolve(STRATEGY, trailing_deviation=Decimal("0.2"))
    played = backtest(trailing, MARKET, FEES, candles)
    markers = {each.kind: each for each in time_charts(played, candles, MARKET, FEES, 2)["price"].markers}
    assert markers["trailing"].total == sum(deal.reason is Exit.TRAILING_TAKE_PROFIT for deal in played.deals) > 0
    assert "trailing take profit" in Outline(page(candles, trailing)).text


def test_a_narrow_screen_moves_the_market_sideways(candles: Candles) -> None:
    html = page(candles)
    assert html.count('<div class="frame" role="region" aria-label="Price of') == 1
    assert "overflow-x: auto" in html


def test_warnings_gaps_and_funds_are_told(candles: Candles) -> None:
    text = Outline(page(candles, warnings=["the stop loss at 9 lies above safety order 1 at 10"], gaps=3)).text
    assert "Warning The stop loss at 9 lies above safety order 1 at 10." in text
    assert "3 gaps" in text


def test_the_funds_of_the_ladder_are_one_figure(candles: Candles) -> None:
    needed = ladder(STRATEGY, Decimal(repr(float(candles.open[0]))), MARKET, FEES).rows[-1].total_spent
    assert needed != round(needed, 2)
    told = f"the balance of 1500 USDT does not pay for the whole ladder, which can tie up {plain(needed)} USDT"
    text = Outline(page(candles, warnings=[told])).text
    funds = number(needed, 2)
    assert (
        f"Warning The balance of 1,500 USDT does not pay for the whole ladder, which can tie up {funds} USDT." in text
    )
    assert f"The ladder can tie up {funds} USDT at the first price (the base order and 6 safety orders)." in text
    assert plain(needed) not in text


def test_only_plain_numbers_are_regrouped() -> None:
    text = "from 2021-04-20 02:00 at 28500 above 28389.65: a1234 1234/5 10,000 1234.5."
    assert regrouped(text, {"28500": "x"}) == "from 2021-04-20 02:00 at x above 28,389.65: a1234 1234/5 10,000 1,234.5."


def test_the_profit_of_every_path_is_told(candles: Candles) -> None:
    played = {path: backtest(STRATEGY, MARKET, FEES, candles, path=path).profit for path in ("nearest", "low_first")}
    text = Outline(page(candles, band=played)).text
    assert f"from {signed(min(played.values()), 2)} to {signed(max(played.values()), 2)} USDT" in text
    assert "nearer extreme first (this run)" in text
    assert "low_first" in text
    assert (
        "the profit is the same" in Outline(page(candles, band={"nearest": Decimal(1), "low_first": Decimal(1)})).text
    )
    assert "order of events" not in Outline(page(candles)).text


def test_without_a_closed_deal_the_page_says_so() -> None:
    text = Outline(page(walk(1, 2), attrs.evolve(STRATEGY, take_profit=Decimal(50)))).text
    assert "No deal has closed: the only one is still open." in text
    assert "no profits and durations to spread out" in text
    assert "A deal is still open when the data ends." in text


def test_without_any_fill_the_page_says_so() -> None:
    text = Outline(page(walk(1, 30), balance=Decimal(10))).text
    assert "Nothing was ever bought" in text
    assert "No deal has closed." in text
    assert "No deal is open when the data ends." in text
    assert "nothing to draw" in text


def test_the_terms_of_the_run_are_listed(candles: Candles, report: BacktestReport) -> None:
    text = Outline(
        render_html(
            report,
            candles,
            name="calm",
            strategy=WITH_STOP,
            market=MARKET,
            fees=FEES,
            warnings=(),
            band=None,
            slippage=Decimal("0.0005"),
            balance=Decimal(12_500),
        )
    ).text
    assert "slippage 0.0005 (0.05 %)" in text
    assert "balance 12,500 USDT" in text
    assert "balance without limit" in Outline(page(candles)).text


def test_every_parameter_is_listed(candles: Candles) -> None:
    html = page(candles)
    for field in attrs.fields(Strategy):
        assert f"<code>{field.name}</code>" in html


def test_a_chart_is_described_and_headers_are_headers(candles: Candles) -> None:
    html = page(candles)
    charts = html.count('role="img"')
    assert charts == 5
    assert html.count("<desc ") == charts
    for table in re.findall(r"<table.*?</table>", html, re.DOTALL):
        assert '<th scope="col"' in table
        assert "<th scope" in table.partition("<tbody")[2]


def test_thousands_of_deals_stay_a_page_that_opens(candles: Candles, report: BacktestReport) -> None:
    many = tuple(itertools.islice(itertools.cycle(report.deals), 5_000))
    html = page(candles, report=attrs.evolve(report, deals=many))
    assert len(html.encode()) < 3_000_000
    assert html.count("<th scope=row>") == 5_000
    assert all(html.count(f'href="#s-{role.value}"') <= 5_000 for role in Role)


# Colours are judged by the contrast that WCAG 2.1 asks for: 4.5 for text, 3 for the marks of a chart.
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        ("on-surface", "surface", 4.5),
        ("on-surface", "container", 4.5),
        ("on-variant", "low", 4.5),
        ("on-variant", "container", 4.5),
        ("on-primary", "primary", 4.5),
        ("on-primary-container", "primary-container", 4.5),
        ("on-warn-container", "warn-container", 4.5),
        ("gain", "container", 4.5),
        ("loss", "container", 4.5),
        ("loss", "low", 4.5),
        ("primary", "low", 3),
        ("held", "low", 3),
        ("base", "low", 3),
        ("safety", "low", 3),
        ("trailing", "low", 3),
        ("outline", "low", 3),
    ],
)
def test_colours_are_told_apart(theme: str, front: str, back: str, least: float) -> None:
    style = page(walk(1, 2)).partition("</style>")[0]
    values = re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", style)
    half = next(place for place, (name, _) in enumerate(values) if place and name == "primary")
    colours = dict(values[:half] if theme == "light" else values[half:])
    bright, dim = sorted((_luminance(colours[front]), _luminance(colours[back])), reverse=True)
    assert (bright + 0.05) / (dim + 0.05) >= least


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("scale", "labels"),
    [
        (price_scale(27_238.43, 30_758.06), ["28,000", "29,000", "30,000"]),
        (price_scale(735, 19_891), ["1,000", "2,000", "5,000", "10,000", "20,000"]),
        (price_scale(0.00004, 88.35), ["0.0001", "0.01", "1", "100"]),
        (price_scale(0.00001234, 0.00001302), ["0.0000124", "0.0000126", "0.0000128", "0.0000130"]),
        (amount_scale(-320, 70), ["\u2212300", "\u2212200", "\u2212100", "0"]),
        (amount_scale(0, 0.4), ["0.0", "0.1", "0.2", "0.3", "0.4"]),
    ],
)
def test_levels_are_round_numbers(scale: Scale, labels: list[str]) -> None:
    assert [tick.label for tick in level_ticks(scale)] == labels


@pytest.mark.parametrize(
    ("minutes", "labels"),
    [
        (1, ["14 Sep", "00:01"]),
        (30, ["14 Sep", "00:05", "00:10", "00:15", "00:20", "00:25", "00:30"]),
        (60 * 36, ["14 Sep", "06:00", "12:00", "18:00", "15 Sep", "06:00", "12:00"]),
        (60 * 24 * 8, ["14 Sep 2020", *(f"{day} Sep" for day in range(15, 23))]),
        (60 * 24 * 30, ["16 Sep 2020", "21 Sep", "26 Sep", "1 Oct", "6 Oct", "11 Oct"]),
        (60 * 24 * 365, ["Nov 2020", "Jan 2021", "Mar", "May", "Jul", "Sep"]),
        (60 * 24 * 365 * 7, ["Jan 2021", "Jan 2022", "Jan 2023", "Jan 2024", "Jan 2025", "Jan 2026", "Jan 2027"]),
    ],
)
def test_times_are_round_and_dated(minutes: int, labels: list[str]) -> None:
    start = 1_600_041_600_000
    assert [tick.label for tick in time_ticks(Scale(low=start, high=start + minutes * 60_000))] == labels


@given(st.floats(1e-8, 1e7), st.floats(1.0001, 1e6))
def test_there_are_always_some_levels_and_never_too_many(low: float, factor: float) -> None:
    for scale in (price_scale(low, low * factor), amount_scale(0, low * factor), amount_scale(-low, low * factor)):
        levels = level_ticks(scale)
        assert 1 <= len(levels) <= 9
        assert all(-0.01 <= tick.at <= 100.01 for tick in levels)
        assert len({tick.label for tick in levels}) == len(levels)


@given(st.integers(0, 1_900_000_000_000), st.integers(60_000, 10**12))
def test_there_are_never_too_many_times(start: int, length: int) -> None:
    ticks = time_ticks(Scale(low=start, high=start + length))
    assert len(ticks) <= 9
    assert all(0 <= tick.at <= 100 for tick in ticks)


def test_numbers_as_people_read_them() -> None:
    assert number(Decimal("-1234.5"), 2) == "\u22121,234.50"
    assert number(Decimal("-0.001"), 2) == "0.00"
    assert [signed(Decimal(each), 1) for each in ("1", "0", "-1", "0.01")] == ["+1.0", "0.0", "\u22121.0", "0.0"]
    assert exactly(Decimal("-1234567.10")) == "\u22121,234,567.1"
    assert [duration(each) for each in (0, 59, 60, 3_600, 9_000, 86_400, 90_000)] == [
        *("0 s", "59 s", "1 min", "1 h", "2 h 30 min", "1 d", "1 d 1 h"),
    ]


def test_a_seed_of_bots_over_odd_markets_makes_whole_pages() -> None:
    rng = random.Random(11)
    for seed in range(12):
        candles = walk(seed, rng.choice([1, 3, 50, 300]), rng.choice([1_000, 60_000, 3_600_000, 86_400_000]))
        html = page(candles, attrs.evolve(STRATEGY, trailing_deviation=Decimal(seed % 2), max_deals=seed % 3))
        assert Outline(html).open == []
        assert all("nan" not in path and "inf" not in path for path in paths(html))
