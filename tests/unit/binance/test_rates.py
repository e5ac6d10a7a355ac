"""What a fee in a third asset was worth: by whatever pair tells it."""

from __future__ import annotations

import datetime
from decimal import Decimal

import attrs
import pytest

from dcacore.domain.ids import TradeId
from dcacore.domain.market import Market
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Side
from dcacore.domain.venue import Trade, VenueOrderId
from dcacore.ports.errors import Unavailable
from tests.unit.binance.conftest import Bench
from tests.unit.binance.wire import Json, Say, Seen, refusal

AT = datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.UTC)
TRADE = Trade(
    trade_id=TradeId("1"),
    venue_order_id=VenueOrderId("2"),
    at=AT,
    side=Side.BUY,
    price=Price(Decimal(3000)),
    quantity=BaseQty(Decimal(1)),
    fee=Decimal("0.01"),
    fee_asset="BNB",
)


def market(base: str, quote: str) -> Market:
    return Market(pair=base + quote, base_asset=base, quote_asset=quote, tick_size="0.01", step_size="0.001")


def listed(bench: Bench, **opens: str) -> None:
    """Let only these pairs have candles."""

    def candles(seen: Seen) -> Say:
        price = opens.get(seen.params["symbol"])
        rows: Json = [[1, "1.0"], [2, price]] if price else []
        return Say(rows) if seen.params["symbol"] in opens else refusal(-1121, "Invalid symbol.")

    bench.wire.answers["GET klines"] = candles


@pytest.mark.parametrize(
    ("opens", "quote", "rate"),
    [
        ({"BNBUSDT": "550.10"}, "USDT", "550.1"),
        ({"BTCBNB": "0.125"}, "BTC", "8"),
        ({"BNBUSDT": "500", "USDTTRY": "32.5"}, "TRY", "16250"),
        ({"BNBUSDT": "", "BNBUSDC": "500", "USDCTRY": "32"}, "TRY", "16000"),
    ],
    ids=str,
)
async def test_a_fee_is_valued(bench: Bench, opens: dict[str, str], quote: str, rate: str) -> None:
    listed(bench, **opens)
    valued = await bench.site.rates.valued(TRADE, market("ETH", quote))
    assert valued.fee_rate == Decimal(rate)
    asked = bench.wire.calls("GET klines")
    assert {seen.params["endTime"] for seen in asked} == {"1714979280000"}
    assert (await bench.site.rates.valued(TRADE, market("ETH", quote))).fee_rate == Decimal(rate)
    assert len(bench.wire.calls("GET klines")) == len(asked)


@pytest.mark.parametrize("asset", ["ETH", "USDT"])
async def test_a_fee_in_base_or_quote_needs_no_rate(bench: Bench, asset: str) -> None:
    trade = attrs.evolve(TRADE, fee_asset=asset)
    assert await bench.site.rates.valued(trade, market("ETH", "USDT")) == trade
    assert bench.wire.calls("GET klines") == []


async def test_an_asset_that_trades_against_nothing_has_no_rate(bench: Bench) -> None:
    listed(bench)
    assert (await bench.site.rates.valued(TRADE, market("ETH", "USDT"))).fee_rate is None


@pytest.mark.parametrize("answer", [{}, [1], [[1]], [[1, "-5"]]], ids=str)
async def test_a_candle_that_cannot_be_read_is_no_rate(bench: Bench, answer: Json) -> None:
    bench.wire.answers["GET klines"] = Say(answer)
    with pytest.raises(Unavailable):
        await bench.site.rates.valued(TRADE, market("ETH", "USDT"))
