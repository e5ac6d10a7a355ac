"""What every exchange adapter owes its caller. An adapter joins the suite by adding itself to the fixture."""

from __future__ import annotations

import contextlib
import datetime
import random
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, Protocol

import attrs
import pytest

from dcacore.adapters.binance import Urls
from dcacore.adapters.binance.site import Site
from dcacore.adapters.simulated.acts import act
from dcacore.adapters.simulated.exchange import SimulatedDirectory, SimulatedExchange
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.adapters.simulated.wire import pack
from dcacore.domain.ids import AccountId, OrderId
from dcacore.domain.market import Market
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Order, Role, Side
from dcacore.domain.venue import VenueOrder, VenueStatus
from dcacore.local_exchange.exchange import LocalExchange, Options
from dcacore.local_exchange.server import serving
from dcacore.local_exchange.site import Site as LocalSite
from dcacore.ports.errors import (
    BadCredentials,
    FilterViolation,
    InsufficientBalance,
    OutcomeUnknown,
    Rejected,
    TooLate,
    TradingHalted,
    UnknownPair,
)
from dcacore.ports.exchange import AccountEvent, Balance, Directory, Exchange, OrderChanged, StreamOpened
from dcacore.ports.secrets import ApiKey
from tests.unit.simulated.clock import ManualClock, RealClock

PAIR = "BTCUSDT"
ME = AccountId("me")
WINDOW = datetime.timedelta(seconds=5)
MARKET = Market(
    pair=PAIR, base_asset="BTC", quote_asset="USDT", tick_size="0.01", step_size="0.00001", min_notional="5"
)
OTHER = attrs.evolve(MARKET, pair="ETHBTC", base_asset="ETH", quote_asset="BTC")
OPENING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("list", {"market": pack(MARKET), "price": "30000"}),
    ("open", {"account": ME, "holdings": {"USDT": "1000"}}),
)
FREE_AND_LOCKED = tuple[str, str]


class Act(Protocol):
    """Does something to the venue behind the adapter; see `dcacore.adapters.simulated.acts`."""

    async def __call__(self, name: str, /, **params: Any) -> None: ...


@attrs.frozen
class Ground:
    """An adapter under test, and the hand that moves what stands behind it."""

    exchange: Exchange
    directory: Directory
    act: Act

    async def place(self, order: Order) -> VenueOrder:
        return await self.exchange.place(PAIR, order, sent_at=self.exchange.now(), recv_window=WINDOW)

    async def holds(self, asset: str) -> FREE_AND_LOCKED:
        balance = (await self.exchange.balances()).get(asset, Balance(Decimal(0), Decimal(0)))
        return f"{balance.free.normalize():f}", f"{balance.locked.normalize():f}"

    async def find(self, name: str) -> VenueOrder:
        order = await self.exchange.find(PAIR, order_id=OrderId(name))
        assert order is not None
        return order


def simulated() -> Ground:
    clock = ManualClock()
    venue = SimulatedVenue(clock.now)

    async def do(name: str, /, **params: Any) -> None:
        act(venue, name, params)

    for name, params in OPENING:
        act(venue, name, params)
    return Ground(SimulatedExchange(venue, ME, clock), SimulatedDirectory(venue), do)


@contextlib.asynccontextmanager
async def speaking_binance() -> AsyncIterator[Ground]:
    """The adapter for Binance, before an exchange on the loopback that speaks as Binance does."""
    options = Options(balance={"USDT": Decimal(1000)}, secrets={ME: "secret"})
    local = LocalExchange(options)
    local.list_pair(MARKET, Price(Decimal(30000)))
    local.account(ME)
    async with serving(LocalSite(local)) as urls:
        place = Urls(rest=urls.rest, streams=urls.stream, ws_api=urls.ws_api)
        site = Site(place, RealClock(), random.Random(1))
        await site.time.refresh()
        exchange = site.exchange(ApiKey(ME, "secret"))

        async def do(name: str, /, **params: Any) -> None:
            act(local.venue, name, params)

        yield Ground(exchange, site.directory, do)
        await exchange.close()
        await site.close()


