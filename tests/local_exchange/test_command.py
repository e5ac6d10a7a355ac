"""`dca exchange serve`, as a user starts it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dcacore.local_exchange.opening import symbol_in
from tests.local_exchange.api import LIMIT_BUY, MARKET_BUY, Api

DCA = Path(sys.executable).with_name("dca")
CANDLES = """open_time,open,high,low,close,volume
1617321600000,100.00,103.00,99.00,101.00,1
1617321660000,102.00,102.50,98.00,98.50,1
"""


@contextlib.contextmanager
def serving(*options: str, cwd: Path | None = None) -> Iterator[tuple[dict[str, str], subprocess.Popen[str]]]:
    """Yield where a server is and its process, which ends with the block."""
    with subprocess.Popen(
        [DCA, "exchange", "serve", "--port", "0", "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, process.stderr and process.stderr.read()
            yield json.loads(line), process
        finally:
            process.kill()


def refused(*options: str) -> tuple[int, str]:
    done = subprocess.run(
        [DCA, "exchange", "serve", "--port", "0", *options], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


async def test_an_exchange_with_accounts_of_its_own() -> None:
    options = ("--pair", "BTCUSDT=30000", "--balance", "USDT=500,BTC=0.1", "--key", "anna:hers", "--fee", "0.002")
    with serving(*options) as (urls, process):
        async with httpx.AsyncClient(base_url=urls["rest"]) as http:
            anna = Api(http, "anna", "hers")
            assert (await anna.free("USDT"), await anna.free("BTC")) == ("500.00000000", "0.10000000")
            bought = (await anna.order(MARKET_BUY)).json()
            assert bought["fills"][0]["commission"] == "0.00002000"
            assert (await Api(http, "anna", "another").order(MARKET_BUY)).json()["code"] == -1022
            assert (await http.post("/control/reset")).status_code == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--seed", "1"), 2, "--seed needs --random-walk"),
        (("--paper", "--candles", "BTCUSDT-1m.csv"), 2, "--paper has prices of its own"),
        (("--paper", "--speed", "5"), 2, "--paper has prices of its own"),
        (("--paper", "--state", "none/of/this"), 1, "this: No such file or directory"),
        (("--balance", "many"), 2, "is not such as USDT=10000"),
        (("--balance", "USDT=-1"), 2, "is not such as USDT=10000"),
        (("--balance", "USDT=" + "9" * 30), 2, "is not such as USDT=10000"),
        (("--pair", "BTCUSDT=0"), 2, "is not such as BTCUSDT=30000"),
        (("--random-walk", "--speed", "nan"), 2, "--speed takes a number"),
        (("--key", "anna"), 2, "KEY:SECRET"),
        (("--pair", "BTCUSDT=1.001"), 1, "tick size is 0.01"),
        (("--pair", "NOTHING=1"), 1, "NOTHING does not end with what it is priced in, such as USDT"),
        (("--candles", "none.csv"), 1, "name its pair with --pair"),
        (("--candles", "BTCUSDT-1m.csv"), 1, "BTCUSDT-1m.csv"),
        (("--host", "0.0.0.0", "--control"), 1, "only for a server on the loopback"),
        (("--host", "192.0.2.1"), 1, "cannot listen on 192.0.2.1"),
    ],
)
def test_what_is_refused(options: tuple[str, ...], code: int, words: str) -> None:
    status, told = refused(*options)
    assert status == code, told
    assert words in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTCUSDT-1m-2021-04.zip", "BTCUSDT"),
        ("btcusdt_1m.csv", "BTCUSDT"),
        ("BTC_USDT-1m.feather", "BTCUSDT"),
        ("candles.csv", None),
        ("USDT.csv", None),
    ],
)
def test_the_pair_in_the_name_of_a_file(name: str, symbol: str | None) -> None:
    assert symbol_in(name) == symbol


async def test_markets_that_follow_candles_step_by_step(tmp_path: Path) -> None:
    (tmp_path / "BTCUSDT-1m.csv").write_text(CANDLES)
    with serving("--candles", "BTCUSDT-1m.csv", "--control", cwd=tmp_path) as (urls, _):
        async with httpx.AsyncClient(base_url=urls["rest"]) as http:
            api = Api(http, "anna", "hers")
            stand: dict[str, Any] = {"is_over": False}
            prices = []
            await api.control("watch", symbol="BTCUSDT", prices=["101.5"])
            while not stand["is_over"]:
                stand = await api.control("step")
                prices.append(stand["price"])
            assert prices == ["100", "99", "101.5", "103", "101.5", "101", "102", "102.5", "101.5", "98", "98.5"]
            server_time = (await http.get("/api/v3/time")).json()["serverTime"]
            assert server_time == 1617321660000
            assert (await api.order(MARKET_BUY | {"quantity": "1"})).json()["fills"][0]["price"] == "98.50000000"


async def test_steps_that_go_on_past_the_points_of_candles(tmp_path: Path) -> None:
    (tmp_path / "BTCUSDT-1m.csv").write_text(CANDLES)
    with serving("--candles", "BTCUSDT-1m.csv", "--control", cwd=tmp_path) as (urls, _):
        async with httpx.AsyncClient(base_url=urls["rest"]) as http:
            api = Api(http, "anna", "hers")
            told = await api.control("watch", symbol="BTCUSDT", prices=["101.5"], above="102.2")
            assert told == {"symbol": "BTCUSDT", "prices": ["101.5"], "above": "102.2"}
            seen = [await api.control("step", past_points=True, until_ms=1617321660000) for _ in range(4)]
            assert [stand["price"] for stand in seen] == ["101.5", "103", "101.5", "102"]
            assert [stand["point"] for stand in seen] == [None, "second", None, "open"]
            for wrong in ({"past_points": "yes"}, {"until_ms": "soon"}, {"until_ms": True}, {"until_ms": 10**30}):
                answer = await http.post("/control/step", json=wrong)
                assert answer.status_code == 400, answer.text
                assert next(iter(wrong)) in answer.json()["error"]


async def test_markets_that_wander() -> None:
    with serving("--random-walk", "--seed", "7", "--speed", "50") as (urls, _):
        async with httpx.AsyncClient(base_url=urls["rest"]) as http:
            api = Api(http, "anna", "hers")
            first = (await api.call("GET", "/api/v3/ticker/price", symbol="BTCUSDT")).json()["price"]
            for _attempt in range(200):
                if (await api.call("GET", "/api/v3/ticker/price", symbol="BTCUSDT")).json()["price"] != first:
                    break
            else:
                pytest.fail("the market stands still")


async def test_what_is_kept_outlives_a_kill(tmp_path: Path) -> None:
    (tmp_path / "BTCUSDT-1m.csv").write_text(CANDLES)
    options = ("--candles", "BTCUSDT-1m.csv", "--control", "--state", "books")
    with serving(*options, "--key", "anna:hers", cwd=tmp_path) as (urls, _):
        async with httpx.AsyncClient(base_url=urls["rest"]) as http:
            api = Api(http, "anna", "hers")
            for _ in range(2):
                await api.control("step")
            await api.order(LIMIT_BUY | {"price": "98.2", "quantity": "1"}, newClientOrderId="resting")
            await api.order(MARKET_BUY | {"quantity": "1"})
            before = await api.books()
        _, told = refused("--state", str(tmp_path / "books"))
        assert "another exchange has this file" in told
    with serving(*options, cwd=tmp_path) as (urls, _):
        async with httpx.AsyncClient(base_url=urls["rest"]) as http:
            api = Api(http, "anna", "hers")
            assert await api.books() == before
            assert (await Api(http, "anna", "another").order(MARKET_BUY)).json()["code"] == -1022
            prices = [(await api.control("step"))["price"] for _ in range(5)]
            assert prices == ["103", "101", "102", "102.5", "98.2"]
            await api.control("step")
            kept = await api.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="resting")
            assert kept.json()["status"] == "FILLED"


async def test_an_exchange_for_paper_accounts_of_several_workers(tmp_path: Path) -> None:
    options = ("--paper", "--random-walk", "--pair", "ODDUSDT=0.25", "--state", "books")
    with serving(*options, cwd=tmp_path) as (urls, _):
        async with httpx.AsyncClient(base_url=urls["rest"]) as http:
            api = Api(http, "paper-anna", "hers")
            assert (await http.get("/about")).json()["prices"] == "random walk"
            told = (await api.call("GET", "/api/v3/exchangeInfo")).json()
            assert told["rateLimits"] == []
            assert {"BTCUSDT", "SOLUSDT", "ODDUSDT"} <= {row["symbol"] for row in told["symbols"]}
            assert (await api.order(MARKET_BUY)).json()["status"] == "FILLED"
            first = (await api.call("GET", "/api/v3/ticker/price", symbol="ODDUSDT")).json()["price"]
            for _attempt in range(400):
                if (await api.call("GET", "/api/v3/ticker/price", symbol="ODDUSDT")).json()["price"] != first:
                    break
                await asyncio.sleep(0.02)
            else:
                pytest.fail("the market stands still")
