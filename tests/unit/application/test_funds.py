"""What accounts are worth together: by environment, and never less than there is."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from dcacore.application.funds import AccountFunds, together
from dcacore.application.valuing import Valued
from dcacore.domain.ids import AccountId, UserId
from dcacore.ports.records import Account, Environment

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def held(name: str, environment: Environment, amount: str | None, *unvalued: str, reason: str = "") -> AccountFunds:
    account = Account(id=AccountId(name), user_id=UserId("ada"), name=name, environment=environment, created_at=NOW)
    worth = Valued(
        environment=environment,
        currency="USDT",
        amount=None if amount is None else Decimal(amount),
        unvalued=unvalued,
        reason=reason,
    )
    return AccountFunds(account=account, rows=(), worth=worth)


def test_accounts_of_one_environment_are_added_and_those_of_two_never() -> None:
    found = together(
        [
            held("a", Environment.PAPER, "0.1", "XYZ"),
            held("b", Environment.LIVE, "7"),
            held("c", Environment.PAPER, "0.2", "XYZ", "ABC", reason="no pair leads there"),
        ]
    )
    assert [(it.environment, it.amount) for it in found] == [
        (Environment.LIVE, Decimal(7)),
        (Environment.PAPER, Decimal("0.3")),
    ]
    assert (found[1].unvalued, found[1].reason) == (("XYZ", "ABC"), "no pair leads there")


@pytest.mark.parametrize("turned", [False, True])
def test_a_sum_without_one_account_is_not_known(turned: bool) -> None:
    two = [held("a", Environment.PAPER, "5"), held("b", Environment.PAPER, None, reason="it does not answer")]
    (found,) = together(reversed(two) if turned else two)
    assert (found.amount, found.reason) == (None, "it does not answer")


def test_one_account_is_as_it_is() -> None:
    one = held("a", Environment.TESTNET, "5")
    assert together([one]) == (one.worth,)
    assert together([]) == ()
