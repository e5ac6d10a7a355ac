"""The simulated venue beyond what every exchange owes: fees in a third asset, staff, resets, what it forgets."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from dcacore.adapters.simulated.hands import Hand, Staff
from dcacore.domain.ids import AccountId, OrderId
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.venue import VenueStatus
from dcacore.ports.errors import BadCredentials, InsufficientBalance, NotAccepted, UnknownPair
from dcacore.ports.exchange import AccountEvent, Balance, OrderChanged
from tests.strategies import MARKET
from tests.unit.simulated.stage import ME, OTHER, PAIR, staged

# --------------------------------------------------------------------------------------------------------------- fees


def test_a_third_asset_pays_at_a_discount_and_its_rate_is_told() -> None:
    stage = staged(pays_with="BNB", BNB="1")
    stage.venue.set_rate("BNB", "XYZ", Decimal(500))
    (trade,) = stage.buy("2").trades
    assert (trade.fee, trade.fee_asset, trade.fee_rate) == (Decimal("0.0003"), "BNB", Decimal(500))
    assert (stage.free("ABC"), stage.free("BNB"), stage.free("XYZ")) == (Decimal(2), Decimal("0.9997"), Decimal(800))
    (trade,) = stage.sell("1").trades
    assert (trade.fee, trade.fee_asset) == (Decimal("0.00015"), "BNB")
    assert stage.free("XYZ") == 900


def test_f36_what_is_received_pays_when_the_third_asset_has_run_out() -> None:
    stage = staged(pays_with="BNB", BNB="0.0003")
    stage.venue.set_rate("BNB", "XYZ", Decimal(500))
    assert stage.buy("2", name="one").trades[0].fee_asset == "BNB"
    (trade,) = stage.buy("1", name="two").trades
    assert (trade.fee, trade.fee_asset, trade.fee_rate) == (Decimal("0.001"), "ABC", None)
    assert stage.free("ABC") == Decimal("2.999")


def test_the_rate_of_a_third_asset_is_its_own_markets_price() -> None:
    stage = staged(pays_with="BNB", BNB="1")
    assert stage.buy("1", name="one").trades[0].fee_asset == "ABC"
    bnb = attrs.evolve(MARKET, pair="BNBXYZ", base_asset="BNB")
    stage.venue.list_pair(bnb, Price(Decimal(250)))
    assert stage.buy("1", name="two").trades[0].fee_rate == 250


def test_f37_fees_eat_the_coins_when_what_is_traded_pays_them() -> None:
    stage = staged(pays_with="ABC", ABC="1")
    (trade,) = stage.sell("0.5").trades
    assert (trade.fee, trade.fee_asset, trade.fee_rate) == (Decimal("0.000375"), "ABC", None)
    assert stage.free("ABC") == Decimal("0.499625")


def test_a_quote_asset_that_pays_needs_no_rate() -> None:
    stage = staged(pays_with="XYZ")
    (trade,) = stage.buy("1").trades
    assert (trade.fee, trade.fee_asset, trade.fee_rate) == (Decimal("0.075"), "XYZ", None)


# -------------------------------------------------------------------------------------------------- the user by hand


def test_a_user_trades_without_a_key_and_moves_funds() -> None:
    stage = staged()
    hand = Hand(stage.venue, ME)
    Staff(stage.venue).revoke(ME)
    hand.buy(PAIR, BaseQty(Decimal(2)))
    resting = hand.sell(PAIR, BaseQty(Decimal(1)), Price(Decimal(120)))
    hand.cancel(PAIR, resting.venue_order_id)
    hand.deposit("XYZ", Decimal(50))
    hand.withdraw("ABC", Decimal("0.5"))
    Staff(stage.venue).restore(ME)
    assert (stage.free("ABC"), stage.free("XYZ")) == (Decimal("1.498"), Decimal(850))
    assert all(order.is_by_hand for order in stage.venue.books(ME).orders)
    with pytest.raises(InsufficientBalance):
        hand.withdraw("ABC", Decimal(2))


def test_accounts_do_not_see_each_other() -> None:
    stage = staged()
    stage.venue.open_account(OTHER, {"XYZ": Decimal(500)})
    mine = stage.buy("1", "90")
    stage.buy("2", "90", account=OTHER)
    stage.venue.move(PAIR, Price(Decimal(90)))
    (trade,) = stage.venue.trades(OTHER, PAIR)
    assert trade.quantity == 2
    assert stage.venue.find(OTHER, PAIR, venue_order_id=mine.venue_order_id) is None
    assert stage.free("XYZ") == 910
    with pytest.raises(BadCredentials):
        stage.venue.balances(AccountId("stranger"))


# --------------------------------------------------------------------------------------------------- the venue's staff


def test_f19_the_exchange_may_end_an_order_that_has_filled_in_part() -> None:
    stage = staged()
    order = stage.buy("2", "90")
    staff = Staff(stage.venue)
    staff.fill_in_part(ME, PAIR, order.venue_order_id, BaseQty(Decimal("0.5")))
    staff.expire(ME, PAIR, order.venue_order_id)
    ended = stage.found()
    assert ended is not None
    assert (ended.status, ended.executed) == (VenueStatus.EXPIRED, Decimal("0.5"))
    assert stage.free("XYZ") == 955
    with pytest.raises(NotAccepted):
        staff.expire(ME, PAIR, order.venue_order_id)
    with pytest.raises(NotAccepted):
        staff.fill_in_part(ME, PAIR, order.venue_order_id, BaseQty(Decimal(1)))


def test_a_market_order_that_finds_nothing_expires_empty() -> None:
    stage = staged()
    Staff(stage.venue).thin_out(PAIR, Decimal(0))
    order = stage.buy("1")
    assert (order.status, order.executed, order.trades) == (VenueStatus.EXPIRED, Decimal(0), ())


def test_f41_new_rules_bind_new_orders_and_leave_those_that_rest_alone() -> None:
    stage = staged()
    stage.buy("1.5", "90.05", "old")
    Staff(stage.venue).change_rules(attrs.evolve(MARKET, tick_size=Decimal(1), step_size=Decimal(1)))
    stage.buy("1", "90", "new")
    stage.venue.move(PAIR, Price(Decimal(89)))
    assert [trade.quantity for trade in stage.venue.trades(ME, PAIR)] == [Decimal("1.5"), Decimal(1)]


def test_f57_a_delisted_pair_expires_its_orders_and_is_known_no_more() -> None:
    stage = staged()
    heard: list[AccountEvent] = []
    stage.buy("1", "90")
    leave = stage.venue.listen(ME, heard.append)
    Staff(stage.venue).delist(PAIR)
    (told,) = heard
    assert isinstance(told, OrderChanged)
    assert told.order.status is VenueStatus.EXPIRED
    assert stage.free("XYZ") == 1000
    with pytest.raises(UnknownPair):
        stage.buy("1")
    with pytest.raises(UnknownPair):
        stage.found()
    leave()
    stage.venue.list_pair(MARKET, Price(Decimal(50)))
    assert stage.buy("1").trades[0].price == 50
    assert len(heard) == 1


def test_f62_a_reset_forgets_orders_and_sets_the_balances_without_a_word() -> None:
    stage = staged()
    heard: list[AccountEvent] = []
    stage.buy("1", name="filled")
    stage.buy("1", "90", name="open")
    stage.venue.listen(ME, heard.append)
    Staff(stage.venue).reset({ME: {"XYZ": Decimal(70)}})
    assert stage.found("open") is None
    assert stage.venue.open_orders(ME, PAIR) == ()
    assert stage.venue.trades(ME, PAIR) == ()
    assert stage.venue.balances(ME) == {"XYZ": Balance(Decimal(70), Decimal(0))}
    assert heard == []
    (past,) = stage.venue.past_books(ME)
    assert [order.order.order_id for order in past.orders] == ["filled", "open"]
    assert stage.venue.books(ME).orders == ()
    stage.venue.move(PAIR, Price(Decimal(80)))
    assert stage.venue.trades(ME, PAIR) == ()
    again = stage.buy("0.5", name="again")
    assert again.venue_order_id == past.orders[0].order.venue_order_id
    assert again.trades[0].trade_id == past.trades[0].trade.trade_id


# ------------------------------------------------------------------------------------------------------------ memory


def test_an_order_that_ended_empty_is_known_for_ninety_days_and_one_that_filled_for_ever() -> None:
    stage = staged()
    stage.buy("1", name="filled")
    stage.buy("1", "90", "open")
    stage.buy("1", "90", "canceled")
    stage.venue.cancel(ME, PAIR, OrderId("canceled"))
    stage.clock.pass_by(90 * 86_400)
    assert stage.found("canceled") is not None
    stage.clock.pass_by(1)
    assert stage.found("canceled") is None
    assert stage.found("filled") is not None
    assert stage.found("open") is not None
    assert len(stage.venue.books(ME).orders) == 3


def test_trades_without_an_id_to_go_by_are_those_of_a_day() -> None:
    stage = staged()
    first = stage.buy("1", name="one").trades[0]
    stage.clock.pass_by(86_401)
    second = stage.buy("1", name="two").trades[0]
    assert stage.venue.trades(ME, PAIR) == (second,)
    assert stage.venue.trades(ME, PAIR, after="0") == (first, second)


def test_an_order_is_one_pairs_only() -> None:
    stage = staged()
    order = stage.buy("1", "90")
    stage.venue.list_pair(attrs.evolve(MARKET, pair="DEFXYZ", base_asset="DEF"), Price(Decimal(5)))
    assert stage.venue.find(ME, "DEFXYZ", venue_order_id=order.venue_order_id) is None
    assert stage.venue.find(ME, "DEFXYZ", order_id=OrderId("it")) is None
    assert stage.venue.find(ME, PAIR) is None
