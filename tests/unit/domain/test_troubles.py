"""What troubles a bot, what cures it, and which trouble is shown when there are two."""

from __future__ import annotations

import pytest

from dcacore.domain.bot import Cure, TroubleKind
from dcacore.domain.events import AttentionNeeded, Cured, Failed, Refusal, Refused
from dcacore.domain.orders import Role
from tests.strategies import strategy
from tests.unit.domain.desk import Desk, described
from tests.unit.domain.test_events import in_position, placing_order


def cure(desk: Desk) -> Cure | None:
    return None if desk.bot.trouble is None else desk.bot.trouble.cure


def test_a_base_order_that_meets_a_halted_market_is_as_if_not_placed() -> None:
    desk = placing_order()
    desk.refuse(desk.placed[0], Refusal.HALTED, "trading is halted on the exchange")
    assert desk.state == "needs_attention"
    assert cure(desk) is Cure.TRADING
    assert desk.deal.orders == {}
    assert desk.reason() == (
        "base order: trading is halted on the exchange; it goes on by itself when the exchange trades again"
    )
    desk.see("101")
    assert desk.asked == ()
    desk.tell(Cured(desk.at, Cure.CREDENTIALS, desk.price))
    assert desk.state == "needs_attention"
    desk.tell(Cured(desk.at, Cure.TRADING, desk.price))
    assert desk.state == "placing_order"


def test_a_safety_order_that_meets_a_halted_market_is_placed_when_it_trades_again() -> None:
    desk = Desk.started(strategy(max_safety_orders=1))
    desk.fill(desk.placed[0])
    desk.refuse(desk.placed[0], Refusal.HALTED)
    desk.tell(Cured(desk.at, Cure.TRADING))
    assert described(desk.placed) == [("safety", "90", "1.111")]


def test_an_extra_buy_finds_out_that_the_market_is_halted() -> None:
    desk = in_position()
    desk.add_funds("100")
    desk.refuse(desk.placed[0], Refusal.HALTED)
    assert cure(desk) is Cure.TRADING
    desk.retry()
    assert desk.live(Role.EXTRA) == []
    assert desk.asked == ()


def test_a_key_that_does_not_work_is_cured_by_one_that_does() -> None:
    desk = in_position()
    desk.tell(AttentionNeeded(desk.at, "the key was revoked", cure=Cure.CREDENTIALS))
    desk.see("90")
    desk.fill(desk.safety_orders[0])
    assert desk.asked == ()
    desk.tell(Cured(desk.at, Cure.CREDENTIALS, desk.price))
    assert len(desk.canceled) == 1


def test_a_failure_is_an_error_until_the_user_retries() -> None:
    desk = in_position()
    desk.tell(Failed(desk.at, "KeyError in the engine"))
    assert desk.state == "error"
    assert desk.reason() == "KeyError in the engine"
    for each in Cure:
        if each is not Cure.USER:
            desk.tell(Cured(desk.at, each))
    assert desk.state == "error"
    desk.retry()
    assert desk.reason() is None


def test_balance_waits_for_balance() -> None:
    desk = placing_order()
    desk.refuse(desk.placed[0], Refusal.BALANCE)
    assert cure(desk) is Cure.BALANCE


def test_a_trouble_that_cures_itself_does_not_hide_one_that_does_not() -> None:
    desk = Desk.started(strategy())
    desk.fill(desk.placed[0])
    first, second, third = desk.placed
    desk.report(Refused(first.id, Refusal.BALANCE, "poor"))
    assert desk.state == "waiting_for_balance"
    desk.report(Refused(second.id, Refusal.HALTED, "halted"))
    assert (desk.state, cure(desk)) == ("needs_attention", Cure.TRADING)
    desk.report(Refused(third.id, Refusal.RULE, "filter"))
    assert (desk.state, cure(desk)) == ("error", Cure.USER)
    desk.tell(AttentionNeeded(desk.at, "halted", cure=Cure.TRADING))
    desk.tell(AttentionNeeded(desk.at, "look"))
    assert desk.reason() == "take profit order: filter"


@pytest.mark.parametrize("kind", list(TroubleKind))
def test_a_cure_for_nothing_changes_nothing(kind: TroubleKind) -> None:
    desk = in_position()
    bot = desk.bot
    desk.tell(Cured(desk.at, Cure.TRADING if kind is TroubleKind.ERROR else Cure.BALANCE))
    assert desk.bot == bot