@pytest.fixture(params=["simulated", "binance"])
async def ground(request: pytest.FixtureRequest) -> AsyncIterator[Ground]:
    if request.param == "simulated":
        yield simulated()
    else:
        async with speaking_binance() as ground:
            yield ground


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


# ---------------------------------------------------------------------------------------------------------- all pairs


async def test_all_pairs_have_their_last_price(ground: Ground) -> None:
    await ground.act("list", market=pack(OTHER), price="2000")
    await ground.act("move", pair=PAIR, price="31000")
    assert await ground.directory.prices() == {PAIR: Decimal(31000), "ETHBTC": Decimal(2000)}


async def test_only_pairs_that_trade_are_listed_with_their_rules(ground: Ground) -> None:
    await ground.act("list", market=pack(OTHER), price="2000")
    await ground.act("halt", pair=PAIR)
    assert await ground.directory.listings() == (await ground.exchange.listing("ETHBTC"),)
    assert (await ground.exchange.listing("ETHBTC")).market.base_asset == "ETH"


# ------------------------------------------------------------------------------------------------------------ placing


async def test_a_market_order_fills_at_once_and_brings_its_fills(ground: Ground) -> None:
    order = await ground.place(buy("one", "0.01"))
    assert (order.order_id, order.side, order.price) == ("one", Side.BUY, None)
    assert (order.status, order.quantity, order.executed) == (VenueStatus.FILLED, Decimal("0.01"), Decimal("0.01"))
    (trade,) = order.trades
    assert (trade.price, trade.quantity, trade.side) == (Decimal(30000), Decimal("0.01"), Side.BUY)
    assert (trade.fee, trade.fee_asset, trade.fee_rate) == (Decimal("0.00001"), "BTC", None)
    assert (trade.venue_order_id, trade.order_id) == (order.venue_order_id, "one")
    assert await ground.holds("BTC") == ("0.00999", "0")
    assert await ground.holds("USDT") == ("700", "0")


async def test_a_limit_order_rests_and_locks_what_it_may_cost(ground: Ground) -> None:
    order = await ground.place(buy("one", "0.01", "29000"))
    assert (order.status, order.executed, order.price) == (VenueStatus.OPEN, Decimal(0), Decimal(29000))
    assert order.trades == ()
    assert await ground.holds("USDT") == ("710", "290")


async def test_a_limit_order_at_the_market_takes(ground: Ground) -> None:
    order = await ground.place(buy("one", "0.01", "30500"))
    assert order.status is VenueStatus.FILLED
    assert order.trades[0].price == 30000


async def test_a_market_order_may_end_with_a_part(ground: Ground) -> None:
    await ground.act("thin_out", pair=PAIR, share="0.4")
    order = await ground.place(buy("one", "0.01"))
    assert (order.status, order.executed) == (VenueStatus.EXPIRED, Decimal("0.004"))
    assert await ground.holds("BTC") == ("0.003996", "0")
    assert await ground.holds("USDT") == ("880", "0")
    assert (await ground.place(buy("two", "0.01"))).status is VenueStatus.FILLED


# ----------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "order",
    [
        buy("one", "0.01", "29000.001"),
        buy("one", "0.010001", "29000"),
        buy("one", "0.0001", "29000"),
        buy("one", "0.0001"),
        buy("one", "0", "29000"),
    ],
    ids=["tick", "step", "notional", "notional at market", "nothing"],
)
async def test_an_order_that_breaks_a_filter_is_refused_for_it(ground: Ground, order: Order) -> None:
    with pytest.raises(FilterViolation) as refused:
        await ground.place(order)
    assert refused.value.code == -1013
    assert await ground.exchange.find(PAIR, order_id=OrderId("one")) is None
    assert await ground.holds("USDT") == ("1000", "0")


