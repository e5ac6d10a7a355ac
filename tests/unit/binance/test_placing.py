"""What an order looks like on the wire, and what each kind of answer to it means."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import random
import traceback
from decimal import Decimal

import attrs
import pytest

from dcacore.adapters.binance.site import Site
from dcacore.domain.ids import OrderId
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Order, Role, Side
from dcacore.domain.venue import VenueStatus
from dcacore.ports.errors import (
    BadCredentials,
    FilterViolation,
    InsufficientBalance,
    NotAccepted,
    OrdersLimited,
    OutcomeUnknown,
    PortError,
    RateLimited,
    TooLate,
    TradingHalted,
)
from tests.unit.binance.conftest import KEY, Bench
from tests.unit.binance.wire import Answer, Drop, Say, Seen, placed, refusal
from tests.unit.simulated.clock import RealClock

PAIR = "BTCUSDT"
WINDOW = datetime.timedelta(milliseconds=4321)
SENT = datetime.datetime(2024, 5, 6, 7, 8, 9, 123_999, tzinfo=datetime.UTC)


def order(quantity: str = "0.01", price: str | None = None, name: str = "dca1-bot-1-b-1") -> Order:
    return Order(
        id=OrderId(name),
        side=Side.BUY,
        role=Role.BASE,
        quantity=BaseQty(Decimal(quantity)),
        price=None if price is None else Price(Decimal(price)),
    )


async def place(bench: Bench, what: Order | None = None) -> object:
    return await bench.exchange.place(PAIR, what or order(), sent_at=SENT, recv_window=WINDOW)


async def test_f54_the_order_bears_the_very_time_and_deadline_that_were_stored(bench: Bench) -> None:
    await place(bench)
    (seen,) = bench.wire.calls("POST order")
    assert seen.params["timestamp"] == "1714979289123"
    assert seen.params["recvWindow"] == "4321"


async def test_what_was_sent_is_what_was_signed(bench: Bench) -> None:
    await place(bench)
    (seen,) = bench.wire.calls("POST order")
    payload, _, signature = seen.raw.rpartition("&signature=")
    assert hmac.new(KEY.secret.encode(), payload.encode(), hashlib.sha256).hexdigest() == signature
    assert seen.headers["X-MBX-APIKEY"] == KEY.key
    assert seen.raw.count("timestamp=") == seen.raw.count("recvWindow=") == 1


@pytest.mark.parametrize(
    ("quantity", "price", "told"),
    [
        ("0.00001", None, {"type": "MARKET", "quantity": "0.00001"}),
        ("1E-5", "3E+4", {"type": "LIMIT", "quantity": "0.00001", "price": "30000", "timeInForce": "GTC"}),
        ("12.30", "0.00001200", {"type": "LIMIT", "quantity": "12.3", "price": "0.000012"}),
    ],
)
async def test_numbers_are_written_plainly(
    bench: Bench, quantity: str, price: str | None, told: dict[str, str]
) -> None:
    await place(bench, order(quantity, price))
    (seen,) = bench.wire.calls("POST order")
    assert {name: seen.params[name] for name in told} == told
    assert seen.params["newClientOrderId"] == "dca1-bot-1-b-1"
    assert ("price" in seen.params) is (price is not None)


async def test_an_id_that_the_exchange_would_replace_is_not_sent(bench: Bench) -> None:
    with pytest.raises(NotAccepted):
        await place(bench, order(name="a b"))
    assert bench.wire.calls("POST order") == []


async def test_the_answer_comes_with_its_fills(bench: Bench) -> None:
    told = await bench.exchange.place(PAIR, order(), sent_at=SENT, recv_window=WINDOW)
    assert (told.order_id, told.venue_order_id, told.status) == ("dca1-bot-1-b-1", "12", VenueStatus.FILLED)
    assert (told.price, told.executed) == (None, Decimal("0.01"))
    (trade,) = told.trades
    assert (trade.trade_id, trade.fee, trade.fee_asset, trade.fee_rate) == ("77", Decimal("0.00001"), "BTC", None)
    assert trade.at == datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.UTC)


@pytest.mark.parametrize(("executed", "fills"), [("0", 0), ("0.004", 1)])
async def test_f19_a_market_order_that_met_an_own_one_has_bought_what_it_says(
    bench: Bench, executed: str, fills: int
) -> None:
    fill = {"price": "30000", "qty": "0.004", "commission": "0.000004", "commissionAsset": "BTC", "tradeId": 77}
    ended = {"status": "EXPIRED_IN_MATCH", "executedQty": executed, "preventedQuantity": "0.006", "preventedMatchId": 0}
    bench.wire.answers["POST order"] = lambda seen: Say(placed(seen, **ended, fills=[fill] * fills))
    told = await bench.exchange.place(PAIR, order(), sent_at=SENT, recv_window=WINDOW)
    assert (told.status, told.executed, len(told.trades)) == (VenueStatus.EXPIRED, Decimal(executed), fills)


async def test_a_fee_in_a_third_asset_is_valued_at_the_price_of_then(bench: Bench) -> None:
    fill = {"price": "30000", "qty": "0.01", "commission": "0.0012", "commissionAsset": "BNB", "tradeId": 77}
    bench.wire.answers["POST order"] = lambda seen: Say(placed(seen, fills=[fill]))
    told = await bench.exchange.place(PAIR, order(), sent_at=SENT, recv_window=WINDOW)
    assert told.trades[0].fee_rate == Decimal("250.50")
    (asked,) = bench.wire.calls("GET klines")
    assert (asked.params["symbol"], asked.params["endTime"]) == ("BNBUSDT", "1699999980000")


async def test_a_fee_that_cannot_be_valued_now_is_told_later(bench: Bench) -> None:
    fill = {"price": "30000", "qty": "0.01", "commission": "0.0012", "commissionAsset": "BNB", "tradeId": 77}
    bench.wire.answers["POST order"] = lambda seen: Say(placed(seen, fills=[fill]))
    bench.wire.answers["GET klines"] = Say(status=503)
    told = await bench.exchange.place(PAIR, order(), sent_at=SENT, recv_window=WINDOW)
    assert (told.executed, told.trades) == (Decimal("0.01"), ())


# -------------------------------------------------------------------------------------------------------- what it means

DEFINITE: list[tuple[Answer, type[PortError]]] = [
    (refusal(-1013, "Filter failure: LOT_SIZE"), FilterViolation),
    (refusal(-1013, "Market is closed."), TradingHalted),
    (refusal(-1111, "Parameter 'quantity' has too much precision."), FilterViolation),
    (refusal(-1100, "Illegal characters found in parameter."), NotAccepted),
    (refusal(-1102, "Mandatory parameter was not sent."), NotAccepted),
    (refusal(-1121, "Invalid symbol."), TradingHalted),
    (refusal(-1220, "The symbol's status does not match."), TradingHalted),
    (refusal(-2010, "Account has insufficient balance for requested action."), InsufficientBalance),
    (refusal(-2010, "Market is closed."), TradingHalted),
    (refusal(-2010, "This action is disabled on this account."), TradingHalted),
    (refusal(-2010, "This symbol is not permitted for this account."), TradingHalted),
    (refusal(-2010, "Filter failure: MAX_NUM_ORDERS"), FilterViolation),
    (refusal(-2010, "Order would immediately match and take."), NotAccepted),
    (refusal(-1022, "Signature for this request is not valid."), BadCredentials),
    (refusal(-2008, "Invalid Api-Key ID.", 401), BadCredentials),
    (refusal(-2014, "API-key format invalid.", 401), BadCredentials),
    (refusal(-2015, "Invalid API-key, IP, or permissions for action.", 401), BadCredentials),
    (refusal(-1021, "Timestamp for this request is outside of the recvWindow."), TooLate),
    (refusal(-1015, "Too many new orders.", 429), OrdersLimited),
    (refusal(-1003, "Too much request weight used.", 429, Retry_After="3"), RateLimited),
    (refusal(-1003, "Way too much request weight used; IP banned until 1.", 418, Retry_After="120"), RateLimited),
    (Say("<html>Forbidden</html>", 403), RateLimited),
    (Say("", 401), BadCredentials),
    (refusal(-1199, "Something that only a later version knows."), NotAccepted),
]


@pytest.mark.parametrize(("answer", "error"), DEFINITE, ids=lambda it: getattr(it, "__name__", ""))
async def test_a_definite_no_is_of_its_kind(bench: Bench, answer: Answer, error: type[PortError]) -> None:
    bench.wire.answers["POST order"] = answer
    with pytest.raises(error) as raised:
        await place(bench)
    assert type(raised.value) is error
    assert len(bench.wire.calls("POST order")) == 1


UNKNOWN: dict[str, Answer] = {
    "500": Say("Internal Server Error", 500),
    "502 HTML": Say("<html>Bad Gateway</html>", 502),
    "503 -1008": refusal(-1008, "Server is currently overloaded.", 503),
    "-1000": refusal(-1000, "An unknown error occurred."),
    "-1001": refusal(-1001, "Internal error."),
    "-1006": refusal(-1006, "An unexpected response was received from the message bus.", 500),
    "-1007": refusal(-1007, "Timeout waiting for response from backend server.", 504),
    "a no with a server's failure": refusal(-1013, "Filter failure: LOT_SIZE", 500),
    "redirected": Say("", 307, {"Location": "/api/v3/order"}),
    "dropped": Drop(),
    "too slow": Say(delay=2),
}


@pytest.mark.parametrize("answer", UNKNOWN.values(), ids=UNKNOWN)
async def test_f05_anything_else_is_unknown_and_sent_once(bench: Bench, answer: Answer) -> None:
    bench.wire.answers["POST order"] = answer
    with pytest.raises(OutcomeUnknown):
        await place(bench)
    assert len(bench.wire.calls("POST order")) == 1


async def test_f11_a_duplicate_exists_so_nothing_says_that_it_does_not(bench: Bench) -> None:
    bench.wire.answers["POST order"] = refusal(-2010, "Duplicate order sent.")
    with pytest.raises(OutcomeUnknown, match="Duplicate"):
        await place(bench)


@pytest.mark.parametrize(
    "changes",
    [{"orderId": None}, {"status": None}, {"clientOrderId": None}, {"executedQty": "NaN"}, {"side": "HOLD"}],
    ids=str,
)
async def test_f07_an_answer_that_names_no_order_is_unknown(bench: Bench, changes: dict[str, object]) -> None:
    bench.wire.answers["POST order"] = lambda seen: Say(placed(seen, **changes))
    with pytest.raises(OutcomeUnknown):
        await place(bench)


@pytest.mark.parametrize(
    "text",
    ["<html>ok</html>", '{"symbol": "BTCUSDT", "orderId": 1', "[]", "", '{"orderId": 1, "orderId": 2}', '{"a": NaN}'],
    ids=["html", "cut", "no object", "empty", "twice", "NaN"],
)
async def test_f64_an_answer_that_cannot_be_read_is_unknown(bench: Bench, text: str) -> None:
    bench.wire.answers["POST order"] = Say(text)
    with pytest.raises(OutcomeUnknown):
        await place(bench)


@pytest.mark.parametrize("changes", [{"symbol": "ETHUSDT"}, {"clientOrderId": "another"}], ids=str)
async def test_f33_an_answer_about_something_else_is_unknown(bench: Bench, changes: dict[str, object]) -> None:
    bench.wire.answers["POST order"] = lambda seen: Say(placed(seen, **changes))
    with pytest.raises(OutcomeUnknown, match="another"):
        await place(bench)


async def test_f63_a_status_of_tomorrow_is_no_end(bench: Bench) -> None:
    bench.wire.answers["POST order"] = lambda seen: Say(placed(seen, status="HIBERNATING"))
    told = await bench.exchange.place(PAIR, order(), sent_at=SENT, recv_window=WINDOW)
    assert told.status is VenueStatus.OTHER


async def test_f54_a_clock_that_is_off_is_set_before_the_next_order(bench: Bench) -> None:
    bench.wire.skew = datetime.timedelta(seconds=90)
    bench.wire.answers["POST order"] = refusal(-1021, "Timestamp for this request is outside of the recvWindow.")
    before = bench.exchange.now()
    with pytest.raises(TooLate):
        await place(bench)
    assert datetime.timedelta(seconds=85) < bench.exchange.now() - before < datetime.timedelta(seconds=95)
    assert bench.wire.calls("GET time")


def echo(seen: Seen) -> Say:
    return refusal(-1022, f"Signature for {seen.raw} of {seen.headers['X-MBX-APIKEY']} is not valid.")


@pytest.mark.parametrize("answer", [*UNKNOWN.values(), *(answer for answer, _ in DEFINITE), echo], ids=lambda _: "")
async def test_no_secret_is_in_any_message(bench: Bench, answer: Answer) -> None:
    bench.wire.answers["POST order"] = answer
    with pytest.raises(PortError) as raised:
        await place(bench)
    told = "".join(traceback.format_exception(raised.value))
    (seen,) = bench.wire.calls("POST order")
    assert not any(secret in told for secret in (KEY.key, KEY.secret, seen.params["signature"], "signature="))


async def test_f05_an_order_over_a_connection_that_was_kept_is_sent_once(bench: Bench) -> None:
    await bench.exchange.balances()
    bench.wire.answers["POST order"] = Drop()
    with pytest.raises(OutcomeUnknown):
        await place(bench)
    assert len(bench.wire.calls("POST order")) == 1


async def test_f05_an_order_that_reaches_nobody_is_unknown_all_the_same(bench: Bench) -> None:
    nowhere = attrs.evolve(bench.site.urls, rest="http://127.0.0.1:9")
    site = Site(nowhere, RealClock(), random.Random(1), within_s=1)
    exchange = site.exchange(KEY)
    with pytest.raises(OutcomeUnknown, match=r"^the connection failed: 127\.0\.0\.1:9 cannot be reached$"):
        await exchange.place(PAIR, order(), sent_at=SENT, recv_window=WINDOW)
    await exchange.close()
    await site.close()
