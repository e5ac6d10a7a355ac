"""How far an exchange lets orders go: what is held back, until when, and what its user is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dcacore.domain.errors import InvalidParameter
from dcacore.domain.events import Accepted, Refusal, Refused
from dcacore.domain.explain import explain
from dcacore.domain.foresight import foresee
from dcacore.domain.limits import Band, Bound, Limits
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Role, Side
from dcacore.domain.watch import watches
from tests.strategies import MARKET, strategy
from tests.unit.domain.desk import Desk

BY_SIDE = "PERCENT_PRICE_BY_SIDE"
BANDS = Limits(
    buys=Band(BY_SIDE, Decimal("0.2"), Decimal(5)),
    sells=Band(BY_SIDE, Decimal("0.2"), Decimal(5)),
    orders=Bound("MAX_NUM_ORDERS", Decimal(200)),
)
DEEP = strategy(max_safety_orders=3, price_deviation="30", safety_order_size="100")  # 70, 40, 10


def price(text: str) -> Price:
    return Price(Decimal(text))


def limited(limits: Limits = BANDS, *, rests: bool = True, **changes: Any) -> Desk:
    """Return the desk of a bot in position that knows the exchange's limits, and whose orders rest unless said so."""
    desk = Desk.of(strategy(**{"max_safety_orders": 3, "price_deviation": "30", **changes}))
    desk.start()
    desk.read_rules(MARKET, limits=limits)
    desk.ready()
    desk.fill(desk.placed[0])
    if rests:
        desk.accept_all()
    return desk


def rungs(desk: Desk) -> list[int]:
    return sorted(order.rung for order in desk.safety_orders)


# ---------------------------------------------------------------------------------------------------------- the bounds


def test_what_lies_too_far_is_told_with_the_rule() -> None:
    assert BANDS.too_far(Side.BUY, price("38"), price("100")) is None
    assert BANDS.too_far(Side.BUY, price("19"), price("100")) == (
        "lies 81 % below the price, and the exchange takes buys up to 80 % below it (PERCENT_PRICE_BY_SIDE)"
    )
    assert BANDS.too_far(Side.SELL, price("600"), price("100")) == (
        "lies 500 % above the price, and the exchange takes sells up to 400 % above it (PERCENT_PRICE_BY_SIDE)"
    )
    assert BANDS.too_far(Side.BUY, price("600"), price("100")) is None  # it would fill at once
    assert Limits().too_far(Side.BUY, price("1"), price("100")) is None
    assert Limits(sells=Band(BY_SIDE)).too_far(Side.SELL, price("999"), price("1")) is None


@pytest.mark.parametrize("fraction", ["0.2", "0.9", "0.999"])
def test_a_band_is_kept_clear_of_its_edge_and_never_closed(fraction: str) -> None:
    band, tick = Band(BY_SIDE, Decimal(fraction), 2 - Decimal(fraction)), Decimal("0.01")
    at = price("100")
    assert Decimal(fraction) * at < band.floor(at) < at
    ceiling = band.ceiling(at)
    assert ceiling is not None
    assert at < ceiling < at * (2 - Decimal(fraction))
    fallen = band.reached_by_fall(price("10"), tick)
    assert band.floor(fallen) <= 10 < band.floor(Price(fallen + tick))
    risen = band.reached_by_rise(price("1000"), tick)
    assert (band.ceiling(risen) or 0) >= 1000 > (band.ceiling(Price(risen - tick)) or 0)
    assert Band(BY_SIDE).reached_by_fall(price("10"), tick) == Band(BY_SIDE).reached_by_rise(price("10"), tick) == 10


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        (
            Limits(quantity=Bound("LOT_SIZE", Decimal(2))),
            "is for 3 ABC, and the exchange takes at most 2 ABC an order (LOT_SIZE)",
        ),
        (
            Limits(notional=Bound("NOTIONAL", Decimal(100))),
            "is worth 150 XYZ, and the exchange takes at most 100 XYZ an order (NOTIONAL)",
        ),
        (
            Limits(least_price=Bound("PRICE_FILTER", Decimal(60))),
            "lies at 50, and the exchange takes no price below 60 (PRICE_FILTER)",
        ),
        (
            Limits(most_price=Bound("PRICE_FILTER", Decimal(40))),
            "lies at 50, and the exchange takes no price above 40 (PRICE_FILTER)",
        ),
        (Limits(market_quantity=Bound("MARKET_LOT_SIZE", Decimal(1))), None),
        (Limits(), None),
    ],
)
def test_what_no_price_of_the_market_makes_legal(limits: Limits, told: str | None) -> None:
    assert limits.never(MARKET, price("50"), Decimal(3)) == told


