"""What an asset is worth in another."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dcacore.domain.money import Price
from dcacore.domain.worth import worth

PRICES = {
    pair: Price(Decimal(price))
    for pair, price in {
        "BTCUSDT": "30000",
        "ETHBTC": "0.05",
        "USDTTRY": "32",
        "BTCEUR": "27000",
        "DOGEUSDT": "0.1",
    }.items()
}


@pytest.mark.parametrize(
    ("amount", "asset", "quote", "value"),
    [
        ("1.5", "USDT", "USDT", "1.5"),
        ("0.1", "BTC", "USDT", "3000"),  # by their pair
        ("64", "TRY", "USDT", "2"),  # by their pair the other way round
        ("2", "ETH", "USDT", "3000"),  # through BTC
        ("2", "ETH", "EUR", "2700"),
        ("320", "TRY", "BTC", "0.00033333"),
        ("1000", "DOGE", "TRY", "3200"),  # through USDT
        ("0", "BTC", "USDT", "0"),
        ("1", "SHIB", "USDT", None),
        ("1", "BTC", "GBP", None),
        ("0.00000001", "DOGE", "BTC", "0"),
    ],
)
def test_the_way_is_found(amount: str, asset: str, quote: str, value: str | None) -> None:
    assert worth(Decimal(amount), asset, quote, PRICES) == (None if value is None else Decimal(value))


def test_their_own_pair_comes_before_a_way_round() -> None:
    prices = {**PRICES, "ETHUSDT": Price(Decimal(1600))}
    assert worth(Decimal(1), "ETH", "USDT", prices) == 1600


def test_an_inverse_price_is_exact_until_the_end() -> None:
    assert worth(Decimal(3), "USDT", "XYZ", {"XYZUSDT": Price(Decimal(3))}) == 1
    assert worth(Decimal(2), "USDT", "XYZ", {"XYZUSDT": Price(Decimal(3))}) == Decimal("0.66666667")
