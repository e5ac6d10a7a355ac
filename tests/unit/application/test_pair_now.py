"""What an exchange says of a pair: asked for once, and never an error, whatever the exchange does."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Final

import pytest

from dcacore.application.pair_now import FRESH_FOR_S, PairsNow
from dcacore.bootstrap.paper import InProcessPaper
from dcacore.ports.errors import Unavailable
from dcacore.ports.exchange import Exchange
from dcacore.ports.records import Account, User
from dcacore.ports.venues import Venues
from tests.unit.application.office import MARKET, Office

HELD: Final = {"USDT": Decimal(10_000)}


class Counted(InProcessPaper):
    """Counts how often it is asked, and may be unreachable, or silent."""

    asked = 0
    is_gone = False
    is_silent = False

    async def exchange(self, account: Account) -> Exchange:
        self.asked += 1
        if self.is_silent:
            await asyncio.Event().wait()
        if self.is_gone:
            raise Unavailable("nobody answers")
        return await super().exchange(account)


@pytest.fixture
def venues() -> Counted:
    return Counted([(MARKET, 30_000)], HELD)


async def account_of(office: Office) -> Account:
    user: User = await office.user()
    return await office.account(user)


def pairs_of(office: Office, venues: Venues) -> PairsNow:
    return PairsNow(office.store, venues, office.clock, {MARKET.pair: MARKET}.get)


async def test_what_is_told_is_asked_for_once_in_a_while(office: Office, venues: Counted) -> None:
    account, pairs = await account_of(office), pairs_of(office, venues)
    first = await pairs.of(account, MARKET.pair)
    assert (first.market, first.failure) == (MARKET, "")
    assert (first.price, first.free) == (Decimal(30_000), Decimal(10_000))
    venues.move(MARKET.pair, 31_000)
    assert (await pairs.of(account, MARKET.pair)).price == Decimal(30_000)
    assert venues.asked == 1
    office.clock.pass_by(FRESH_FOR_S + 1)
    assert (await pairs.of(account, MARKET.pair)).price == Decimal(31_000)


async def test_a_pair_that_is_not_listed_is_told_apart(office: Office, venues: Counted) -> None:
    found = await pairs_of(office, venues).of(await account_of(office), "NOPE")
    assert (found.is_listed, found.market) == (False, None)


async def test_when_nobody_answers_the_known_rules_stand_in(office: Office, venues: Counted) -> None:
    venues.is_gone = True
    account, pairs = await account_of(office), pairs_of(office, venues)
    found = await pairs.of(account, MARKET.pair)
    assert (found.market, found.price, found.free, found.failure) == (MARKET, None, None, "nobody answers")
    unknown = await pairs.of(account, "ABCXYZ")
    assert (unknown.market, unknown.is_listed, unknown.failure) == (None, True, "nobody answers")


async def test_an_exchange_that_is_silent_is_not_waited_for(
    office: Office, venues: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcacore.application.pair_now.WITHIN_S", 0.001)
    venues.is_silent = True
    account, pairs = await account_of(office), pairs_of(office, venues)
    assert "has not answered within" in (await pairs.of(account, MARKET.pair)).failure
    await pairs.of(account, MARKET.pair)
    assert venues.asked == 1