async def test_only_so_many_orders_may_rest(ground: Ground) -> None:
    await ground.act("rules", market=pack(MARKET), most_open=1)
    await ground.place(buy("one", "0.01", "29000"))
    with pytest.raises(FilterViolation, match="MAX_NUM_ORDERS"):
        await ground.place(buy("two", "0.01", "28000"))


@pytest.mark.parametrize("order", [buy("one", "0.04", "29000"), buy("one", "0.04"), sell("one", "0.01", "31000")])
async def test_an_order_above_the_balance_is_refused_for_it(ground: Ground, order: Order) -> None:
    with pytest.raises(InsufficientBalance):
        await ground.place(order)
    assert await ground.exchange.open_orders(PAIR) == ()


async def test_a_halted_market_takes_no_order_and_lets_go_of_those_that_rest(ground: Ground) -> None:
    await ground.place(buy("one", "0.01", "29000"))
    await ground.act("halt", pair=PAIR)
    with pytest.raises(TradingHalted):
        await ground.place(buy("two", "0.01", "29000"))
    await ground.exchange.cancel(PAIR, OrderId("one"))
    await ground.act("resume", pair=PAIR)
    await ground.place(buy("two", "0.01", "29000"))


async def test_what_a_halted_market_has_reached_fills_when_it_opens_again(ground: Ground) -> None:
    await ground.place(buy("one", "0.01", "29000"))
    await ground.act("halt", pair=PAIR)
    await ground.act("move", pair=PAIR, price="28500")
    assert (await ground.find("one")).status is VenueStatus.OPEN
    await ground.act("resume", pair=PAIR)
    assert (await ground.find("one")).status is VenueStatus.FILLED


async def test_an_account_that_may_not_trade_is_no_matter_of_balance(ground: Ground) -> None:
    await ground.act("disable", account=ME)
    with pytest.raises(TradingHalted):
        await ground.place(buy("one", "0.01"))


@pytest.mark.parametrize("off", [datetime.timedelta(seconds=-6), datetime.timedelta(seconds=2)], ids=["late", "early"])
async def test_a_request_outside_its_window_is_refused(ground: Ground, off: datetime.timedelta) -> None:
    sent_at = ground.exchange.now() + off
    with pytest.raises(TooLate):
        await ground.exchange.place(PAIR, buy("one", "0.01"), sent_at=sent_at, recv_window=WINDOW)
    assert await ground.exchange.find(PAIR, order_id=OrderId("one")) is None


async def test_a_revoked_key_opens_nothing_until_it_is_restored(ground: Ground) -> None:
    await ground.place(buy("one", "0.01", "29000"))
    await ground.act("revoke", account=ME)
    with pytest.raises(BadCredentials):
        await ground.place(buy("two", "0.01"))
    with pytest.raises(BadCredentials):
        await ground.exchange.cancel(PAIR, OrderId("one"))
    with pytest.raises(BadCredentials):
        await ground.exchange.find(PAIR, order_id=OrderId("one"))
    with pytest.raises(BadCredentials):
        await ground.exchange.balances()
    await ground.act("restore", account=ME)
    assert (await ground.find("one")).status is VenueStatus.OPEN


# ---------------------------------------------------------------------------------------------------------------- ids


async def test_an_id_that_is_open_is_not_taken_twice_and_nobody_says_that_it_does_not_exist(ground: Ground) -> None:
    first = await ground.place(buy("one", "0.01", "29000"))
    with pytest.raises(OutcomeUnknown, match="Duplicate"):
        await ground.place(buy("one", "0.01", "29000"))
    (order,) = await ground.exchange.open_orders(PAIR)
    assert order.venue_order_id == first.venue_order_id


async def test_f04_an_id_that_has_filled_is_taken_again_and_buys_twice(ground: Ground) -> None:
    first = await ground.place(buy("one", "0.01"))
    second = await ground.place(buy("one", "0.01"))
    assert first.venue_order_id != second.venue_order_id
    assert await ground.holds("USDT") == ("400", "0")


# --------------------------------------------------------------------------------------------------------- cancelling


