"""What bots at rest ask of an exchange, counted: the page that says how many bots one address carries goes by it."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Final

import pytest

from dcacore.adapters.binance import calls
from dcacore.adapters.binance.calls import Call, Rank
from dcacore.adapters.binance.limiter import SHARES
from dcacore.adapters.binance.pace import Pace
from dcacore.adapters.binance.session import WEIGHT
from dcacore.application.engine.comparisons import COMPARE_EVERY_S
from dcacore.domain.ids import AccountId
from dcacore.domain.orders import Role
from dcacore.local_exchange.endpoints import REST
from dcacore.local_exchange.params import Params
from tests.faults.stage import ACCOUNT, Stage

HOUR_S: Final = 3600
OTHER: Final = AccountId("other")
ASKS: Final[dict[str, Call]] = {
    "open_orders": calls.OPEN_ORDERS,
    "trades": calls.TRADES,
    "balances": calls.ACCOUNT,
    "find": calls.FIND,
    "fees": calls.COMMISSION,
    "price": calls.PRICE,
    "listing": calls.RULES,
    "place": calls.PLACE,
    "cancel": calls.CANCEL,
}
PAGE: Final = Path("docs/explanation/binance.md").read_text(encoding="utf-8")
A_MINUTE: Final = Fraction(60, COMPARE_EVERY_S)
OF_ACCOUNT: Final = calls.ACCOUNT.weight * A_MINUTE + WEIGHT * Fraction(60) / Fraction(Pace().looks_every)
OF_PAIR: Final = (calls.OPEN_ORDERS.weight + calls.TRADES.weight) * A_MINUTE + Fraction(calls.COMMISSION.weight, 60)
LIMIT: Final = 6000


def asked_in_an_hour(stage: Stage, account: AccountId = ACCOUNT) -> Counter[str]:
    """Return what is asked by an account's way within an hour in which nothing happens."""
    wire = stage.wire(account)
    before = len(wire.asked)
    stage.run(HOUR_S)
    return Counter(name for _, name in wire.asked[before:])


def weight(asked: Counter[str]) -> int:
    return sum(ASKS[name].weight * count for name, count in asked.items())


@pytest.mark.parametrize("bots", [1, 5])
def test_f51_bots_at_rest_ask_by_account_and_pair_and_not_by_bot(empty_stage: Stage, bots: int) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account()
    names = [stage.add_bot(f"bot{number}") for number in range(bots)]
    stage.start(*names, after=60)
    assert len(stage.resting(Role.SAFETY)) == 2 * bots
    asked = asked_in_an_hour(stage)
    rounds = HOUR_S // COMPARE_EVERY_S
    assert asked == {"open_orders": rounds, "trades": rounds, "balances": rounds, "listing": 1, "fees": 1}
    asked["listing"] = 0  # of all pairs at once, for all accounts
    assert Fraction(weight(asked), 60) == OF_PAIR + calls.ACCOUNT.weight * A_MINUTE


def test_f51_every_account_is_asked_for_itself(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account()
    stage.open_account(OTHER)
    stage.start(stage.add_bot("one"), stage.add_bot("two", account=OTHER), after=60)
    asked = asked_in_an_hour(stage)
    assert asked == asked_in_an_hour(stage, OTHER)


@pytest.mark.parametrize(
    ("call", "params"),
    [
        (calls.TIME, {}),
        (calls.RULES, {}),
        (calls.PRICE, {"symbol": "BTCUSDT"}),
        (calls.PRICES, {}),
        (calls.CANDLES, {}),
        (calls.PLACE, {}),
        (calls.CANCEL, {}),
        (calls.FIND, {}),
        (calls.TRADES_OF_ORDER, {"orderId": "1"}),
        (calls.TRADES, {}),
        (calls.OPEN_ORDERS, {"symbol": "BTCUSDT"}),
        (calls.ACCOUNT, {}),
        (calls.COMMISSION, {}),
    ],
    ids=lambda it: it.path if isinstance(it, Call) else "",
)
def test_a_request_weighs_here_what_the_exchange_counts(call: Call, params: dict[str, str]) -> None:
    counted = REST[call.method.upper(), f"/api/v3/{call.path}"].weight
    assert call.weight == (counted if isinstance(counted, int) else counted(Params(params)))


def test_the_page_says_what_has_been_counted() -> None:
    assert SHARES[Rank.PERIODIC] == 0.5
    assert f"{float(OF_ACCOUNT):.1f}" in PAGE
    assert f"{float(OF_PAIR):.1f}" in PAGE
    assert f"| {int((LIMIT / 2 - OF_ACCOUNT) / OF_PAIR)} pairs of one account" in PAGE
    assert f"| {int(LIMIT / 2 / (OF_ACCOUNT + OF_PAIR))} accounts" in PAGE
    once = calls.OPEN_ORDERS.weight + calls.TRADES.weight + calls.ACCOUNT.weight
    for accounts in (100, 200, 300):
        left = LIMIT / 2 - accounts * WEIGHT * 60 / Pace().looks_every
        assert f"| {accounts} accounts of one pair each | {accounts * once / left:.1f} minutes |" in PAGE
