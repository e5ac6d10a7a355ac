"""What a deal bought, sold and paid, and what is left of it at its end."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dcacore.domain.books import NOTHING_CARRIED, Books, Carried, settle
from dcacore.domain.ids import OrderId, TradeId
from dcacore.domain.ladder import take_profit_price
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import BaseQty, Price, QuoteAmount, exact
from dcacore.domain.orders import Fill, Order, Role, Side
from tests.strategies import NOON, strategy


def fill(price: str, quantity: str, base_fee: str = "0", quote_fee: str = "0") -> Fill:
    return Fill(
        trade_id=TradeId(f"{price} x {quantity}"),
        at=NOON,
        price=Price(Decimal(price)),
        quantity=BaseQty(Decimal(quantity)),
        base_fee=BaseQty(Decimal(base_fee)),
        quote_fee=QuoteAmount(Decimal(quote_fee)),
    )


def carried(quantity: str, cost: str) -> Carried:
    return Carried(quantity=BaseQty(Decimal(quantity)), cost=QuoteAmount(Decimal(cost)))


def quote(amount: str) -> QuoteAmount:
    return QuoteAmount(Decimal(amount))


def base(quantity: str) -> BaseQty:
    return BaseQty(Decimal(quantity))


def test_empty_books_hold_nothing() -> None:
    assert not any((Books().spent, Books().net, Books().cost))


def test_buys_add_up_with_their_fees_in_either_asset() -> None:
    books = Books().with_fill(Side.BUY, fill("100", "1", base_fee="0.001"))
    books = books.with_fill(Side.BUY, fill("90", "2", quote_fee="0.18"))
    assert books.bought == 3
    assert books.gross == 280
    assert books.base_fees == Decimal("0.001")
    assert books.buy_fees == Decimal("0.18")
    assert books.net == Decimal("2.999")
    assert books.spent == books.cost == Decimal("280.18")
    assert books.average.rounded() == Decimal("93.33333333")  # fees are no part of it


def test_what_was_carried_is_part_of_what_is_spent_and_held_but_not_of_the_average() -> None:
    books = Books(carried=carried("0.5", "45")).with_fill(Side.BUY, fill("100", "1"))
    assert books.spent == 145
    assert books.net == Decimal("1.5")
    assert books.average.rounded() == 100


def test_a_sell_lessens_what_is_held_and_spent_by_its_proceeds_less_the_fee() -> None:
    books = Books().with_fill(Side.BUY, fill("100", "2")).with_fill(Side.SELL, fill("110", "0.5", quote_fee="0.055"))
    assert books.sold == Decimal("0.5")
    assert books.proceeds == 55
    assert books.sell_fees == Decimal("0.055")
    assert books.net == Decimal("1.5")
    assert books.spent == Decimal("145.055")
    assert books.cost == 200
    assert books.average.rounded() == 100


def test_a_deal_sold_out_leaves_nothing_and_its_profit_is_what_is_left_of_the_proceeds() -> None:
    books = Books().with_fill(Side.BUY, fill("100", "2")).with_fill(Side.SELL, fill("110", "2", quote_fee="0.22"))
    result = exact(settle)(books, base("2"), quote("219.78"))
    assert result.carried == NOTHING_CARRIED
    assert result.cost_of_sold == 200
    assert result.profit == Decimal("19.78")


def test_dust_is_carried_with_its_share_of_the_cost_cut_at_eight_decimals() -> None:
    books = Books().with_fill(Side.BUY, fill("100", "1", base_fee="0.0007"))  # 0.9993 held
    books = books.with_fill(Side.SELL, fill("110", "0.999"))
    result = exact(settle)(books, base("0.999"), quote("109.89"))
    # 100 * 0.0003 / 0.9993 = 0.030021014...
    assert result.carried == carried("0.0003", "0.03002101")
    assert result.cost_of_sold == Decimal("99.96997899")
    assert result.profit == Decimal("9.92002101")


def test_carried_dust_comes_round_again_and_nothing_is_rounded_away() -> None:
    first = Books().with_fill(Side.BUY, fill("100", "1", base_fee="0.0007")).with_fill(Side.SELL, fill("110", "0.999"))
    one = exact(settle)(first, base("0.999"), quote("109.89"))
    second = Books(carried=one.carried).with_fill(Side.BUY, fill("100", "1", base_fee="0.0007"))
    assert second.net == Decimal("0.9996")
    assert second.spent == Decimal("100.03002101")
    second = second.with_fill(Side.SELL, fill("110", "0.999"))
    two = exact(settle)(second, base("0.999"), quote("109.89"))
    assert two.carried.quantity == Decimal("0.0006")
    received, paid = Decimal("219.78"), Decimal(200)
    assert one.profit + two.profit - two.carried.cost == received - paid


def test_a_deal_sold_in_two_orders_carries_the_share_of_what_was_left_before_the_last() -> None:
    books = Books().with_fill(Side.BUY, fill("100", "2", base_fee="0.0005"))  # 1.9995 held
    books = books.with_fill(Side.SELL, fill("110", "1"))  # 0.9995 held, 90 spent
    books = books.with_fill(Side.SELL, fill("120", "0.999"))
    result = exact(settle)(books, base("0.999"), quote("119.88"))
    # 90 * 0.0005 / 0.9995 = 0.045022511...
    assert result.carried == carried("0.0005", "0.04502251")
    assert result.profit == Decimal("229.88") - Decimal(200) + Decimal("0.04502251")


def test_a_deal_that_sold_nothing_carries_all_of_it_at_no_profit() -> None:
    books = Books().with_fill(Side.BUY, fill("100", "1"))
    result = exact(settle)(books, base("0"), quote("0"))
    assert result.carried == carried("1", "100")
    assert not result.profit
    assert not result.cost_of_sold


def test_a_negative_cost_is_cut_towards_zero_too() -> None:
    # The first sell brought more than all had cost, so what is left had cost less than nothing.
    books = Books().with_fill(Side.BUY, fill("1", "10")).with_fill(Side.SELL, fill("2", "7"))  # 3 held, -4 spent
    books = books.with_fill(Side.SELL, fill("2", "2"))
    result = exact(settle)(books, base("2"), quote("4"))
    assert result.carried == carried("1", "-1.33333333")
    assert result.profit - result.carried.cost == Decimal(8)  # what came in less what went out


# freqtrade publishes what its own position-adjustment test expects of these five buys at 0.25 % a side (its file
# tests/optimize/test_backtesting_adjust_position.py, pair UNITTEST/BTC, 2018-01-29).
PUBLISHED_PRICES = ("0.104445", "0.10414003", "0.10399643", "0.1038", "0.10371005")
PUBLISHED_AMOUNT = Decimal("4806.87657523")
PUBLISHED_AVERAGE = 0.10401764891917063
PUBLISHED_BREAK_EVEN = 0.10453904064307624


def test_the_books_agree_with_freqtrades_published_position_adjustment() -> None:
    rate = Decimal("0.0025")
    amounts = [(Decimal(100) / Decimal(price)).quantize(Decimal("1E-8")) for price in PUBLISHED_PRICES]
    fills = [
        fill(price, str(amount), quote_fee=str(Decimal(price) * amount * rate))
        for price, amount in zip(PUBLISHED_PRICES, amounts, strict=True)
    ]
    books = Books()
    for bought in fills:
        books = exact(books.with_fill)(Side.BUY, bought)
    assert books.bought == PUBLISHED_AMOUNT
    assert float(books.gross / books.bought) == pytest.approx(PUBLISHED_AVERAGE, rel=1e-15)
    assert float(books.gross) == pytest.approx(500, rel=1e-9)

    # Its break-even is ours with fees in quote and next to no profit asked for: average * (1 + fee) / (1 - fee).
    fine = Market(
        pair="UNITTESTBTC", base_asset="UNITTEST", quote_asset="BTC", tick_size="1e-20", step_size="0.00000001"
    )
    fees = Fees(fee_maker=rate, fee_taker=rate, fee_asset="quote")
    bot = strategy(pair="UNITTESTBTC", take_profit="1e-30")
    base_order = Order(id=OrderId("base"), side=Side.BUY, role=Role.BASE, quantity=fills[0].quantity)
    target = take_profit_price(bot, fees, fine, books, exact(base_order.with_fill)(fills[0]))
    assert float(target) == pytest.approx(PUBLISHED_BREAK_EVEN, rel=1e-15)