async def test_a_cancel_gives_back_what_was_locked(ground: Ground) -> None:
    await ground.place(buy("one", "0.01", "29000"))
    await ground.exchange.cancel(PAIR, OrderId("one"))
    assert (await ground.find("one")).status is VenueStatus.CANCELED
    assert await ground.holds("USDT") == ("1000", "0")
    assert await ground.exchange.open_orders(PAIR) == ()


async def test_f12_a_cancel_that_comes_after_the_fill_is_refused_and_the_order_says_why(ground: Ground) -> None:
    await ground.place(buy("one", "0.01", "29000"))
    await ground.act("move", pair=PAIR, price="28900")
    with pytest.raises(Rejected) as refused:
        await ground.exchange.cancel(PAIR, OrderId("one"))
    assert refused.value.code == -2011
    order = await ground.find("one")
    assert (order.status, order.executed) == (VenueStatus.FILLED, Decimal("0.01"))


async def test_a_cancel_may_be_repeated(ground: Ground) -> None:
    await ground.place(buy("one", "0.01", "29000"))
    await ground.exchange.cancel(PAIR, OrderId("one"))
    for name in ("one", "stranger"):
        with pytest.raises(Rejected):
            await ground.exchange.cancel(PAIR, OrderId(name))
    assert (await ground.find("one")).status is VenueStatus.CANCELED


async def test_a_part_that_filled_stays_when_the_rest_is_cancelled(ground: Ground) -> None:
    order = await ground.place(buy("one", "0.01", "29000"))
    await ground.act("fill", account=ME, pair=PAIR, venue_order_id=order.venue_order_id, quantity="0.004")
    assert await ground.holds("USDT") == ("710", "174")
    await ground.exchange.cancel(PAIR, OrderId("one"))
    order = await ground.find("one")
    assert (order.status, order.executed) == (VenueStatus.CANCELED, Decimal("0.004"))
    assert await ground.holds("USDT") == ("884", "0")


# ------------------------------------------------------------------------------------------------------------ reading


async def test_an_order_is_found_by_either_id_and_a_stranger_is_not(ground: Ground) -> None:
    placed = await ground.place(buy("one", "0.01", "29000"))
    found = await ground.exchange.find(PAIR, order_id=OrderId("one"))
    assert found is not None
    assert attrs.evolve(found, trades=()) == placed
    assert await ground.exchange.find(PAIR, venue_order_id=placed.venue_order_id) == found
    assert await ground.exchange.find(PAIR, order_id=OrderId("two")) is None


async def test_trades_are_told_of_one_order_or_beyond_an_id_and_their_ids_grow(ground: Ground) -> None:
    first = await ground.place(buy("one", "0.01", "29000"))
    await ground.place(buy("two", "0.01"))
    await ground.act("fill", account=ME, pair=PAIR, venue_order_id=first.venue_order_id, quantity="0.004")
    await ground.act("move", pair=PAIR, price="28900")
    trades = await ground.exchange.trades(PAIR)
    assert [trade.order_id for trade in trades] == ["two", "one", "one"]
    numbers = [int(trade.trade_id) for trade in trades]
    assert numbers == sorted(set(numbers))
    assert await ground.exchange.trades(PAIR, venue_order_id=first.venue_order_id) == trades[1:]
    assert await ground.exchange.trades(PAIR, after=trades[0].trade_id) == trades[1:]
    assert await ground.exchange.trades(PAIR, after=trades[-1].trade_id) == ()


async def test_open_orders_are_the_bots_and_the_users_own_oldest_first(ground: Ground) -> None:
    await ground.place(buy("one", "0.01", "29000"))
    await ground.act("buy", account=ME, pair=PAIR, quantity="0.01", price="28000")
    mine, other = await ground.exchange.open_orders(PAIR)
    assert mine.order_id == "one"
    assert (other.price, other.status) == (Decimal(28000), VenueStatus.OPEN)
    await ground.act("cancel_by_hand", account=ME, pair=PAIR, venue_order_id=mine.venue_order_id)
    assert (await ground.find("one")).status is VenueStatus.CANCELED


