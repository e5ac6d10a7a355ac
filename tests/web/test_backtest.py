"""The backtest page: asked for, on its way, done, compared, repeated, made a bot of, deleted; and nobody else's."""

from __future__ import annotations

import asyncio
import datetime
import html
import json
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from click.testing import CliRunner

from dcacli.main import main
from dcacore import bootstrap
from dcacore.application.editing import bot_text
from dcacore.application.ranges import range_of
from dcacore.bootstrap.backtests import ABANDONED, Backtests
from dcacore.bootstrap.paper import InProcessPaper
from dcacore.bootstrap.playing import Order, play
from dcacore.domain.market import Fees
from dcacore.domain.money import Price
from dcacore.ports.backtests import BacktestRun, RunState
from dcacore.ports.errors import Unavailable
from dcacore.ports.exchange import Directory, Listing
from dcacore.ports.records import Environment
from dcacore.settings import Settings
from dcaweb.pages.backtest_views import rest
from tests.web.desk import MARKET, STRATEGY, Desk, desk_in
from tests.web.past import RANGE, store_two_days
from tests.web.stage import said

QUICK = attrs.evolve(STRATEGY, take_profit="0.3", price_deviation="0.3")
FILE = bot_text("File bot", QUICK, MARKET, Fees(fee_maker="0.001"))
FORM = {"file": FILE, **RANGE}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path, has_engine=False) as made:
        store_two_days(made.app)
        yield made
        await _backtests(made).close()


def _backtests(desk: Desk) -> Backtests:
    found: Backtests = desk.stage.web.state.backtests
    return found


async def _begun(desk: Desk, **changes: str) -> str:
    answer = await desk.browser.post("/backtest", {**FORM, **changes})
    assert answer.status_code == 303, said(answer)
    return str(answer.headers["location"]).removeprefix("/backtest/")


async def _played(desk: Desk, **changes: str) -> str:
    run_id = await _begun(desk, **changes)
    await asyncio.wait([_backtests(desk)._tasks[run_id]])
    return run_id


async def _run(desk: Desk, run_id: str) -> BacktestRun:
    return await _backtests(desk).of(desk.anna.id, run_id)


async def test_the_page_says_what_it_is_for_when_nothing_was_played(desk: Desk) -> None:
    page = await desk.browser.get("/backtest")
    assert page.status_code == 200
    assert "Nothing has been played yet" in said(page)
    assert 'aria-current="page"' in page.text


async def test_the_page_s_figures_are_those_of_the_command(desk: Desk, tmp_path: Path) -> None:
    run_id = await _played(desk, slippage="0.1", balance="5000", path="low_first")
    (tmp_path / "bot.toml").write_text(FILE)
    told = CliRunner().invoke(
        main,
        [
            *("backtest", str(tmp_path / "bot.toml"), "--interval", "1m", "--data-dir", desk.app.settings.data_dir),
            *("--from", "2024-01-01", "--to", "2024-01-02", "--path", "low_first"),
            *("--slippage", "0.001", "--balance", "5000", "--json"),
        ],
    )
    assert told.exit_code == 0, told.output
    report = await _backtests(desk).report(desk.anna.id, run_id)
    assert report is not None
    assert report == json.loads(told.stdout)
    page = await desk.browser.get(f"/backtest/{run_id}")
    assert f'value="{report["profit"]}"' in page.text
    assert f'value="{report["statistics"]["max_drawdown"]}"' in page.text
    assert re.search(rf'<th scope="row">{len(report["deals"])}</th>', page.text)
    assert f'value="{report["fees_base"]}"' in page.text
    ending = page.text[page.text.index("Open at the end") :]
    for name in ("base_price", "spent", "net", "take_profit_price", "unrealized"):
        assert f'value="{report["open_deal"][name]}"' in ending


def test_coins_that_could_not_be_sold_are_part_of_what_it_ends_with() -> None:
    ending = rest({"open_deal": None, "carried_quantity": "0.00001", "carried_cost": "0.3"})
    assert (ending.carried_quantity, ending.carried_cost) == (Decimal("0.00001"), Decimal("0.3"))
    assert ending.opened_at is None


