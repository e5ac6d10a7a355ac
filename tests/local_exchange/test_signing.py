"""Whose request it is, and whether it is in time."""

from __future__ import annotations

import time
from urllib.parse import quote, urlencode

import pytest

from dcacore.local_exchange.errors import ApiError
from dcacore.local_exchange.keys import KeyRing
from dcacore.local_exchange.params import Params
from dcacore.local_exchange.signing import Signed, is_signed_by, sign, signed
from dcacore.local_exchange.timing import check_timing
from tests.local_exchange.api import MARKET_BUY, Api, code
from tests.local_exchange.conftest import KEY, SECRET

# the example of Binance's rest-api.md
EXAMPLE_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
EXAMPLE = (
    b"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
)
EXAMPLE_SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"


def test_the_known_vector() -> None:
    assert sign(EXAMPLE_SECRET, EXAMPLE) == EXAMPLE_SIGNATURE
    assert is_signed_by(EXAMPLE_SECRET, Signed(EXAMPLE, EXAMPLE_SIGNATURE.upper()))


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (EXAMPLE + b"&signature=S", b""),
        (b"", EXAMPLE + b"&signature=S"),
        (EXAMPLE[:40], EXAMPLE[40:] + b"&signature=S"),
        (b"signature=S&" + EXAMPLE, b""),
    ],
)
def test_query_and_body_are_signed_one_behind_the_other(query: bytes, body: bytes) -> None:
    assert signed(query, body) == Signed(EXAMPLE, "S")


def test_what_is_signed_is_not_encoded_again() -> None:
    assert signed(b"symbols=%5B%22A%22%5D&x=a+b", b'y=["B"]').payload == b'symbols=%5B%22A%22%5D&x=a+by=["B"]'


def test_a_key_keeps_the_secret_that_it_told_first() -> None:
    ring = KeyRing()
    assert ring.tell("key", "first")
    assert not ring.tell("key", "second")
    ring.check("key", Signed(b"a=1", sign("first", b"a=1")))
    with pytest.raises(ApiError, match="-1022"):
        ring.check("key", Signed(b"a=1", sign("second", b"a=1")))


def test_an_unknown_secret_is_held_to_what_can_be_known() -> None:
    ring = KeyRing()
    ring.check("key", Signed(b"a=1", sign("any", b"a=1")))
    ring.check("key", Signed(b"a=1", sign("any", b"a=1")))
    ring.check("key", Signed(b"a=2", sign("any", b"a=2")))
    for wrong in (
        Signed(b"a=1", "no signature"),
        Signed(b"a=4", "0" * 64),
        Signed(b"a=4", "deadbeef" * 8),
        Signed(b"a=1", sign("other", b"a=1")),  # the text had another signature before
        Signed(b"a=3", sign("any", b"a=1")),  # the signature had another text before
    ):
        with pytest.raises(ApiError, match="-1022"):
            ring.check("key", wrong)


NOW = 1_700_000_000_000


@pytest.mark.parametrize("params", [{}, {"recvWindow": "60000"}, {"recvWindow": "0.5"}])
def test_a_request_of_now_is_in_time(params: dict[str, str]) -> None:
    check_timing(Params({"timestamp": str(NOW), **params}), NOW)


@pytest.mark.parametrize(
    ("at", "window", "is_good"),
    [
        (NOW - 5_000, None, True),
        (NOW - 5_001, None, False),
        (NOW - 60_000, "60000", True),
        (NOW + 999, None, True),
        (NOW + 1_000, None, False),
        (NOW - 2, "1.5", False),
        (NOW * 1_000, None, True),  # microseconds
    ],
)
def test_the_rule_of_time(at: int, window: str | None, is_good: bool) -> None:
    params = {"timestamp": str(at)} | ({"recvWindow": window} if window is not None else {})
    if is_good:
        check_timing(Params(params), NOW)
    else:
        with pytest.raises(ApiError, match="-1021"):
            check_timing(Params(params), NOW)


@pytest.mark.parametrize(
    ("params", "refused"),
    [({}, -1102), ({"timestamp": "x"}, -1100), ({"timestamp": str(NOW), "recvWindow": "60001"}, -1131)],
)
def test_times_that_are_none(params: dict[str, str], refused: int) -> None:
    with pytest.raises(ApiError, match=str(refused)):
        check_timing(Params(params), NOW)


async def test_parameters_come_in_the_query_the_body_or_both(api: Api) -> None:
    at = {"timestamp": str(time.time_ns() // 1_000_000)}
    head = {"X-MBX-APIKEY": KEY, "Content-Type": "application/x-www-form-urlencoded"}
    both = urlencode(MARKET_BUY | at)
    for query, body in ((both, ""), ("", both), ("quantity=0.02", both), (urlencode(at), urlencode(MARKET_BUY))):
        signature = f"&signature={sign(SECRET, (query + body).encode())}"
        ends = ("", signature) if body else (signature, "")
        answer = await api.http.post(f"/api/v3/order?{query}{ends[0]}", content=body + ends[1], headers=head)
        assert answer.json()["executedQty"] == ("0.02000000" if "0.02" in query else "0.01000000"), answer.text


async def test_a_parameter_that_comes_twice_is_refused(api: Api) -> None:
    twice = urlencode(MARKET_BUY | {"timestamp": str(time.time_ns() // 1_000_000)}) + "&quantity=0.02"
    signature = f"&signature={sign(SECRET, twice.encode())}"
    for query, body in ((twice + signature, ""), ("", twice + signature)):
        answer = await api.http.post(f"/api/v3/order?{query}", content=body, headers={"X-MBX-APIKEY": KEY})
        assert code(answer) == (400, -1101, "Duplicate values for a parameter detected.")


async def test_a_json_array_is_taken_raw_or_encoded(api: Api) -> None:
    names = '["BTCUSDT","ETHUSDT"]'
    for text in (names, quote(names)):
        rows = (await api.http.get(f"/api/v3/ticker/price?symbols={text}")).json()
        assert [row["symbol"] for row in rows] == ["BTCUSDT", "ETHUSDT"]


async def test_requests_that_are_not_signed_as_they_should(api: Api) -> None:
    path, at = "/api/v3/account", time.time_ns() // 1_000_000
    head = {"X-MBX-APIKEY": KEY}
    assert code(await api.call("GET", path)) == (401, -2014, "API-key format invalid.")
    lacking = await api.http.get(f"{path}?timestamp={at}", headers=head)
    assert code(lacking)[:2] == (400, -1102)
    wrong = await api.http.get(f"{path}?timestamp={at}&signature={'0' * 64}", headers=head)
    assert code(wrong) == (400, -1022, "Signature for this request is not valid.")
    late = await api.signed("GET", path, timestamp=at - 10_000)
    assert code(late) == (400, -1021, "Timestamp for this request is outside of the recvWindow.")
    early = await api.signed("GET", path, timestamp=at + 5_000)
    assert code(early) == (400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.")


async def test_any_key_is_an_account_of_its_own(api: Api) -> None:
    other = Api(api.http, "another key", "whatever")
    assert (await api.order(MARKET_BUY)).status_code == 200
    assert await api.free("USDT") == "9700.00000000"
    assert await other.free("USDT") == "10000.00000000"
