"""No request, whatever it says, makes money or loses it, or is answered with a mistake of the exchange's own."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import urlencode

import attrs
import pytest

from dcacore.domain.errors import DcaError
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import EXACT, Price
from dcacore.local_exchange.control.actions import POSTS
from dcacore.local_exchange.control.books import books_of
from dcacore.local_exchange.errors import ApiError
from dcacore.local_exchange.exchange import LocalExchange, Options
from dcacore.local_exchange.keeping import Keeper
from dcacore.local_exchange.rest import Request, answer
from dcacore.local_exchange.signing import sign
from dcacore.local_exchange.site import Site
from tests.local_exchange.conftest import BTC

BNB: Final = Market(
    pair="BNBUSDT", base_asset="BNB", quote_asset="USDT", tick_size="0.1", step_size="0.001", min_notional="5"
)
SECRETS: Final = {"anna": "hers", "bert": "his"}
PAIRS: Final = {"BTCUSDT": ("BTC", "USDT"), "BNBUSDT": ("BNB", "USDT")}
BALANCE: Final = {"USDT": Decimal(10_000), "BNB": Decimal("0.3"), "BTC": Decimal("0.1")}
QUANTITIES: Final = (
    "0.01", "0.001", "0.3", "5", "0.00017", "0.07777", "1.001", "0.3330", "0", "-1", "1e5", "NaN", "9" * 20,
    "0.000000001", "0.01\n", "", "٣",
)  # fmt: skip
PRICES: Final = (
    "30000", "29999.99", "31000", "28000.5", "300", "300.1", "290", "310.5", "6000", "0.01", "1000000", "0", "x", "1E3",
)  # fmt: skip
STEPS: Final = 400
SEEDS: Final = 4


@attrs.define
class Wild:
    """A site, and somebody who asks it for anything."""

    file: Path
    chance: Random
    site: Site = attrs.field(init=False)
    refusals: set[int] = attrs.field(factory=set)
    taken: int = 0

    def __attrs_post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        options = Options(balance=BALANCE, fees=Fees(), pays_with="BNB", secrets=SECRETS, has_limits=False)
        self.site = Site(LocalExchange(options))
        self.site.keeper = Keeper(self.file, self.site.exchange)
        self.site.exchange.list_pair(BTC, Price(Decimal(30000)))
        self.site.exchange.list_pair(BNB, Price(Decimal(300)))

    def close(self) -> None:
        assert self.site.keeper is not None
        self.site.keeper.close()

    async def ask(self, method: str, path: str, **params: str) -> Any:
        key = self.chance.choice(list(SECRETS))
        query = urlencode(params | {"timestamp": str(self.site.exchange.clock.ms())}).encode()
        query += f"&signature={sign(SECRETS[key], query)}".encode()
        is_in_body = method != "GET" and self.chance.random() < 0.5
        sent = (b"", query) if is_in_body else (query, b"")
        told = await answer(self.site, Request(method, path, *sent, key))
        assert told.status in {200, 400}, (path, params, told.body)
        shape = json.loads(told.body)
        if told.status == 400:
            self.refusals.add(shape["code"])
        return shape

    def control(self, path: str, **told: Any) -> None:
        try:
            POSTS[f"/control/{path}"](self.site, told)
        except (DcaError, ApiError, ValueError):
            return
        self.site.keep()

    def _order(self) -> dict[str, str]:
        pick = self.chance.choice
        kind = pick(("LIMIT", "LIMIT", "MARKET", "LIMIT_MAKER"))
        params = {"symbol": pick(tuple(PAIRS)), "side": pick(("BUY", "SELL")), "type": kind}
        good, is_btc = self.chance.random() < 0.8, params["symbol"] == "BTCUSDT"
        params["quantity"] = ("0.01" if is_btc else "0.35") if good else pick(QUANTITIES)
        if kind != "MARKET":
            params["price"] = pick(PRICES[:4] if is_btc else PRICES[4:8]) if good else pick(PRICES)
        elif self.chance.random() < 0.4:
            params["quoteOrderQty"] = pick(("100", "7.77777777", "10000", "0.00000001"))
            del params["quantity"]
        if kind == "LIMIT" or not good:
            params["timeInForce"] = pick(("GTC", "GTC", "IOC", "FOK"))
        if self.chance.random() < 0.5:
            params["newClientOrderId"] = pick(("one", "two", "three", "x" * 37, "é"))
        return params

    async def do_something(self) -> None:
        pick, symbol = self.chance.choice, self.chance.choice(tuple(PAIRS))
        ids = {"symbol": symbol, "orderId": str(self.chance.randint(0, self.taken + 2))}
        quantity, asset = pick(QUANTITIES), pick(("USDT", "BNB", "BTC"))
        match self.chance.randrange(14):
            case 0 | 1 | 2 | 3 | 4:
                told = await self.ask("POST", "/api/v3/order", **self._order())
                self.taken = max(self.taken, told.get("orderId", 0))
            case 5:
                await self.ask("DELETE", "/api/v3/order", **ids)
            case 6:
                await self.ask("DELETE", "/api/v3/order", symbol=symbol, origClientOrderId=pick(("one", "two", "é")))
            case 7:
                await self.ask("PUT", "/api/v3/order/amend/keepPriority", **ids, newQty=pick(("0.005", quantity)))
            case 8:
                await self.ask(pick(("DELETE", "GET")), "/api/v3/openOrders", symbol=symbol)
            case 9 | 10:
                prices = PRICES[:4] if symbol == "BTCUSDT" else PRICES[4:8]
                self.control(pick(("price", "move")), symbol=symbol, price=pick(prices))
            case 11:
                self.control("balance", apiKey=pick(tuple(SECRETS)), asset=asset, free=pick(("1000", "0", quantity)))
            case 12:
                fault = pick(("partial_fill", "expire_order", "balance_taken", "thin_market", "wipe"))
                given = {
                    "partial_fill": {"apiKey": "anna", "symbol": symbol, "quantity": pick(("0.001", quantity))},
                    "expire_order": {"apiKey": "bert", "symbol": symbol},
                    "balance_taken": {"apiKey": "bert", "asset": asset, "amount": pick(("0.001", quantity))},
                    "thin_market": {"symbol": symbol, "share": pick(("0.3", "0", "1"))},
                    "wipe": {},
                }
                self.control("fault", kind=fault, **given[fault])
            case 13:
                self.control("symbol", symbol=symbol, status=pick(("BREAK", "TRADING", "TRADING")))

    def books(self) -> list[dict[str, Any]]:
        return [books_of(self.site.exchange, key) for key in SECRETS]


def check(books: dict[str, Any]) -> None:
    """What an account holds is what came in, and what its trades say; what is locked, its open orders hold."""
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    locked: defaultdict[str, Decimal] = defaultdict(Decimal)
    for transfer in books["transfers"]:
        held[transfer["asset"]] = EXACT.add(held[transfer["asset"]], Decimal(transfer["amount"]))
    for fill in books["fills"]:
        base, quote = PAIRS[fill["symbol"]]
        quantity, sign_ = Decimal(fill["quantity"]), 1 if fill["side"] == "BUY" else -1
        held[base] += sign_ * quantity
        held[quote] -= sign_ * quantity * Decimal(fill["price"])
        held[fill["fee_asset"]] -= Decimal(fill["fee"])
        assert Decimal(fill["fee"]) >= 0
    for order in books["orders"]:
        quantity, executed = Decimal(order["quantity"]), Decimal(order["executed"])
        assert 0 <= executed <= quantity
        assert (order["status"] == "FILLED") == (executed == quantity)
        if order["status"] in {"NEW", "PARTIALLY_FILLED"}:
            base, quote = PAIRS[order["symbol"]]
            is_buy = order["side"] == "BUY"
            locked[quote if is_buy else base] += (quantity - executed) * (Decimal(order["price"]) if is_buy else 1)
    for asset, balance in books["balances"].items():
        free, bound = Decimal(balance["free"]), Decimal(balance["locked"])
        assert min(free, bound) >= 0
        assert (free + bound, bound) == (held[asset], locked[asset]), asset
    ids = [(o["symbol"], o["client_order_id"]) for o in books["orders"] if o["status"] in {"NEW", "PARTIALLY_FILLED"}]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_money_is_neither_made_nor_lost(tmp_path: Path, seed: int) -> None:
    wild = Wild(tmp_path / "books", Random(seed))
    for step in range(STEPS):
        await wild.do_something()
        if step % 10 == 0:
            for books in wild.books():
                check(books)
        if step % 100 == 99:
            before = wild.books()
            wild.close()
            wild.open()
            assert wild.books() == before
    assert wild.taken > 5
    assert wild.refusals >= {-1013, -1100, -2010, -2011}
    wild.close()


async def test_a_kill_at_any_moment_leaves_what_was_acknowledged(tmp_path: Path) -> None:
    wild = Wild(tmp_path / "books", Random(11))
    wild.books()  # which opens both accounts
    moments = []
    for _ in range(150):
        await wild.do_something()
        wild.site.keep()
        moments.append((wild.file.stat().st_size, wild.books()))
    written = wild.file.read_bytes()
    wild.close()
    for _ in range(150):
        cut = wild.chance.randint(moments[0][0], len(written))
        torn = Wild.__new__(Wild)
        torn.file = tmp_path / "torn"
        torn.file.write_bytes(written[:cut])
        torn.open()
        assert torn.books() == [books for size, books in moments if size <= cut][-1]
        torn.close()