async def test_every_chart_has_something_to_draw(desk: Desk) -> None:
    run_id = await _played(desk)
    for name in ("equity", "drawdown"):
        drawn = (await desk.browser.get(f"/backtest/{run_id}/drawn/{name}")).json()
        assert 0 < len(drawn["x"]) <= 1000
        assert all(len(it["values"]) == len(drawn["x"]) for it in drawn["series"])
    drawn = (await desk.browser.get(f"/backtest/{run_id}/drawn/candles")).json()
    times = {it["time"] for it in drawn["candles"]}
    assert 0 < len(times) <= 500
    assert {it["time"] for it in drawn["markers"]} <= times
    assert (await desk.browser.get(f"/backtest/{run_id}/drawn/nothing")).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"bot": "nobody"}, "bot"),
        ({"file": ""}, "file"),
        ({"file": "no = toml ="}, "file"),
        ({"file": "x" * 20_001}, "file"),
        ({"file": FILE.replace('take_profit = "0.3"', 'take_profit = "-1"')}, "file"),
        ({"pair": "btc/usdt"}, "pair"),
        ({"pair": "NOSUCHPAIR"}, "pair"),
        ({"source": "moon"}, "source"),
        ({"interval": "2m"}, "interval"),
        ({"interval": "1m", "from": "2020-01-01", "to": "2024-01-01"}, "interval"),
        ({"interval": "3d"}, "interval"),
        ({"file": "[bot", "pair": "ETHUSDT"}, "file"),
        ({"range": "ever"}, "range"),
        ({"from": ""}, "from"),
        ({"from": "2999-01-01", "to": "2999-01-02"}, "from"),
        ({"to": "2023-12-31"}, "to"),
        ({"to": "9999-12-31"}, "to"),
        ({"path": "sideways"}, "path"),
        ({"slippage": "100"}, "slippage"),
        ({"slippage": "NaN"}, "slippage"),
        ({"balance": "-1"}, "balance"),
        ({"balance": "much"}, "balance"),
    ],
)
async def test_what_cannot_be_is_said_at_its_field(desk: Desk, change: dict[str, str], field: str) -> None:
    page = await desk.browser.post("/backtest", {**FORM, **change})
    assert page.status_code in {404, 422}, said(page)
    assert f'id="{field}-error"' in page.text
    assert html.escape({**FORM, **change}["from"]) in page.text
    assert await _backtests(desk).all_of(desk.anna.id) == ()


async def test_one_of_the_users_bots_is_played_over_the_candles_of_its_exchange(desk: Desk) -> None:
    made = await desk.bot(starts=False)
    page = await desk.browser.get(f"/backtest?bot={made.bot.id}")
    assert f'value="{made.bot.id}" selected' in page.text
    run = await _run(desk, await _played(desk, bot=made.bot.id, source=""))
    assert (run.name, run.environment) == ("Calm", Environment.PAPER)
    assert run.state is RunState.FAILED
    assert "BTCUSDT" in run.failure
    assert "cannot be fetched" in run.failure


async def test_the_rules_of_a_pair_that_only_its_exchange_knows_are_asked_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Newcomers(Directory):
        async def prices(self) -> dict[str, Price]:
            return {}

        async def listings(self) -> tuple[Listing, ...]:
            market = attrs.evolve(MARKET, pair="NEWUSDT", base_asset="NEW", tick_size="0.5")
            return (Listing(market=market, is_trading=True),)

    async def directory(*_: object) -> Directory:
        return Newcomers()

    monkeypatch.setattr(InProcessPaper, "directory", directory)
    run = await _run(desk, await _begun(desk, pair="newusdt"))
    assert (run.pair, 'tick_size = "0.5"' in run.bot) == ("NEWUSDT", True)


async def test_progress_is_shown_until_it_has_ended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched, played = asyncio.Event(), asyncio.Event()

    async def slow_fetch(*given: Any) -> str:
        given[-1](0.25)
        await fetched.wait()
        return "two candles are missing"

    async def slow_play(order: Any, progress: Any) -> Any:
        progress(40)
        await played.wait()
        return play(order)

    monkeypatch.setattr("dcacore.bootstrap.fetching.fetch", slow_fetch)
    monkeypatch.setattr("dcacore.bootstrap.backtests.play_apart", slow_play)
    run_id = await _begun(desk, to="2024-01-03")
    assert "every 1s" in (await desk.browser.get(f"/backtest/{run_id}")).text
    part = await _part_in(desk, run_id, RunState.FETCHING)
    assert 'value="25"' in part.text
    assert "Fetching candles" in said(part)
    fetched.set()
    part = await _part_in(desk, run_id, RunState.RUNNING)
    assert 'value="40"' in part.text
    assert "40 %" in said(await desk.browser.get("/backtest"))
    played.set()
    await asyncio.wait([_backtests(desk)._tasks[run_id]])
    part = await desk.browser.get(f"/backtest/{run_id}/part")
    assert "every 1s" not in part.text
    assert f'href="/backtest/{run_id}"' in part.text
    assert (await desk.browser.get(f"/backtest/{run_id}/part?whole=1")).headers["hx-refresh"] == "true"
    assert "Two candles are missing." in said(await desk.browser.get(f"/backtest/{run_id}"))


