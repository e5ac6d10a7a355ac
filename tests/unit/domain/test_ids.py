"""The ids of orders: short enough for an exchange, and read back for what they say."""

from __future__ import annotations

import re

import attrs
import pytest

from dcacore.domain.engine import decide
from dcacore.domain.events import Ready, StartRequested
from dcacore.domain.ids import LONGEST_ORDER_ID, OWN_PREFIX, BotId, DealId, deal_id, order_id, parse_order_id
from dcacore.domain.orders import Role
from dcacore.domain.roles import LEGS
from tests.strategies import new_bot, strategy
from tests.unit.domain.desk import Desk

PREFIX = "dcaabc234"


def test_the_longest_sensible_id_fits_the_exchange() -> None:
    longest = order_id(deal_id(BotId("k3x9q2ab"), 99_999), "s100", 99_999, PREFIX)
    assert len(longest) <= LONGEST_ORDER_ID
    assert re.fullmatch(r"[.A-Z:/a-z0-9_-]{1,36}", longest)


@pytest.mark.parametrize("role", list(Role))
def test_an_id_says_what_it_was_made_of(role: Role) -> None:
    rung = 7 if role is Role.SAFETY else 0
    said = parse_order_id(order_id(DealId("k3x9q2ab-12"), LEGS[role] + str(rung or ""), 34, PREFIX))
    assert said is not None
    assert (said.prefix, said.bot_id, said.deal_id) == (PREFIX, "k3x9q2ab", "k3x9q2ab-12")
    assert (said.role, said.rung, said.attempt) == (role, rung, 34)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "web_1234567890",
        "x-R4BD3S82abcdef",
        "k3x9q2ab-12-b-1",  # without a prefix: a backtest's
        "dca-k3x9q2ab-12-b-1",
        "dcaabc234-k3x9q2ab-12-b",
        "dcaabc234-k3x9q2ab-12-b-0",
        "dcaabc234-k3x9q2ab-0-b-1",
        "dcaabc234-k3x9q2ab-12-s-1",
        "dcaabc234-k3x9q2ab-12-b1-1",
        "dcaabc234-k3x9q2ab-12-q-1",
        "dcaabc234-k3x9q2ab-12-s0-1",
        "dcaabc234-k3x9q2ab-12-b-1 ",
        "dcaabc234-k3x9q2ab-12-b-1\n",
        "Dcaabc234-k3x9q2ab-12-b-1",
        "dcaabc234-k3x9q2ab-12-b-\N{ARABIC-INDIC DIGIT ONE}",
    ],
)
def test_ids_of_others_are_not_taken_for_ours(text: str) -> None:
    assert parse_order_id(text) is None


def test_the_orders_of_a_live_bot_bear_its_prefix() -> None:
    desk = Desk(attrs.evolve(new_bot(strategy()), order_prefix=PREFIX))
    for event in (StartRequested(desk.at, desk.price), Ready(desk.at, desk.price)):
        desk.tell(event)
    desk.fill(desk.placed[0])
    assert [order.id for order in desk.placed] == [
        f"{PREFIX}-bot-1-s1-2",
        f"{PREFIX}-bot-1-s2-3",
        f"{PREFIX}-bot-1-t-4",
    ]
    assert PREFIX.startswith(OWN_PREFIX)


def test_a_backtest_needs_no_prefix() -> None:
    bot = new_bot(strategy())
    desk = Desk(bot)
    started = decide(bot, StartRequested(desk.at, desk.price)).bot
    (command,) = decide(started, Ready(desk.at, desk.price)).commands
    assert command.order.id == "bot-1-b-1"  # type: ignore[union-attr]  # a Place