def test_a_market_order_has_bounds_of_its_own() -> None:
    limits = Limits(
        market_quantity=Bound("MARKET_LOT_SIZE", Decimal(2)), market_notional=Bound("NOTIONAL", Decimal(1000))
    )
    assert limits.never_at_market(MARKET, price("50"), Decimal(2)) is None
    assert limits.never_at_market(MARKET, price("50"), Decimal(3)) == (
        "is for 3 ABC, and the exchange takes at most 2 ABC an order (MARKET_LOT_SIZE) at market"
    )
    assert limits.never_at_market(MARKET, price("900"), Decimal(2)) == (
        "is worth 1800 XYZ, and the exchange takes at most 1000 XYZ an order (NOTIONAL) at market"
    )
    assert limits.at_once(MARKET, BaseQty(Decimal("2.5"))) == 2
    assert Limits().at_once(MARKET, BaseQty(Decimal("2.5"))) == Decimal("2.5")
    assert Limits(quantity=Bound("LOT_SIZE", Decimal("0.0001"))).at_once(MARKET, BaseQty(Decimal(1))) == 1


def test_only_listed_rules_that_pass_hold_an_order_back() -> None:
    assert BANDS.passes(Side.BUY, BY_SIDE)
    assert BANDS.passes(Side.SELL, BY_SIDE)
    assert BANDS.passes(Side.BUY, "MAX_NUM_ORDERS")
    assert not BANDS.passes(Side.SELL, "MAX_NUM_ORDERS")
    assert not BANDS.passes(Side.BUY, "PERCENT_PRICE")
    assert not Limits().passes(Side.BUY, BY_SIDE)


# -------------------------------------------------------------------------------------------------------- before a deal


def test_a_ladder_within_the_limits_needs_no_words() -> None:
    assert foresee(strategy(), MARKET, BANDS, price("100")) == ()
    assert foresee(DEEP, MARKET, None, price("100")) == ()


def test_a_rung_too_deep_is_foretold() -> None:
    assert foresee(DEEP, MARKET, BANDS, price("100")) == (
        (
            "safety order 3 lies 90 % below the price, and the exchange takes buys up to 80 % below it "
            "(PERCENT_PRICE_BY_SIDE): it is placed when the price has fallen to 48.07, and those below it later still"
        ),
    )


def test_what_is_never_placed_is_foretold() -> None:
    limits = Limits(quantity=Bound("LOT_SIZE", Decimal(2)), position=Bound("MAX_POSITION", Decimal(5)))
    assert foresee(DEEP, MARKET, limits, price("100")) == (
        (
            "safety order 2 is for 2.5 ABC, and the exchange takes at most 2 ABC an order (LOT_SIZE): neither it nor a "
            "safety order below it is placed"
        ),
        (
            "all buys together come to 14.928 ABC, and the exchange lets an account hold 5 ABC (MAX_POSITION): safety "
            "orders beyond that are held back"
        ),
    )


def test_a_far_target_is_foretold_unless_it_is_trailed() -> None:
    far = strategy(take_profit="500")
    (told,) = foresee(far, MARKET, BANDS, price("100"))
    assert told.startswith("the take profit order lies 500 % above the price")
    assert foresee(strategy(take_profit="500", trailing_deviation="1"), MARKET, BANDS, price("100")) == ()