async def _part_in(desk: Desk, run_id: str, state: RunState) -> Any:
    for _ in range(500):
        if (await _run(desk, run_id)).state is state and _backtests(desk).percent(run_id):
            break
        await asyncio.sleep(0.01)
    return await desk.browser.get(f"/backtest/{run_id}/part")


async def test_candles_that_cannot_be_had_are_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreachable(*_: Any) -> None:
        raise Unavailable("data.example does not answer")

    monkeypatch.setattr("dcacore.bootstrap.fetching._fetch", unreachable)
    run_id = await _played(desk, **{"from": "2024-02-01", "to": "2024-02-02"})
    page = said(await desk.browser.get(f"/backtest/{run_id}"))
    assert "2024-02-01" in page
    assert "dca data download BTCUSDT 1m" in page
    part_of_it = await _played(desk, to="2024-01-03")
    page = said(await desk.browser.get(f"/backtest/{part_of_it}"))
    assert "All figures" in page
    assert "2024-01-03" in page


async def test_two_are_compared_with_what_differs(desk: Desk) -> None:
    one = await _played(desk)
    other = await _played(desk, file=FILE.replace('take_profit = "0.3"', 'take_profit = "2.5"'))
    page = await desk.browser.get(f"/backtest/compare?run={one}&run={other}")
    differing = page.text.partition("What differs in")[2].partition("What is the same")[0]
    assert "Take profit" in differing
    assert "2.5" in differing
    assert "Base order" not in said(page).partition("What differs in")[2].partition("What is the same")[0]
    assert (await desk.browser.get(f"/backtest/compare?run={one}")).status_code == 422
    assert (await desk.browser.get(f"/backtest/compare?run={one}&run={one}")).status_code == 422
    assert (await desk.browser.get(f"/backtest/compare?run={one}&run=nobodys")).status_code == 404


async def test_it_is_repeated_with_what_was_chosen(desk: Desk) -> None:
    run_id = await _played(desk, slippage="0.25", balance="4000")
    page = await desk.browser.get(f"/backtest?again={run_id}")
    assert 'value="0.25"' in page.text
    assert 'value="4000"' in page.text
    assert 'value="2024-01-01"' in page.text
    assert 'value="2024-01-02"' in page.text
    assert "File bot" in page.text


async def test_a_bot_is_made_of_one(desk: Desk) -> None:
    run_id = await _played(desk)
    await desk.browser.post("/exchange/paper", {})
    await desk.bot("Taken", starts=False)
    refused = await desk.browser.post(f"/backtest/{run_id}/bot", {"name": "Taken", "account": "paper"})
    assert refused.status_code == 409, said(refused)
    answer = await desk.browser.post(f"/backtest/{run_id}/bot", {"name": "Made", "account": "paper"})
    assert answer.status_code == 303
    made = await desk.browser.get(answer.headers["location"])
    assert "Made" in said(made)


async def test_one_is_deleted_and_ends_if_it_is_under_way(desk: Desk) -> None:
    run_id = await _begun(desk)
    task = _backtests(desk)._tasks[run_id]
    assert (await desk.browser.post(f"/backtest/{run_id}/delete")).headers["location"] == "/backtest"
    assert task.done()
    assert (await desk.browser.get(f"/backtest/{run_id}")).status_code == 404
    assert (await desk.browser.post(f"/backtest/{run_id}/delete")).status_code == 404


async def test_nobody_else_sees_it(desk: Desk) -> None:
    run_id = await _played(desk)
    async with desk.bert() as bert:
        for path in ("", "/part", "/drawn/equity"):
            assert (await bert.get(f"/backtest/{run_id}{path}")).status_code == 404
        assert (await bert.get(f"/backtest?again={run_id}")).status_code == 404
        for path in ("/delete", "/bot"):
            assert (await bert.post(f"/backtest/{run_id}{path}", {"name": "x"})).status_code == 404
        assert (await bert.get(f"/backtest/compare?run={run_id}&run={run_id}x")).status_code == 404
        assert "File bot" not in (await bert.get("/backtest")).text
    async with desk.stage.another_browser() as stranger:
        assert (await stranger.get(f"/backtest/{run_id}")).status_code == 303
    assert (await _run(desk, run_id)).figures


