"""The notes that tell a user what his bot did and why."""

from __future__ import annotations

import attrs
import pytest

from dcacore.domain.bot import Cure
from dcacore.domain.engine import decide
from dcacore.domain.events import AttentionNeeded, Cured, Failed, Lost, PriceSeen, Refusal, Refused
from dcacore.domain.orders import Role
from dcacore.domain.story import NOTIFY, Level, Note, tell
from tests.strategies import MARKET, strategy
from tests.unit.domain.desk import Desk
from tests.unit.domain.test_adoption import unknown
from tests.unit.domain.test_events import in_position, placing_order


def said(desk: Desk) -> list[tuple[str, str]]:
    """Return what has been told since the last time."""
    told = [(note.kind, note.text) for note in desk.notes]
    desk.notes.clear()
    return told


def test_a_deal_from_its_start_to_its_end() -> None:
    desk = Desk.started(strategy(stop_loss=50, stop_loss_basis="average"))
    assert said(desk) == [
        ("started", "started by its user"),
        ("deal_opened", "deal 1 opens: buys 1 ABC at market, where the price is 100"),
    ]
    desk.fill(desk.placed[0])
    assert said(desk) == [
        ("base_order_filled", "base order filled at 100 for 100 XYZ; average now 100"),
        ("target_moved", "target set to 110 because base order filled"),
        ("stop_moved", "stop loss set to 50 because base order filled"),
        ("take_profit_placed", "take profit placed: sells 1 ABC at 110"),
    ]
    desk.accept_all()
    desk.see("90")
    assert said(desk) == []
    desk.fill(desk.safety_orders[0])
    assert said(desk) == [
        ("safety_order_filled", "safety order 1 of 2 filled at 90 for 99.99 XYZ; average now 94.73709143"),
        ("target_moved", "target moved from 110 to 104.22 because safety order 1 filled"),
        ("stop_moved", "stop loss moved from 50 to 47.36 because safety order 1 filled"),
    ]
    desk.cancel_all()
    desk.accept_all()
    assert said(desk) == [("take_profit_placed", "take profit placed: sells 2.111 ABC at 104.22")]
    desk.wait(7_500)
    desk.see("104.22")
    desk.fill(desk.take_profit)
    desk.cancel_all()
    assert said(desk) == [
        ("sold", "take profit order filled at 104.22 for 220.00842 XYZ"),
        ("deal_closed", "deal 1 closed by take profit after 2 h 5 min: profit 20.01842 XYZ"),
        ("deal_opened", "deal 2 opens: buys 0.959 ABC at market, where the price is 104.22"),
    ]


def test_fills_in_part_are_told_one_by_one() -> None:
    desk = in_position()
    desk.notes.clear()
    desk.see("90")
    order = desk.safety_orders[0]
    desk.fill(order, "0.5")
    assert said(desk) == [
        (
            "partial_fill",
            "safety order 1 of 2 filled in part, 0.5 of 1.111 ABC, at 90 for 45 XYZ; average now 96.66666667",
        )
    ]
    desk.wait(5)
    assert said(desk) == [("target_moved", "target moved from 110 to 106.34")]


def test_an_order_whose_end_is_told_after_its_fills_is_told_as_over() -> None:
    desk = placing_order()
    (base,) = desk.placed
    desk.notes.clear()
    desk.fill(base, "0.5")
    desk.expire(base, "0.5")
    assert [kind for kind, _ in said(desk)][:2] == ["partial_fill", "base_order_filled"]


def test_a_stop_loss() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, stop_loss=5))
    desk.notes.clear()
    desk.see("94")
    assert said(desk) == [
        ("stop_loss_hit", "stop loss at 95 reached, the price is 94: what the deal holds is sold at market")
    ]
    desk.cancel_all()
    desk.fill(desk.placed[0])
    assert said(desk)[:2] == [
        ("sold", "stop loss order filled at 94 for 94 XYZ"),
        ("deal_closed", "deal 1 closed by stop loss after 0 s: profit -6 XYZ"),
    ]


def test_a_trail_is_told_when_it_arms_and_when_it_sells_but_not_at_each_peak() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, trailing_deviation=1))
    desk.notes.clear()
    for price in ("110", "111", "112"):
        desk.see(price)
    assert said(desk) == [
        ("trail_armed", "trail armed at 110: sells when the price falls to 108.9, or from a new high")
    ]
    desk.see("110")
    assert said(desk) == [("trail_hit", "the price has fallen from 112 to 110: what the deal holds is sold at market")]


def test_what_a_user_asks_for() -> None:
    desk = in_position()
    desk.notes.clear()
    desk.edit_deal(take_profit="5", active_safety_orders=1)
    assert said(desk) == [
        ("deal_edited", "deal 1 changed by its user: take_profit from 10 to 5, active_safety_orders from all to 1"),
        ("target_moved", "target moved from 110 to 105 because the deal was changed"),
    ]
    desk.edit_bot(strategy(take_profit="7"))
    assert said(desk) == [("bot_edited", "changed for the next deal: take_profit from 10 to 7")]
    desk.add_funds("100")
    (extra,) = desk.placed
    assert said(desk) == [("extra_buy_placed", "extra buy of 1 ABC at market, as its user asked")]
    desk.fill(extra)
    assert said(desk)[0] == ("extra_buy", "extra buy filled at 100 for 100 XYZ; average now 100")
    desk.pause()
    assert said(desk) == [("paused", "paused by its user: no new deal starts; the open deal is managed to its end")]
    desk.cancel_deal()
    assert said(desk) == [
        ("deal_closing", "deal 1 is canceled for its user: its orders are taken off, its coins stay in the account")
    ]
    desk.report(*(Refused(order.id, Refusal.NOT_PLACED, "never sent") for order in desk.placed))
    for order in desk.deal.live_orders:
        desk.cancel(order)
    assert said(desk) == [
        ("deal_cancelled", "deal 1 canceled after 0 s: 2 ABC, which cost 200 XYZ, stay in the account; profit 0 XYZ")
    ]


