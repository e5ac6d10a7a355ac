"""What every exchange adapter owes its caller. An adapter joins the suite by adding itself to the fixture."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal

import attrs
import pytest

from dcacore.adapters.simulated.exchange import SimulatedExchange
from dcacore.domain.events import Accepted, Canceled, Filled, Refusal, Refused
from dcacore.domain.ids import OrderId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Order, Role, Side
from dcacore.ports.errors import UnknownPair
from dcacore.ports.exchange import Balance, Exchange

PAIR = "BTCUSDT"
NOON = datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.UTC)


@attrs.frozen
class Venue:
    """An adapter under test, and the hand that moves its market.

    Attributes:
        exchange: the adapter.
        move: brings the market to a price.
        fill: fills a part of a resting order.
        halt: halts the market.
    """

    exchange: Exchange
    move: Callable[[str], None]
    fill: Callable[[OrderId, str], None]
    halt: Callable[[], None]


@pytest.fixture(params=["simulated"])
def venue(request: pytest.FixtureRequest) -> Venue:
    market = Market(
        pair=PAIR, base_asset="BTC", quote_asset="USDT", tick_size="0.01", step_size="0.00001", min_notional="5"
    )
    exchange = SimulatedExchange([market], Fees(), {"USDT": Decimal(1000)})
    exchange.move_to(PAIR, Price(Decimal(30000)), NOON)
    return Venue(
        exchange=exchange,
        move=lambda price: exchange.move_to(PAIR, Price(Decimal(price)), NOON),
        fill=lambda order_id, quantity: exchange.fill_in_part(PAIR, order_id, BaseQty(Decimal(quantity))),
        halt=lambda: exchange.halt(PAIR, is_halted=True),
    )


def buy(name: str, quantity: str, price: str | None = None) -> Order:
    return Order(
        id=OrderId(name),
        side=Side.BUY,
        role=Role.BASE if price is None else Role.SAFETY,
        quantity=BaseQty(Decimal(quantity)),
        price=None if price is None else Price(Decimal(price)),
    )


def sell(name: str, quantity: str, price: str | None = None) -> Order:
    return attrs.evolve(buy(name, quantity, price), side=Side.SELL, role=Role.TAKE_PROFIT)


async def test_a_market_order_fills_at_once_and_pays_a_takers_fee(venue: Venue) -> None:
    (report,) = await venue.exchange.place(PAIR, buy("one", "0.01"))
    assert isinstance(report, Filled)
    assert (report.fill.price, report.fill.quantity) == (Decimal(30000), Decimal("0.01"))
    assert report.fill.base_fee == Decimal("0.00001")
    assert await venue.exchange.balances() == {
        "BTC": Balance(Decimal("0.00999"), Decimal(0)),
        "USDT": Balance(Decimal(700), Decimal(0)),
    }


async def test_a_resting_buy_locks_what_it_may_cost_and_gives_it_back_when_cancelled(venue: Venue) -> None:
    assert await venue.exchange.place(PAIR, buy("one", "0.01", "29000")) == (Accepted(OrderId("one")),)
    assert (await venue.exchange.balances())["USDT"] == Balance(Decimal(710), Decimal(290))
    assert [order.id for order in await venue.exchange.open_orders(PAIR)] == ["one"]
    assert await venue.exchange.cancel(PAIR, OrderId("one")) == (Canceled(OrderId("one"), BaseQty(Decimal(0))),)
    assert (await venue.exchange.balances())["USDT"] == Balance(Decimal(1000), Decimal(0))
    assert await venue.exchange.open_orders(PAIR) == ()


async def test_a_cancel_may_be_repeated(venue: Venue) -> None:
    await venue.exchange.place(PAIR, buy("one", "0.01", "29000"))
    await venue.exchange.cancel(PAIR, OrderId("one"))
    assert await venue.exchange.cancel(PAIR, OrderId("one")) == ()


@pytest.mark.parametrize(
    ("order", "word"),
    [
        (buy("one", "0.01", "29000.001"), "tick"),
        (buy("one", "0.010001", "29000"), "step"),
        (buy("one", "0.0001", "29000"), "least"),
        (buy("one", "0", "29000"), "step"),
    ],
)
async def test_an_order_that_breaks_a_rule_is_refused_with_the_rule(venue: Venue, order: Order, word: str) -> None:
    (report,) = await venue.exchange.place(PAIR, order)
    assert isinstance(report, Refused)
    assert report.refusal is Refusal.RULE
    assert word in report.reason
    assert (await venue.exchange.balances())["USDT"].free == 1000


async def test_an_order_above_the_balance_is_refused_for_it(venue: Venue) -> None:
    (report,) = await venue.exchange.place(PAIR, buy("one", "0.04", "29000"))
    assert isinstance(report, Refused)
    assert report.refusal is Refusal.BALANCE
    (report,) = await venue.exchange.place(PAIR, sell("two", "0.01", "31000"))
    assert isinstance(report, Refused)
    assert report.refusal is Refusal.BALANCE


async def test_an_id_that_rests_is_not_taken_twice(venue: Venue) -> None:
    await venue.exchange.place(PAIR, buy("one", "0.01", "29000"))
    (report,) = await venue.exchange.place(PAIR, buy("one", "0.01", "29000"))
    assert isinstance(report, Refused)
    assert len(await venue.exchange.open_orders(PAIR)) == 1


async def test_a_price_that_comes_to_a_resting_order_fills_it_and_the_stream_tells(venue: Venue) -> None:
    reports = venue.exchange.reports()
    await venue.exchange.place(PAIR, buy("one", "0.01", "29000"))
    venue.move("28900")
    assert (await anext(reports)).report == Accepted(OrderId("one"))
    told = await anext(reports)
    assert told.pair == PAIR
    assert isinstance(told.report, Filled)
    assert told.report.fill.price == 29000
    assert (await venue.exchange.balances())["BTC"].free == Decimal("0.00999")


async def test_a_part_that_filled_stays_when_the_rest_is_cancelled(venue: Venue) -> None:
    reports = venue.exchange.reports()
    await venue.exchange.place(PAIR, buy("one", "0.01", "29000"))
    venue.fill(OrderId("one"), "0.004")
    assert (await venue.exchange.balances())["USDT"] == Balance(Decimal(710), Decimal(174))
    assert await venue.exchange.cancel(PAIR, OrderId("one")) == (Canceled(OrderId("one"), BaseQty(Decimal("0.004"))),)
    assert (await venue.exchange.balances())["USDT"] == Balance(Decimal(884), Decimal(0))
    kinds = [type((await anext(reports)).report) for _ in range(3)]
    assert kinds == [Accepted, Filled, Canceled]


async def test_a_limit_order_at_the_market_takes(venue: Venue) -> None:
    (report,) = await venue.exchange.place(PAIR, buy("one", "0.01", "30500"))
    assert isinstance(report, Filled)
    assert report.fill.price == 30000


async def test_a_halted_market_takes_no_order_and_lets_go_of_those_that_rest(venue: Venue) -> None:
    await venue.exchange.place(PAIR, buy("one", "0.01", "29000"))
    venue.halt()
    (report,) = await venue.exchange.place(PAIR, buy("two", "0.01", "29000"))
    assert isinstance(report, Refused)
    assert await venue.exchange.cancel(PAIR, OrderId("one"))


async def test_a_pair_that_is_not_traded_is_named(venue: Venue) -> None:
    assert (await venue.exchange.market(PAIR)).tick_size == Decimal("0.01")
    assert await venue.exchange.price(PAIR) == 30000
    with pytest.raises(UnknownPair, match="XYZUSDT"):
        await venue.exchange.price("XYZUSDT")
