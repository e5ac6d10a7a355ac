"""A server on the loopback that speaks Binance well enough, keeps what was on the wire, and can be made to fail."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import attrs
from aiohttp import WSMsgType, web

from dcacore.adapters.binance.urls import Urls

Json = Any
HMAC_HEX = 64


@attrs.frozen
class Seen:
    """A request as it came."""

    method: str
    path: str
    params: Mapping[str, str]
    raw: str
    headers: Mapping[str, str]


@attrs.frozen
class Say:
    """An answer."""

    body: Json = attrs.field(factory=dict)
    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    delay: float = 0.0

    def response(self) -> web.Response:
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return web.Response(text=text, status=self.status, headers=dict(self.headers))


@attrs.frozen
class Drop:
    """Close the connection without an answer."""


def refusal(code: int, text: str, status: int = 400, **headers: str) -> Say:
    """Return a refusal as Binance puts it."""
    return Say({"code": code, "msg": text}, status, {name.replace("_", "-"): value for name, value in headers.items()})


def symbol(pair: str = "BTCUSDT", **changes: Json) -> dict[str, Json]:
    """Return how a pair is listed."""
    return {
        "symbol": pair,
        "status": "TRADING",
        "baseAsset": pair.removesuffix("USDT"),
        "quoteAsset": "USDT",
        "isSpotTradingAllowed": True,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01000000"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001000"},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "100", "stepSize": "0.00000000"},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True, "avgPriceMins": 5},
            {"filterType": "SOMETHING_NEW", "least": 3},
        ],
        **changes,
    }


RATE_LIMITS = [
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
    {"rateLimitType": "SOMETHING_NEW", "interval": "MINUTE", "intervalNum": 1, "limit": 1},
]
Answer = Say | Drop | Callable[[Seen], "Say | Drop"]

COMMISSION = {"maker": "0.00100000", "taker": "0.00100000", "buyer": "0", "seller": "0"}
DEFAULTS = {
    "GET account": Say({"canTrade": True, "balances": [{"asset": "USDT", "free": "1000.0", "locked": "0"}]}),
    "GET account/commission": Say({"symbol": "BTCUSDT", "standardCommission": COMMISSION}),
    "GET openOrders": Say([]),
    "GET myTrades": Say([]),
    "GET klines": Say([[1, "250.50", "0", "0", "0"]]),
    "GET order": refusal(-2013, "Order does not exist."),
    "DELETE order": refusal(-2011, "Unknown order sent."),
}


class Wire:
    """The server. `answers` maps "GET order" to what is said, `once` to what is said first, one after the other."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.answers: dict[str, Answer] = {}
        self.once: dict[str, list[Answer]] = {}
        self.skew = datetime.timedelta(0)
        self.pairs = {"BTCUSDT": symbol()}
        self.prices = {"BTCUSDT": "30000.00000000"}
        self.streams: list[web.WebSocketResponse] = []
        self.sessions: list[web.WebSocketResponse] = []
        self.said: list[dict[str, Json]] = []
        self.subscribed: set[str] = set()
        self.is_mute = False
        self.answers_after_s = 0.0
        self.forgets = False
        self.refused_with: int | None = None
        self.connections = 0
        self.at_once = 0
        self.headers = {"X-MBX-USED-WEIGHT-1M": "1"}

    # ----------------------------------------------------------------------------------------------------- requests

    def calls(self, name: str) -> list[Seen]:
        """Return the requests that came under *name*, such as "POST order"."""
        return [seen for seen in self.seen if f"{seen.method} {seen.path}" == name]

    async def rest(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        query = request.rel_url.raw_query_string
        raw = query + body
        path = request.path.removeprefix("/api/v3/").removeprefix("/sapi/v1/")
        seen = Seen(request.method, path, dict(parse_qsl(raw)), raw, dict(request.headers))
        self.seen.append(seen)
        name = f"{seen.method} {seen.path}"
        waiting = self.once.get(name)
        answer = waiting.pop(0) if waiting else self.answers.get(name) or self.default
        if callable(answer):
            answer = answer(seen)
        if isinstance(answer, Drop):
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        await asyncio.sleep(answer.delay)
        response = answer.response()
        response.headers.update({**self.headers, **answer.headers})
        return response

    def default(self, seen: Seen) -> Say:
        """Return what a healthy exchange says."""
        answers: dict[str, Callable[[Seen], Say]] = {
            "GET time": lambda _: Say({"serverTime": self.now_ms()}),
            "GET exchangeInfo": self._rules,
            "GET ticker/price": self._prices,
            "POST order": lambda seen: Say(placed(seen)),
        }
        answer = answers.get(f"{seen.method} {seen.path}")
        return DEFAULTS[f"{seen.method} {seen.path}"] if answer is None else answer(seen)

    def _wanted(self, seen: Seen, of_all: Mapping[str, Json]) -> list[str]:
        if "symbol" in seen.params:
            return [seen.params["symbol"]]
        return json.loads(seen.params["symbols"]) if "symbols" in seen.params else list(of_all)

    def _rules(self, seen: Seen) -> Say:
        wanted = self._wanted(seen, self.pairs)
        if any(pair not in self.pairs for pair in wanted):
            return refusal(-1121, "Invalid symbol.")
        return Say({"rateLimits": RATE_LIMITS, "symbols": [self.pairs[pair] for pair in wanted]})

    def _prices(self, seen: Seen) -> Say:
        wanted = self._wanted(seen, self.prices)
        if any(pair not in self.prices for pair in wanted):
            return refusal(-1121, "Invalid symbol.")
        rows = [{"symbol": pair, "price": self.prices[pair]} for pair in wanted]
        return Say(rows[0] if "symbol" in seen.params else rows)

    def now_ms(self) -> int:
        """Return the exchange's time."""
        return int((time.time() + self.skew.total_seconds()) * 1000)

    # ------------------------------------------------------------------------------------------------------ streams

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        self.connections += 1
        self.at_once += 1
        try:
            yield
        finally:
            self.at_once -= 1

    async def socket(self, request: web.Request) -> web.StreamResponse:
        if self.refused_with is not None:
            return web.Response(status=self.refused_with, headers={"Retry-After": "7"})
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        is_session = request.path.startswith("/ws-api")
        kind = self.sessions if is_session else self.streams
        kind.append(socket)
        with self._counted():
            async for message in socket:
                if message.type is WSMsgType.TEXT and not self.is_mute:
                    await asyncio.sleep(self.answers_after_s)
                    asked = json.loads(message.data)
                    self.said.append(asked)
                    answer = self._session(asked) if is_session else self._stream(asked)
                    await socket.send_str(json.dumps({"id": asked["id"], **answer}))
        kind.remove(socket)
        return socket

    def _stream(self, asked: dict[str, Json]) -> dict[str, Json]:
        match asked["method"]:
            case "SUBSCRIBE":
                self.subscribed.update(asked["params"])
            case "UNSUBSCRIBE":
                self.subscribed.difference_update(asked["params"])
            case "LIST_SUBSCRIPTIONS":
                return {"result": [] if self.forgets else sorted(self.subscribed)}
        return {"result": None}

    def _session(self, asked: dict[str, Json]) -> dict[str, Json]:
        answer = self.once.get(asked["method"])
        if answer:
            said = answer.pop(0)
            assert isinstance(said, Say)
            return {"status": said.status, "error": said.body}
        if asked["method"] == "session.subscriptions":
            return {"status": 200, "result": [] if self.forgets else [{"subscriptionId": 4}]}
        return {"status": 200, "result": {"subscriptionId": 4}}

    async def tell(self, frame: Json) -> None:
        """Send a frame over every market stream."""
        text = frame if isinstance(frame, str) else json.dumps(frame)
        for socket in self.streams:
            await socket.send_str(text)

    async def report(self, event: Json) -> None:
        """Send an account event over every session."""
        for socket in self.sessions:
            await socket.send_str(json.dumps({"subscriptionId": 4, "event": event}))

    async def cut(self) -> None:
        """Close all websockets."""
        for socket in (*self.streams, *self.sessions):
            await socket.close(code=1001)


def placed(seen: Seen, **changes: Json) -> dict[str, Json]:
    """Return the answer to an order that is taken: a market order fills at once, a limit order rests."""
    p = seen.params
    is_filled = p["type"] == "MARKET"
    fill = {"price": "30000", "qty": p["quantity"], "commission": "0.00001", "commissionAsset": "BTC", "tradeId": 77}
    return {
        "symbol": p["symbol"],
        "orderId": 12,
        "clientOrderId": p["newClientOrderId"],
        "transactTime": 1700000000000,
        "price": p.get("price", "0.00000000"),
        "origQty": p["quantity"],
        "executedQty": p["quantity"] if is_filled else "0.00000000",
        "status": "FILLED" if is_filled else "NEW",
        "type": p["type"],
        "side": p["side"],
        "fills": [fill] if is_filled else [],
        "aFieldOfTomorrow": {"x": [1]},
        **changes,
    }


def trade_frame(price: Json, pair: str = "BTCUSDT", at: int | None = None, **changes: Json) -> dict[str, Json]:
    """Return a frame that tells of a trade."""
    now = int(time.time() * 1000) if at is None else at
    data = {"e": "aggTrade", "E": now, "s": pair, "a": 1, "p": price, "q": "1", "T": now, "m": True, **changes}
    return {"stream": f"{pair.lower()}@aggTrade", "data": {name: it for name, it in data.items() if it is not ...}}


def report(execution: str = "NEW", status: str = "NEW", **changes: Json) -> dict[str, Json]:
    """Return an `executionReport`."""
    return {
        "e": "executionReport",
        "E": 1700000000001,
        "s": "BTCUSDT",
        "c": "one",
        "S": "BUY",
        "o": "LIMIT",
        "f": "GTC",
        "q": "0.01",
        "p": "29000",
        "C": "",
        "x": execution,
        "X": status,
        "r": "NONE",
        "i": 12,
        "l": "0",
        "z": "0",
        "L": "0",
        "n": "0",
        "N": None,
        "T": 1700000000000,
        "t": -1,
        "I": 5,
        "w": True,
        **changes,
    }


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Wire, Urls]]:
    """Yield the server, and where it is."""
    wire = Wire()
    app = web.Application()
    app.router.add_route("*", "/api/v3/{path:.+}", wire.rest)
    app.router.add_route("*", "/sapi/v1/{path:.+}", wire.rest)
    app.router.add_get("/stream", wire.socket)
    app.router.add_get("/ws-api/v3", wire.socket)
    runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    urls = Urls(rest=f"http://{host}:{port}", streams=f"ws://{host}:{port}", ws_api=f"ws://{host}:{port}/ws-api/v3")
    try:
        yield wire, urls
    finally:
        await runner.cleanup()


async def until(is_true: Callable[[], object], within_s: float = 5.0) -> None:
    """Return when *is_true* says so."""
    async with asyncio.timeout(within_s):
        while not is_true():  # noqa: ASYNC110  # it looks at whatever the test names
            await asyncio.sleep(0.005)
