"""The answer to "why is my bot doing nothing?"."""

from __future__ import annotations

import attrs

from dcacore.domain.bot import Cure
from dcacore.domain.events import AttentionNeeded, Failed, Lost, Refusal, Refused
from dcacore.domain.explain import explain
from tests.strategies import strategy
from tests.unit.domain.desk import Desk
from tests.unit.domain.test_events import closing, in_position, monitoring, placing_order, starting, stopped


def test_bots_without_a_deal() -> None:
    assert explain(stopped().bot) == ("It is stopped: start it to open a deal.",)
    assert explain(starting().bot) == ("It is starting: its orders are being compared with the exchange's.",)
    assert explain(monitoring().bot) == ("It cools down until 2024-01-01 12:01:00 UTC; then the next deal opens.",)
    desk = monitoring()
    desk.pause()
    assert explain(desk.bot) == ("It is paused: no new deal starts before you start it.",)


def test_a_bot_that_waits_for_a_price() -> None:
    desk = Desk.started(strategy(base_order_size="4"))
    assert explain(desk.bot) == (
        (
            "It opens the next deal when the price is another than 100: the last one ended before the price had moved, "
            "or a base order is too small at this price."
        ),
    )
    assert explain(attrs.evolve(desk.bot, price=None)) == ("It waits for the first price.",)


def test_a_bot_that_waits_for_an_answer() -> None:
    desk = placing_order()
    assert explain(desk.bot) == ("It waits for the exchange's answer to order bot-1-b-1 (base order).",)
    desk.report(Lost(desk.placed[0].id))
    assert explain(desk.bot) == (
        "It waits for the exchange to confirm order bot-1-b-1 (base order): its answer was lost.",
    )


def test_an_open_deal_says_which_prices_make_it_act() -> None:
    desk = Desk.in_position(strategy(stop_loss=50))
    assert explain(desk.bot) == (
        "It sells 1 ABC (take profit order) when the price rises to 110.",
        "It sells everything at market when the price falls to 50 (stop loss).",
        "It buys 1.111 ABC when the price falls to 90 (safety order 1 of 2).",
        "1 more safety order rests below, at 80.",
    )
    desk.see("90")
    desk.fill(desk.safety_orders[0], "0.5")
    assert (
        explain(desk.bot)[-1] == "A buy is filling: the target follows when it is done, or at 2024-01-01 12:00:05 UTC."
    )


def test_a_deal_whose_ladder_is_not_all_there() -> None:
    desk = Desk.in_position(strategy(active_safety_orders=1))
    assert "1 safety order waits to be placed, at 80." in explain(desk.bot)
    assert "It has no safety order left." in explain(Desk.in_position(strategy(max_safety_orders=0)).bot)


def test_a_trail() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, trailing_deviation=1))
    assert explain(desk.bot)[0] == "Its trail arms when the price rises to 110."
    desk.see("112")
    assert explain(desk.bot)[0] == "It trails a peak of 112: it sells at market when the price falls to 110.88."


def test_a_deal_that_is_too_small_to_sell() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0))
    desk.read_rules(attrs.evolve(desk.bot.market, min_notional="120"))
    desk.cancel(desk.take_profit)
    desk.retry()
    assert "It holds 1 ABC, too little for the market to take before the price has risen to 120." in explain(desk.bot)
    desk.read_rules(attrs.evolve(desk.bot.market, min_quantity="2"))
    assert "It holds 1 ABC, too little for the market to take before a safety order has filled." in explain(desk.bot)


def test_an_exit_that_waits_until_it_is_worth_it() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, stop_loss=5))
    desk.read_rules(attrs.evolve(desk.bot.market, min_notional="94"))
    desk.see("93")
    assert "An exit whose price has passed waits for 94, from where what is held is worth selling." in explain(desk.bot)


def test_a_deal_that_is_being_closed() -> None:
    desk = closing()
    assert explain(desk.bot) == (
        "Its deal is being closed by take profit.",
        "It waits for these orders to come off the exchange: safety order 1, safety order 2.",
    )
    desk.stop()
    assert explain(desk.bot)[0] == "It stops when its deal has ended."


def test_a_fill_that_has_not_been_told() -> None:
    desk = in_position()
    desk.see("90")
    take_profit = desk.take_profit
    desk.fill(desk.safety_orders[0])
    desk.cancel(take_profit, executed="0.3")
    assert explain(desk.bot)[0] == "It waits for the last fills of order bot-1-t-4 (take profit order)."


def test_troubles_say_what_cures_them() -> None:
    desk = Desk.started(strategy())
    desk.fill(desk.placed[0])
    desk.report(Refused(desk.placed[0].id, Refusal.BALANCE, "needs 99.99 XYZ"))
    assert explain(desk.bot)[:2] == (
        "It waits for balance: safety order 1: needs 99.99 XYZ.",
        "Buys are tried again when the free balance suffices; sells go on.",
    )
    desk.tell(AttentionNeeded(desk.at, "the key was revoked", cure=Cure.CREDENTIALS))
    assert explain(desk.bot)[:2] == (
        "It needs attention: the key was revoked.",
        "It goes on by itself when a key that works is stored.",
    )
    desk.tell(Failed(desk.at, "a bug"))
    assert explain(desk.bot)[:2] == (
        "It is in error: a bug.",
        "Nothing is placed until you have seen to it and said retry.",
    )


def test_a_paused_bot_with_a_deal() -> None:
    desk = in_position()
    desk.pause()
    assert explain(desk.bot)[0] == "It is paused: the open deal is managed to its end, and no new one starts."