async def test_what_was_played_is_there_after_a_restart(desk: Desk) -> None:
    run_id = await _played(desk)
    desk.stage.web.state.backtests = Backtests(desk.app)
    page = await desk.browser.get(f"/backtest/{run_id}")
    assert "All figures" in said(page)
    long_ago = desk.app.clock.now() - 2 * ABANDONED
    lost = attrs.evolve(await _run(desk, run_id), id="lost", state=RunState.RUNNING, seen_at=long_ago, figures={})
    async with desk.app.store.begin() as work:
        await work.backtests.add(lost)
        await work.commit()
    assert "The program that played it has ended" in said(await desk.browser.get("/backtest/lost"))


async def test_one_that_breaks_down_is_not_under_way(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> str:
        raise ArithmeticError

    monkeypatch.setattr(Backtests, "_fetched", broken)
    run_id = await _begun(desk)
    (done,), _ = await asyncio.wait([_backtests(desk)._tasks[run_id]])
    assert isinstance(done.exception(), ArithmeticError)
    assert (await _run(desk, run_id)).state is RunState.FAILED


async def test_a_time_without_a_whole_candle_is_refused(desk: Desk) -> None:
    now_ms = int(desk.app.clock.now().timestamp() * 1000)
    bot = bootstrap.bot_of_text("file", FILE)
    order = Order(
        bot=bot,
        market=MARKET,
        data_dir=desk.app.settings.data_dir,
        interval="1d",
        from_ms=now_ms,
        to_ms=now_ms,
        environment=Environment.LIVE,
    )
    run = await _backtests(desk).begin(desk.anna.id, order)
    await asyncio.wait([_backtests(desk)._tasks[run.id]])
    assert "no 1d candle has begun and closed" in (await _run(desk, run.id)).failure


async def test_no_more_than_two_are_under_way(desk: Desk) -> None:
    await _begun(desk)
    await _begun(desk)
    refused = await desk.browser.post("/backtest", FORM)
    assert refused.status_code == 409
    assert "under way" in said(refused)


def test_own_days_are_those_of_the_users_clocks() -> None:
    now = datetime.datetime(2024, 5, 1, tzinfo=datetime.UTC)
    begin, end = range_of("own", "2024-01-01", "2024-01-01", ZoneInfo("Asia/Tokyo"), now)
    assert begin == datetime.datetime(2023, 12, 31, 15, tzinfo=datetime.UTC)
    assert end - begin == datetime.timedelta(days=1)
    assert range_of("7", "", "", ZoneInfo("UTC"), now) == (now - datetime.timedelta(days=7), now)


async def test_the_figures_of_a_real_market_are_those_of_the_command(
    desk: Desk, real_data: Path, tmp_path: Path
) -> None:
    source = real_data / "binance-spot-BTCUSDT-1m-2021-04_2021-05.parquet"
    candles = bootstrap.read_candles(source)
    folder = tmp_path / "real"
    bootstrap.candle_store(folder).save("BTCUSDT", candles)
    desk.stage.web.state.backtests = Backtests(attrs.evolve(desk.app, settings=_settings(desk, folder)))
    desk.stage.web.state.dca = desk.stage.web.state.backtests.app
    begin = datetime.datetime.fromtimestamp(int(candles.open_time[0]) / 1000, datetime.UTC).date()
    days = (begin + datetime.timedelta(days=1), begin + datetime.timedelta(days=9))
    run_id = await _played(desk, **{"from": str(days[0]), "to": str(days[1])})
    (tmp_path / "bot.toml").write_text(FILE)
    terms = ("--interval", "1m", "--data-dir", str(folder), "--from", str(days[0]), "--to", str(days[1]), "--json")
    told = CliRunner().invoke(main, ["backtest", str(tmp_path / "bot.toml"), *terms])
    assert told.exit_code == 0, told.output
    report = await _backtests(desk).report(desk.anna.id, run_id)
    assert report is not None
    assert report["deals"]
    assert report == json.loads(told.stdout)


def _settings(desk: Desk, folder: Path) -> Settings:
    return attrs.evolve(desk.app.settings, data_dir=str(folder))