async def test_an_answer_is_in_every_read_that_follows(ground: Ground) -> None:
    for number in range(5):
        order = await ground.place(buy(f"o{number}", "0.0002"))
        assert (await ground.find(f"o{number}")).status is VenueStatus.FILLED
        assert len(await ground.exchange.trades(PAIR, venue_order_id=order.venue_order_id)) == 1
    assert await ground.holds("USDT") == ("970", "0")


async def test_rules_may_be_an_hour_old_until_they_are_asked_for_anew(ground: Ground) -> None:
    assert await ground.exchange.price(PAIR) == 30000
    assert (await ground.exchange.fees(PAIR)).fee_taker == Decimal("0.001")
    listing = await ground.exchange.listing(PAIR)
    assert (listing.market, listing.is_trading) == (MARKET, True)
    await ground.act("rules", market=pack(attrs.evolve(MARKET, tick_size=Decimal(1))))
    await ground.act("halt", pair=PAIR)
    await ground.exchange.reload_rules(PAIR)
    listing = await ground.exchange.listing(PAIR)
    assert (listing.market.tick_size, listing.is_trading) == (Decimal(1), False)


async def test_a_pair_that_is_not_traded_is_named(ground: Ground) -> None:
    with pytest.raises(UnknownPair, match="XYZUSDT"):
        await ground.exchange.price("XYZUSDT")
    with pytest.raises(UnknownPair, match="XYZUSDT"):
        await ground.exchange.listing("XYZUSDT")


# ------------------------------------------------------------------------------------------------------------- events


async def next_of(events: AsyncIterator[AccountEvent], count: int) -> list[VenueOrder]:
    """Return what the next *count* events tell."""
    told = []
    for _ in range(count):
        event = await anext(events)
        assert isinstance(event, OrderChanged)
        assert event.pair == PAIR
        told.append(event.order)
    return told


async def test_the_stream_opens_and_then_tells_of_every_change_with_its_trades(ground: Ground) -> None:
    events = ground.exchange.events()
    assert await anext(events) == StreamOpened()
    order = await ground.place(buy("one", "0.01", "29000"))
    await ground.act("fill", account=ME, pair=PAIR, venue_order_id=order.venue_order_id, quantity="0.004")
    await ground.exchange.cancel(PAIR, OrderId("one"))
    opened, part, ended = await next_of(events, 3)
    assert (opened.status, opened.executed, opened.trades) == (VenueStatus.OPEN, Decimal(0), ())
    assert (part.status, part.executed) == (VenueStatus.OPEN, Decimal("0.004"))
    assert part.trades == await ground.exchange.trades(PAIR)
    assert (ended.status, ended.executed) == (VenueStatus.CANCELED, Decimal("0.004"))


async def test_the_stream_tells_of_fills_and_of_what_the_user_does(ground: Ground) -> None:
    events = ground.exchange.events()
    assert await anext(events) == StreamOpened()
    await ground.place(buy("one", "0.01", "29000"))
    await ground.act("move", pair=PAIR, price="28900")
    await ground.act("sell", account=ME, pair=PAIR, quantity="0.009")
    told = await next_of(events, 4)
    assert [order.status for order in told] == [
        VenueStatus.OPEN,
        VenueStatus.FILLED,
        VenueStatus.OPEN,
        VenueStatus.FILLED,
    ]
    assert told[1].trades[0].price == 29000
    assert told[3].side is Side.SELL


async def test_all_who_listen_are_told_and_what_was_before_is_not(ground: Ground) -> None:
    early = ground.exchange.events()
    assert await anext(early) == StreamOpened()
    await ground.place(buy("one", "0.01", "29000"))
    assert [order.order_id for order in await next_of(early, 1)] == ["one"]
    late = ground.exchange.events()
    assert await anext(late) == StreamOpened()
    await ground.place(buy("two", "0.01", "28000"))
    assert [order.order_id for order in await next_of(early, 1)] == ["two"]
    assert [order.order_id for order in await next_of(late, 1)] == ["two"]