def test_a_base_order_that_is_too_large_is_refused() -> None:
    limits = Limits(market_quantity=Bound("MARKET_LOT_SIZE", Decimal("0.5")))
    with pytest.raises(InvalidParameter, match=r"base_order_size = 100: the base order is for 1 ABC.*MARKET_LOT_SIZE"):
        foresee(strategy(), MARKET, limits, price("100"))


# ------------------------------------------------------------------------------------------------------------ in a deal


def test_a_rung_too_deep_is_held_back_and_placed_when_the_price_has_come() -> None:
    desk = limited()
    assert rungs(desk) == [1, 2]
    assert desk.reason() is None
    assert desk.take_profit.price == 110
    assert any("safety order 3 lies 90 % below the price" in said for said in explain(desk.bot))
    assert [note.kind for note in desk.notes].count("order_held") == 1
    assert watches(desk.bot).falls_to == Decimal("48.07")
    desk.see("48.08")
    assert not desk.asked
    desk.see("48.07")
    assert [(order.rung, str(order.price)) for order in desk.placed] == [(3, "10.00")]
    desk.accept_all()
    assert watches(desk.bot).falls_to is None
    assert not any("held back" in said or "holds safety" in said for said in explain(desk.bot))


def test_without_limits_every_rung_rests_at_once() -> None:
    desk = Desk.in_position(DEEP)
    assert rungs(desk) == [1, 2, 3]


def test_a_rung_that_can_never_be_placed_is_told_and_waits_for_nothing() -> None:
    desk = limited(Limits(quantity=Bound("LOT_SIZE", Decimal(2))))
    assert rungs(desk) == [1]
    assert any("safety order 2 is for 2.5 ABC" in said for said in explain(desk.bot))
    assert watches(desk.bot).falls_to is None


def test_a_refused_rung_is_tried_again_later_and_ever_later() -> None:
    desk = limited(rests=False, max_safety_orders=1)
    for minutes in (15, 30, 60, 60):
        refused = desk.safety_orders[0]
        desk.refuse(refused, Refusal.HELD, "Filter failure: PERCENT_PRICE_BY_SIDE")
        assert not desk.asked
        assert desk.state == "in_position"
        assert any("It holds safety orders back until" in said for said in explain(desk.bot))
        at = watches(desk.bot).at
        assert at is not None
        assert (at - desk.at).total_seconds() == minutes * 60
        desk.wait(minutes * 60 - 1)
        assert not desk.asked
        desk.wait(1)
        assert [order.rung for order in desk.placed] == [1]
        assert desk.placed[0].id != refused.id
    desk.accept_all()
    assert watches(desk.bot).at is None
    held = [note for note in desk.notes if note.kind == "order_held"]
    assert len(held) == 4
    assert held[0].text == "safety order 1 of 1 is held back: Filter failure: PERCENT_PRICE_BY_SIDE"


def test_long_after_a_hold_the_next_one_is_short_again() -> None:
    desk = limited(rests=False, max_safety_orders=1)
    desk.refuse(desk.safety_orders[0], Refusal.HELD)
    desk.wait(3600)
    desk.refuse(desk.safety_orders[0], Refusal.HELD)
    assert (watches(desk.bot).at or desk.at) - desk.at == desk.bot.holds[0].pause
    assert desk.bot.holds[0].pause.total_seconds() == 900


def test_a_retry_tries_what_is_held_back_at_once() -> None:
    desk = limited(rests=False, max_safety_orders=1)
    desk.refuse(desk.safety_orders[0], Refusal.HELD)
    desk.retry()
    assert [order.rung for order in desk.placed] == [1]