def test_a_stop_loss_that_the_user_takes_off() -> None:
    desk = Desk.in_position(strategy(stop_loss=50))
    desk.notes.clear()
    desk.edit_deal(stop_loss="0")
    assert said(desk)[1:] == [("stop_moved", "stop loss taken off")]


def test_stopping_with_and_without_a_deal() -> None:
    desk = in_position()
    desk.notes.clear()
    desk.stop(sell=True)
    assert said(desk) == [
        ("stopping", "stopped by its user: the open deal ends, its coins are sold at market"),
        ("deal_closing", "deal 1 is closed for its user: what it holds is sold at market"),
    ]
    desk.cancel_all()
    (sale,) = desk.placed
    desk.cancel_all()
    desk.fill(sale)
    assert [kind for kind, _ in said(desk)] == ["sold", "deal_closed", "stopped"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"max_deals": 1}, "1 of max_deals = 1 deals have closed"), ({"auto_restart": False}, "auto_restart is off")],
)
def test_a_bot_that_stops_by_itself_says_why(changes: dict[str, int], why: str) -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, **changes))
    desk.see("110")
    desk.fill(desk.take_profit)
    assert said(desk)[-1] == ("finished", f"stopped by itself: {why}")


def test_troubles_and_their_ends() -> None:
    desk = placing_order()
    desk.notes.clear()
    desk.refuse(desk.placed[0], Refusal.BALANCE, "needs 100 XYZ")
    assert said(desk) == [
        ("order_refused", "base order was refused: needs 100 XYZ"),
        ("deal_not_opened", "deal 1 was not opened: its base order bought nothing"),
        ("waiting_for_balance", "base order: needs 100 XYZ"),
    ]
    desk.retry_due()
    assert [kind for kind, _ in said(desk)] == ["resumed", "deal_opened"]
    desk.tell(AttentionNeeded(desk.at, "the pair is halted", cure=Cure.TRADING))
    assert said(desk) == [("attention", "the pair is halted")]
    desk.tell(Cured(desk.at, Cure.TRADING, desk.price))
    assert said(desk) == [("resumed", "goes on; before: the pair is halted")]
    desk.tell(Failed(desk.at, "a bug"))
    assert desk.notes[0].level is Level.ERROR
    assert said(desk) == [("error", "a bug")]


def test_orders_whose_answer_is_lost_or_that_are_found() -> None:
    desk = placing_order()
    (base,) = desk.placed
    desk.notes.clear()
    desk.report(Lost(base.id))
    assert said(desk) == [("order_lost", "waiting for the exchange to confirm order bot-1-b-1 (base order)")]
    desk.fill(base)
    desk.accept_all()
    desk.notes.clear()
    desk.adopt(unknown(Role.EXTRA, "1"))
    assert said(desk) == [("order_adopted", "extra buy was found on the exchange and taken over: bot-1-x-9")]
    desk.expire(desk.live(Role.EXTRA)[0])
    assert said(desk) == [("order_ended", "extra buy ended without a fill: expired")]


def test_new_rules_are_told() -> None:
    desk = in_position()
    desk.notes.clear()
    desk.read_rules(attrs.evolve(MARKET, min_notional="10"))
    assert said(desk) == [("rules_changed", "the exchange has changed the rules of ABCXYZ: min_notional from 5 to 10")]


def test_coins_that_come_after_the_sale() -> None:
    desk = in_position()
    first = desk.safety_orders[0]
    desk.see("110")
    desk.fill(desk.take_profit)
    desk.notes.clear()
    desk.cancel(desk.safety_orders[1])
    desk.fill(first)
    assert [kind for kind, _ in said(desk)] == [
        "safety_order_filled",
        "target_moved",
        "take_profit_placed",
        "deal_goes_on",
    ]


def test_a_deal_that_sold_more_than_it_held_says_so() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0))
    mine, other = desk.take_profit, unknown(Role.TAKE_PROFIT, "1", "110")
    desk.see("110")
    desk.adopt(other)
    desk.fill(mine)
    desk.notes.clear()
    desk.fill(other)
    assert said(desk)[1] == (
        "deal_closed",
        "deal 1 closed by take profit after 0 s: profit 120 XYZ; 1 ABC more were sold than it held",
    )


def test_notes_say_what_they_are_about_and_nothing_happening_says_nothing() -> None:
    desk = in_position()
    desk.see("90")
    order = desk.safety_orders[0]
    desk.fill(order)
    filled = next(note for note in desk.notes if note.kind == "safety_order_filled")
    assert filled == Note(filled.kind, filled.text, Level.INFO, order.id, desk.deal.id)
    event = PriceSeen(desk.at, desk.price)
    assert tell(desk.bot, event, decide(desk.bot, event)) == ()


def test_only_what_matters_is_sent_to_the_user() -> None:
    told = {
        "deal_opened",
        "safety_order_filled",
        "deal_closed",
        "stop_loss_hit",
        "waiting_for_balance",
        "attention",
        "error",
        "finished",
    }
    assert told == NOTIFY
