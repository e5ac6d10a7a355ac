"""What a deal may cost at most."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Price
from dcacore.domain.preview import ladder
from dcacore.domain.spending import most_spent, raises
from dcacore.domain.strategy import Strategy

MARKET = Market(
    pair="BTCUSDT", base_asset="BTC", quote_asset="USDT", tick_size="0.01", step_size="0.00001", min_notional="5"
)
NOW = Price(Decimal(30000))


def strategy(**changes: Any) -> Strategy:
    usual = {
        "pair": "BTCUSDT",
        "base_order_size": 100,
        "safety_order_size": 50,
        "max_safety_orders": 3,
        "safety_order_volume_scale": 2,
        "price_deviation": 1,
        "take_profit": 1,
    }
    return Strategy(**{**usual, **changes})


def test_orders_count_with_their_sizes_and_fees_at_the_higher_rate() -> None:
    spent = most_spent(strategy(), MARKET, Fees(fee_maker="0.001", fee_taker="0.002"), NOW)
    assert (spent.orders, spent.for_orders, spent.for_fees) == (4, Decimal(450), Decimal("0.9"))
    assert spent.total == Decimal("450.9")


def test_a_quantity_that_is_rounded_up_counts_with_what_it_costs() -> None:
    coarse = attrs.evolve(MARKET, step_size=Decimal("0.01"), min_quantity=Decimal("0.01"))
    spent = most_spent(strategy(quantity_rounding="up", max_safety_orders=1), coarse, Fees(fee_maker=0), NOW)
    assert spent.for_orders == Decimal(300) + Decimal(297)


def test_fees_and_orders_are_rounded_up() -> None:
    spent = most_spent(strategy(base_order_size="10.000000001", max_safety_orders=0), MARKET, Fees(), NOW)
    assert (spent.for_orders, spent.for_fees) == (Decimal("10.00000001"), Decimal("0.01000001"))


def test_an_order_that_is_too_small_now_is_counted() -> None:
    small = strategy(safety_order_size=6, max_safety_orders=1)
    strict = attrs.evolve(MARKET, min_notional=Decimal(6))
    assert ladder(small, NOW, strict).warnings != ()
    assert most_spent(small, strict, Fees(fee_maker=0, fee_taker=0), NOW).total == 106


def test_only_what_costs_more_raises() -> None:
    before = strategy()
    same: list[dict[str, Any]] = [
        {"take_profit": 5},
        {"price_deviation": 2},
        {"base_order_size": 99},
        {"max_safety_orders": 2},
    ]
    more: list[dict[str, Any]] = [
        {"base_order_size": "100.01"},
        {"max_safety_orders": 4},
        {"safety_order_volume_scale": "2.1"},
    ]
    assert [raises(before, strategy(**it), MARKET, Fees(), NOW) for it in same] == [False] * 4
    assert [raises(before, strategy(**it), MARKET, Fees(), NOW) for it in more] == [True] * 3


@given(
    size=st.decimals("5", "500", places=2),
    scale=st.decimals("0.5", "3", places=2),
    count=st.integers(0, 12),
    price=st.integers(1_000, 9_000_000),
    rounding=st.sampled_from(["down", "up"]),
    fee_asset=st.sampled_from(["received", "quote"]),
)
def test_no_ladder_costs_more(  # noqa: PLR0917  # Hypothesis gives them by name
    size: Decimal, scale: Decimal, count: int, price: int, rounding: str, fee_asset: str
) -> None:
    wanted = strategy(
        safety_order_size=size, safety_order_volume_scale=scale, max_safety_orders=count, quantity_rounding=rounding
    )
    at, fees = Price(Decimal(price) / 100), Fees(fee_asset=fee_asset)
    rows = ladder(wanted, at, MARKET, fees).rows
    spent = most_spent(wanted, MARKET, fees, at)
    assert rows[-1].total_spent <= spent.total