def test_a_held_rung_does_not_keep_the_target_from_being_placed() -> None:
    desk = limited(rests=False)
    sell = desk.take_profit
    first, second = desk.safety_orders
    desk.report(Accepted(first.id), Refused(second.id, Refusal.HELD, "no"), Accepted(sell.id))
    assert desk.take_profit.id == sell.id
    desk.fill(first)
    desk.cancel_all()
    assert desk.take_profit.price != sell.price
    assert rungs(desk) == []


def test_a_target_too_far_is_held_back_and_placed_when_the_price_has_come() -> None:
    desk = limited(take_profit="500")
    assert not desk.live(Role.TAKE_PROFIT)
    assert any("It holds its take profit order back, which lies 500 %" in said for said in explain(desk.bot))
    assert watches(desk.bot).rises_to == Decimal("120.97")
    desk.see("120.97")
    assert [(order.role, str(order.price)) for order in desk.placed] == [(Role.TAKE_PROFIT, "600.00")]


def test_a_refused_target_is_held_back_and_tried_again() -> None:
    desk = limited(rests=False)
    desk.refuse(desk.take_profit, Refusal.HELD)
    assert desk.state == "in_position"
    assert any("It holds its take profit order back until" in said for said in explain(desk.bot))
    desk.wait(900)
    assert [order.role for order in desk.placed] == [Role.TAKE_PROFIT]


@pytest.mark.parametrize("role", [Role.BASE, Role.EXTRA])
def test_a_market_order_is_never_held(role: Role) -> None:
    desk = limited()
    if role is Role.EXTRA:
        desk.add_funds("50")
    else:
        desk = Desk.started(strategy())
    desk.refuse(desk.placed[0], Refusal.HELD, "Filter failure: MAX_POSITION")
    assert desk.bot.holds == ()
    assert desk.state == ("error" if role is Role.BASE else "in_position")


def test_a_hold_ends_with_its_deal() -> None:
    desk = limited(rests=False, max_safety_orders=1, auto_restart=False)
    sell = desk.take_profit
    desk.refuse(desk.safety_orders[0], Refusal.HELD)
    assert desk.bot.holds
    desk.fill(sell)
    assert desk.bot.deal is None
    assert desk.bot.holds == ()


def test_what_the_market_has_left_far_behind_is_sent_as_far_as_it_goes() -> None:
    desk = limited(rests=False)
    desk.report(Refused(desk.take_profit.id, Refusal.NOT_PLACED, "lost"))
    sell = desk.take_profit
    desk.report(Refused(sell.id, Refusal.HALTED, "Market is closed."))
    desk.price = price("1000")
    desk.retry()
    assert [(order.role, str(order.price)) for order in desk.placed] == [(Role.TAKE_PROFIT, "208.00")]
    desk.see("1010")
    assert not desk.asked
    desk.see("150")  # before it could fill
    assert desk.canceled == [desk.take_profit.id]
    assert BANDS.brought_near(MARKET, Side.BUY, price("600"), price("100")) == 496
    assert BANDS.brought_near(MARKET, Side.BUY, price("60"), price("100")) == 60
    assert Limits().brought_near(MARKET, Side.BUY, price("600"), price("100")) == 600


def test_what_one_market_order_may_not_sell_is_sold_by_several() -> None:
    desk = limited(Limits(market_quantity=Bound("MARKET_LOT_SIZE", Decimal("0.4"))), max_safety_orders=0)
    desk.close_deal()
    desk.cancel_all()
    sold = []
    while desk.placed:
        (order,) = desk.placed
        sold.append(order.quantity)
        desk.fill(order)
        if desk.bot.deal is None or desk.bot.deal.number > 1:
            break
    assert sold == [Decimal("0.4"), Decimal("0.4"), Decimal("0.2")]
    (deal,) = desk.ended
    assert deal.result is not None
    assert deal.result.profit == deal.result.carried.quantity == Decimal(0)


def test_the_limits_of_another_pair_are_not_kept() -> None:
    desk = Desk.of(strategy())
    desk.read_rules(MARKET, limits=BANDS)
    assert desk.bot.limits == BANDS
