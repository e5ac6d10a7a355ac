"""Conservation: whatever is done to a venue, what an account holds is what came in, was traded, and was paid."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from decimal import Decimal
from random import Random

import attrs
from hypothesis import given
from hypothesis import strategies as st

from dcacore.adapters.simulated.books import Books, Ticket
from dcacore.adapters.simulated.faults import Dice, Fault, Mischief, Plan
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.domain.ids import AccountId, OrderId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import BaseQty, Price, exact
from dcacore.domain.orders import Side
from dcacore.domain.venue import VenueStatus
from dcacore.ports.errors import PortError
from dcacore.ports.exchange import AccountEvent, OrderChanged
from tests.strategies import MARKET
from tests.unit.simulated.clock import ManualClock
from tests.unit.simulated.stage import WINDOW

ACCOUNTS = AccountId("one"), AccountId("two")
BNB = attrs.evolve(MARKET, pair="BNBXYZ", base_asset="BNB")
MARKETS = {market.pair: market for market in (MARKET, BNB)}


@exact
def owed(books: Books, markets: dict[str, Market]) -> dict[str, Decimal]:
    """Return what an account must hold of each asset by its transfers and trades."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for transfer in books.transfers:
        sums[transfer.asset] += transfer.amount
    for booked in books.trades:
        trade, market = booked.trade, markets[booked.pair]
        sign = 1 if trade.side is Side.BUY else -1
        sums[market.base_asset] += sign * trade.quantity
        sums[market.quote_asset] -= sign * trade.quantity * trade.price
        sums[trade.fee_asset] -= trade.fee
    return dict(sums)


@exact
def check(books: Books) -> None:
    """Every sum comes out even."""
    sums = owed(books, MARKETS)
    for asset, held in books.balances.items():
        assert held.free >= 0
        assert held.locked >= 0
        assert held.free + held.locked == sums.pop(asset, 0), asset
    assert not any(sums.values())
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for booked in books.trades:
        numbers[booked.pair].append(int(booked.trade.trade_id))
    assert all(told == sorted(set(told)) for told in numbers.values())
    for order in (booked.order for booked in books.orders):
        assert order.executed == sum(trade.quantity for trade in order.trades) <= order.quantity
        assert (order.status is VenueStatus.FILLED) == (order.executed == order.quantity)
    locked = any(held.locked for held in books.balances.values())
    assert locked == any(booked.order.status is VenueStatus.OPEN for booked in books.orders)


REQUEST = st.tuples(
    st.sampled_from(list(MARKETS)),
    st.sampled_from(ACCOUNTS),
    st.sampled_from(Side),
    st.integers(1, 4000),
    st.none() | st.integers(80, 125),
    st.sampled_from(["place", "place", "cancel", "move", "wait"]),
)


@given(
    st.lists(REQUEST, max_size=40),
    st.integers(0, 2**32),
    st.sampled_from([None, "BNB"]),
    st.sampled_from(["received", "quote"]),
)
def test_nothing_is_made_or_lost(
    requests: list[tuple[str, AccountId, Side, int, int | None, str]], seed: int, pays_with: str | None, asset: str
) -> None:
    clock = ManualClock()
    venue = SimulatedVenue(clock.now)
    heard: dict[AccountId, list[AccountEvent]] = {account: [] for account in ACCOUNTS}
    for market in MARKETS.values():
        venue.list_pair(market, Price(Decimal(100)))
    for account in ACCOUNTS:
        holdings = {"XYZ": Decimal(1000), "ABC": Decimal(2), "BNB": Decimal("0.01")}
        venue.open_account(account, holdings, Fees(fee_asset=asset), pays_with=pays_with)
        venue.listen(account, heard[account].append)
    dice = Dice(Random(seed), Plan(dict.fromkeys(Fault, 0.05)))
    mischief = Mischief(venue, dice)
    for number, (pair, account, side, size, price, what) in enumerate(requests):
        mischief.step()
        limit = None if price is None else Price(Decimal(price))
        name, quantity = OrderId(f"{account}{number}"), BaseQty(Decimal(size) / 1000)
        with contextlib.suppress(PortError):
            if what == "place":
                ticket = Ticket(order_id=name, side=side, quantity=quantity, price=limit)
                venue.place(account, pair, ticket, sent_at=venue.now(), recv_window=WINDOW)
            elif what == "cancel":
                for order in venue.open_orders(account, pair)[:1]:
                    venue.cancel(account, pair, order.order_id)
            elif what == "move":
                venue.move(pair, limit or Price(Decimal(100)))
            else:
                clock.pass_by(size)
        for owner in ACCOUNTS:
            check(venue.books(owner))
    mischief.calm()
    for account in ACCOUNTS:
        books = venue.books(account)
        told = {event.order.venue_order_id: event.order for event in heard[account] if isinstance(event, OrderChanged)}
        assert {venue_id: order.status for venue_id, order in told.items()} == {
            booked.order.venue_order_id: booked.order.status for booked in books.orders
        }
        trades = [trade for event in heard[account] if isinstance(event, OrderChanged) for trade in event.order.trades]
        assert trades == [booked.trade for booked in books.trades]
