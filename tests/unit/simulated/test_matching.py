"""The simulated exchange: what it takes, what it fills and at which price, and what it charges."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dcacore.adapters.simulated import UNLIMITED, MatchingCore, Wallet
from dcacore.domain.events import Accepted, Canceled, Filled, Refusal, Refused, Report
from dcacore.domain.ids import OrderId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Fill, Order, Role, Side
from tests.strategies import FREE, MARKET, NOON

MAKER_TAKER = Fees(fee_maker="0.001", fee_taker="0.002")
IN_QUOTE = Fees(fee_maker="0.001", fee_taker="0.002", fee_asset="quote")


def exchange(
    quote: str = "1000", base: str = "0", fees: Fees = FREE, price: str | None = "100", **changes: Any
) -> MatchingCore:
    return MatchingCore(
        market=changes.pop("market", MARKET),
        fees=fees,
        wallet=Wallet.holding({"XYZ": Decimal(quote), "ABC": Decimal(base)}),
        at=NOON,
        price=None if price is None else Price(Decimal(price)),
        **changes,
    )


def order(side: Side, quantity: str, price: str | None = None, name: str = "it") -> Order:
    return Order(
        id=OrderId(name),
        side=side,
        role=Role.SAFETY if side is Side.BUY else Role.TAKE_PROFIT,
        quantity=BaseQty(Decimal(quantity)),
        price=None if price is None else Price(Decimal(price)),
    )


def buy(quantity: str, price: str | None = None, name: str = "it") -> Order:
    return order(Side.BUY, quantity, price, name)


def sell(quantity: str, price: str | None = None, name: str = "it") -> Order:
    return order(Side.SELL, quantity, price, name)


def filled(reports: tuple[Report, ...]) -> Fill:
    (report,) = reports
    assert isinstance(report, Filled)
    return report.fill


def refused(reports: tuple[Report, ...]) -> Refused:
    (report,) = reports
    assert isinstance(report, Refused)
    return report


def holdings(core: MatchingCore) -> tuple[str, str, str, str]:
    """Quote free and locked, base free and locked."""
    wallet = core.wallet
    amounts = (wallet.free("XYZ"), wallet.locked("XYZ"), wallet.free("ABC"), wallet.locked("ABC"))
    return tuple(f"{amount.normalize():f}" for amount in amounts)  # type: ignore[return-value]  # four of them


def move(core: MatchingCore, price: str) -> tuple[Report, ...]:
    return core.move_to(Price(Decimal(price)))


# --------------------------------------------------------------------------------------------------- market orders


def test_a_market_buy_fills_whole_at_the_price_and_pays_as_a_taker() -> None:
    core = exchange(fees=MAKER_TAKER)
    fill = filled(core.place(buy("2")))
    assert (fill.price, fill.quantity) == (Decimal(100), Decimal(2))
    assert fill.base_fee == Decimal("0.004")
    assert fill.quote_fee == 0
    assert fill.at == NOON
    assert holdings(core) == ("800", "0", "1.996", "0")


def test_fees_in_quote_come_on_top_of_a_buy() -> None:
    core = exchange(fees=IN_QUOTE)
    fill = filled(core.place(buy("2")))
    assert (fill.base_fee, fill.quote_fee) == (Decimal(0), Decimal("0.4"))
    assert holdings(core) == ("799.6", "0", "2", "0")


@pytest.mark.parametrize("fees", [MAKER_TAKER, IN_QUOTE])
def test_a_market_sell_pays_its_fee_in_quote(fees: Fees) -> None:
    core = exchange(quote="0", base="3", fees=fees)
    fill = filled(core.place(sell("2")))
    assert (fill.base_fee, fill.quote_fee) == (Decimal(0), Decimal("0.4"))
    assert holdings(core) == ("199.6", "0", "1", "0")


def test_fees_are_cut_at_eight_decimals() -> None:
    core = exchange(fees=Fees(fee_taker="0.0033333"), price="33.33")
    assert filled(core.place(buy("0.333"))).base_fee == Decimal("0.00110998")


def test_slippage_moves_market_orders_against_the_account_onto_the_grid() -> None:
    core = exchange(base="5", price="99.99", slippage=Decimal("0.001"))
    assert filled(core.place(buy("1", name="a"))).price == Decimal("100.09")  # 100.08999 rounded up
    assert filled(core.place(sell("1", name="b"))).price == Decimal("99.89")  # 99.89001 rounded down


def test_slippage_does_not_touch_limit_orders() -> None:
    core = exchange(base="5", slippage=Decimal("0.1"))
    assert filled(core.place(buy("1", "101", "a"))).price == 100
    assert filled(core.place(sell("1", "99", "b"))).price == 100
    core.place(buy("1", "90", "c"))
    assert filled(move(core, "90")).price == 90


# --------------------------------------------------------------------------------------------------- limit orders


@pytest.mark.parametrize(
    ("placed", "takes"),
    [
        (buy("1", "100"), True),
        (buy("1", "100.01"), True),
        (buy("1", "99.99"), False),
        (sell("1", "100"), True),
        (sell("1", "99.99"), True),
        (sell("1", "100.01"), False),
    ],
    ids=lambda value: f"{value.side.value} at {value.price}" if isinstance(value, Order) else None,
)
def test_a_limit_order_at_or_past_the_market_fills_at_once_as_a_taker(placed: Order, takes: bool) -> None:
    core = exchange(base="5", fees=IN_QUOTE)
    reports = core.place(placed)
    if takes:
        fill = filled(reports)
        assert fill.price == 100  # the market's price and not its own
        assert fill.quote_fee == Decimal("0.2")
        assert core.resting == ()
    else:
        assert reports == (Accepted(placed.id),)
        assert core.resting == (placed,)


def test_a_resting_order_fills_at_its_own_price_as_a_maker() -> None:
    core = exchange(fees=IN_QUOTE)
    core.place(buy("1", "90"))
    assert move(core, "90.01") == ()
    fill = filled(move(core, "90"))
    assert (fill.price, fill.quote_fee) == (Decimal(90), Decimal("0.09"))
    assert move(core, "80") == ()


def test_a_jump_fills_buys_from_the_highest_down_and_sells_from_the_lowest_up() -> None:
    core = exchange(base="3")
    for price, name in (("90", "low"), ("95", "high"), ("92", "middle")):
        core.place(buy("1", price, name))
    reports = move(core, "85")
    assert [report.order_id for report in reports] == ["high", "middle", "low"]
    assert [report.fill.price for report in reports if isinstance(report, Filled)] == [95, 92, 90]
    for price, name in (("110", "far"), ("105", "near")):
        core.place(sell("1", price, name))
    assert [report.order_id for report in move(core, "111")] == ["near", "far"]


def test_orders_of_one_price_fill_in_the_order_in_which_they_came() -> None:
    core = exchange()
    for name in ("first", "second", "third"):
        core.place(buy("1", "90", name))
    assert [report.order_id for report in move(core, "90")] == ["first", "second", "third"]


def test_every_fill_has_a_trade_id_of_its_own() -> None:
    core = exchange(base="9")
    fills = [filled(core.place(order)) for order in (buy("1", name="a"), sell("1", name="b"), buy("1", name="c"))]
    assert len({fill.trade_id for fill in fills}) == 3


def test_the_best_prices_are_those_that_are_met_first() -> None:
    core = exchange(base="3")
    assert (core.best_buy, core.best_sell) == (None, None)
    core.place(buy("1", "90", "a"))
    core.place(buy("1", "95", "b"))
    core.place(sell("1", "110", "c"))
    core.place(sell("1", "105", "d"))
    assert (core.best_buy, core.best_sell) == (Decimal(95), Decimal(105))
    core.cancel(OrderId("b"))
    core.cancel(OrderId("d"))
    assert (core.best_buy, core.best_sell) == (Decimal(90), Decimal(110))


# --------------------------------------------------------------------------------------------------- balances and locks


def test_a_resting_buy_locks_its_cost_with_the_makers_fee() -> None:
    core = exchange(fees=IN_QUOTE)
    core.place(buy("2", "90"))
    assert holdings(core) == ("819.82", "180.18", "0", "0")
    assert core.reserved_quote == Decimal("180.18")
    move(core, "90")
    assert holdings(core) == ("819.82", "0", "2", "0")
    assert core.reserved_quote == 0


def test_a_resting_sell_locks_what_it_sells() -> None:
    core = exchange(base="3")
    core.place(sell("2", "110"))
    assert holdings(core) == ("1000", "0", "1", "2")
    assert core.reserved_quote == 0
    move(core, "120")
    assert holdings(core) == ("1220", "0", "1", "0")


def test_a_cancel_gives_back_what_was_locked() -> None:
    core = exchange(base="3", fees=IN_QUOTE)
    core.place(buy("2", "90", "a"))
    core.place(sell("2", "110", "b"))
    assert core.cancel(OrderId("a")) == (Canceled(OrderId("a"), BaseQty(Decimal(0))),)
    assert core.cancel(OrderId("b")) == (Canceled(OrderId("b"), BaseQty(Decimal(0))),)
    assert holdings(core) == ("1000", "0", "3", "0")


def test_there_is_nothing_to_cancel_twice_nor_after_a_fill() -> None:
    core = exchange()
    core.place(buy("1", "90"))
    core.cancel(OrderId("it"))
    assert core.cancel(OrderId("it")) == ()
    core.place(buy("1", "90"))
    move(core, "90")
    assert core.cancel(OrderId("it")) == ()
    assert core.cancel(OrderId("stranger")) == ()


def test_all_that_is_free_can_be_spent_and_not_a_bit_more() -> None:
    core = exchange(quote="200.4", fees=IN_QUOTE)
    assert filled(core.place(buy("2"))).quote_fee == Decimal("0.4")
    assert holdings(core) == ("0", "0", "2", "0")
    refusal = refused(exchange(quote="200.39999999", fees=IN_QUOTE).place(buy("2")))
    assert refusal.refusal is Refusal.BALANCE
    assert refusal.reason == "needs 200.4 XYZ, 200.39999999 XYZ is free"


def test_what_resting_orders_hold_is_not_free() -> None:
    core = exchange(quote="250", base="2")
    core.place(buy("2", "90", "a"))
    assert refused(core.place(buy("1", name="b"))).refusal is Refusal.BALANCE
    core.place(sell("2", "110", "c"))
    refusal = refused(core.place(sell("1", name="d")))
    assert (refusal.refusal, refusal.reason) == (Refusal.BALANCE, "needs 1 ABC, 0 ABC is free")
    core.cancel(OrderId("a"))
    assert filled(core.place(buy("1", name="e"))).price == 100


def test_slippage_counts_in_what_a_market_order_needs() -> None:
    core = exchange(quote="100", slippage=Decimal("0.001"))
    assert refused(core.place(buy("1"))).refusal is Refusal.BALANCE
    assert filled(exchange(quote="100.1", slippage=Decimal("0.001")).place(buy("1"))).price == Decimal("100.1")


def test_unlimited_funds_never_run_out() -> None:
    core = exchange()
    core.wallet = Wallet.holding({"XYZ": UNLIMITED})
    filled(core.place(buy("1000000", name="a")))
    core.place(buy("1", "90", "b"))
    assert core.wallet.free("XYZ") == UNLIMITED
    assert core.reserved_quote == 90


def test_a_refused_order_changes_nothing() -> None:
    core = exchange(quote="10")
    before = holdings(core)
    refused(core.place(buy("1")))
    refused(core.place(sell("1", name="b")))
    assert holdings(core) == before
    assert core.resting == ()


# --------------------------------------------------------------------------------------------------- partial fills


def test_a_part_fills_at_the_orders_own_price_and_releases_its_share() -> None:
    core = exchange(fees=IN_QUOTE)
    core.place(buy("2", "90"))
    fill = filled(core.fill_in_part(OrderId("it"), BaseQty(Decimal("0.5"))))
    assert (fill.price, fill.quantity, fill.quote_fee) == (Decimal(90), Decimal("0.5"), Decimal("0.045"))
    assert holdings(core) == ("819.82", "135.135", "0.5", "0")
    assert core.cancel(OrderId("it")) == (Canceled(OrderId("it"), BaseQty(Decimal("0.5"))),)
    assert holdings(core) == ("954.955", "0", "0.5", "0")


def test_parts_never_add_up_to_more_than_was_ordered() -> None:
    core = exchange(base="2")
    core.place(sell("2", "110"))
    filled(core.fill_in_part(OrderId("it"), BaseQty(Decimal("1.5"))))
    assert filled(core.fill_in_part(OrderId("it"), BaseQty(Decimal(5)))).quantity == Decimal("0.5")
    assert core.fill_in_part(OrderId("it"), BaseQty(Decimal(1))) == ()
    assert holdings(core) == ("1220", "0", "0", "0")
    assert core.resting == ()


def test_what_is_left_of_an_order_fills_when_its_price_comes() -> None:
    core = exchange()
    core.place(buy("2", "90"))
    core.fill_in_part(OrderId("it"), BaseQty(Decimal("0.7")))
    assert filled(move(core, "89")).quantity == Decimal("1.3")
    assert holdings(core) == ("820", "0", "2", "0")


def test_fees_of_parts_are_cut_one_by_one_and_nothing_stays_locked() -> None:
    core = exchange(fees=Fees(fee_maker="0.0033333", fee_asset="quote"))
    core.place(buy("1", "33.33"))
    for quantity in ("0.333", "0.333", "0.334"):
        filled(core.fill_in_part(OrderId("it"), BaseQty(Decimal(quantity))))
    assert core.wallet.locked("XYZ") == 0
    paid = 2 * (Decimal("11.09889") + Decimal("0.03699593")) + Decimal("11.13222") + Decimal("0.03710702")
    assert core.wallet.free("XYZ") == Decimal(1000) - paid


# --------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("placed", "complaint"),
    [
        (buy("1", "90.005"), "the price 90.005 is not a multiple of the tick size 0.01"),
        (buy("1", "0"), "the price 0 is not a multiple of the tick size 0.01"),
        (buy("1", "-1"), "the price -1 is not a multiple of the tick size 0.01"),
        (buy("0.0005", "90"), "the quantity 0.0005 is not a multiple of the step size 0.001"),
        (buy("0", "90"), "the quantity 0 is not a multiple of the step size 0.001"),
        (buy("-1", "90"), "the quantity -1 is not a multiple of the step size 0.001"),
        (buy("0.055", "90"), "0.055 at 90 is below the least of 0.001 ABC and 5 XYZ"),
        (buy("0.049"), "0.049 at 100 is below the least of 0.001 ABC and 5 XYZ"),
        (sell("0.049"), "0.049 at 100 is below the least of 0.001 ABC and 5 XYZ"),
    ],
)
def test_what_breaks_a_rule_of_the_market_is_refused(placed: Order, complaint: str) -> None:
    assert core_refuses(placed) == (Refusal.RULE, complaint)


def core_refuses(placed: Order) -> tuple[Refusal, str]:
    refusal = refused(exchange(base="10").place(placed))
    assert refusal.order_id == placed.id
    return refusal.refusal, refusal.reason


def test_an_order_at_the_minimum_is_taken() -> None:
    assert exchange().place(buy("0.056", "90"))[0] == Accepted(OrderId("it"))
    assert filled(exchange().place(buy("0.05"))).quantity == Decimal("0.05")


def test_the_least_quantity_counts_by_itself() -> None:
    rules = Market(
        pair="ABCXYZ", base_asset="ABC", quote_asset="XYZ", tick_size="0.01", step_size="0.001", min_quantity="0.01"
    )
    assert refused(exchange(market=rules).place(buy("0.009"))).refusal is Refusal.RULE
    assert filled(exchange(market=rules).place(buy("0.01"))).quantity == Decimal("0.01")


def test_an_id_rests_only_once_and_is_free_again_afterwards() -> None:
    core = exchange()
    core.place(buy("1", "90"))
    refusal = refused(core.place(buy("1", "80")))
    assert (refusal.refusal, refusal.reason) == (Refusal.RULE, "an order with this id rests already")
    assert core.resting == (buy("1", "90"),)
    core.cancel(OrderId("it"))
    assert core.place(buy("1", "80")) == (Accepted(OrderId("it")),)


def test_before_the_first_price_nothing_is_taken() -> None:
    core = exchange(price=None)
    assert refused(core.place(buy("1"))).reason == "the market has no price yet"
    assert refused(core.place(buy("1", "90"))).refusal is Refusal.RULE


def test_a_halted_market_takes_and_fills_nothing_but_cancels() -> None:
    core = exchange()
    core.place(buy("1", "90", "a"))
    core.place(buy("1", "80", "b"))
    core.is_halted = True
    assert refused(core.place(buy("1", name="c"))).reason == "ABCXYZ is halted"
    assert move(core, "85") == ()
    assert core.cancel(OrderId("b")) == (Canceled(OrderId("b"), BaseQty(Decimal(0))),)
    core.is_halted = False
    assert filled(move(core, "86")).price == 90


# --------------------------------------------------------------------------------------------------- the wallet


def test_a_wallet_knows_every_asset_it_ever_held() -> None:
    wallet = Wallet.holding({"XYZ": Decimal(5)})
    assert wallet.free("ABC") == 0
    wallet.add("ABC", Decimal(2))
    wallet.lock("ABC", Decimal("0.5"))
    assert (wallet.free("ABC"), wallet.locked("ABC")) == (Decimal("1.5"), Decimal("0.5"))
    wallet.lock("ABC", Decimal("-0.5"))
    wallet.add("ABC", Decimal(-2))
    assert (wallet.free("ABC"), wallet.locked("ABC")) == (Decimal(0), Decimal(0))
    assert wallet.assets == ("ABC", "XYZ")


def test_two_wallets_share_nothing() -> None:
    start = {"XYZ": Decimal(5)}
    one, other = Wallet.holding(start), Wallet.holding(start)
    one.add("XYZ", Decimal(1))
    assert other.free("XYZ") == 5
    assert start == {"XYZ": Decimal(5)}
    assert Wallet().assets == Wallet().assets == ()
