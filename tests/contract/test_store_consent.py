"""What users have confirmed, and where lines of activity happened: from every store."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from dcacore.domain.ids import AccountId, BotId, UserId
from dcacore.domain.money import Price, QuoteAmount
from dcacore.ports.errors import Conflict, StoreError
from dcacore.ports.records import Environment, LiveConfirmation
from tests.contract.databases import Database
from tests.contract.stored import ANN, account, bot, line, people, record
from tests.strategies import NOON, strategy

GIVEN = LiveConfirmation(
    bot_id=BotId("bot"),
    user_id=ANN,
    confirmed_at=NOON,
    strategy=strategy(take_profit="1.23456789012345678901"),
    price=Price(Decimal("30000.12345678")),
    amount=QuoteAmount(Decimal("400.40000001")),
)


async def test_a_confirmation_comes_back_equal_and_the_last_one_counts(database: Database) -> None:
    await people(database.store, record(), record(bot("other")))
    for given in (GIVEN, attrs.evolve(GIVEN, amount=QuoteAmount(Decimal(1)), strategy=strategy())):
        async with database.store.begin() as work:
            await work.bots.confirm_live(given)
            await work.commit()
        async with database.store.begin(reads_only=True) as work:
            assert await work.bots.live_confirmation(BotId("bot")) == given
            assert await work.bots.live_confirmation(BotId("other")) is None


async def test_a_bot_takes_its_confirmation_with_it(database: Database) -> None:
    await people(database.store, record())
    async with database.store.begin() as work:
        await work.bots.confirm_live(GIVEN)
        await work.bots.remove(BotId("bot"))
        await work.bots.add(record())
        await work.commit()
    async with database.store.begin(reads_only=True) as work:
        assert await work.bots.live_confirmation(BotId("bot")) is None


STRANGERS = [attrs.evolve(GIVEN, bot_id=BotId("none")), attrs.evolve(GIVEN, user_id=UserId("none"))]


@pytest.mark.parametrize("stranger", STRANGERS, ids=["bot", "user"])
async def test_nothing_is_confirmed_of_or_by_nobody(database: Database, stranger: LiveConfirmation) -> None:
    await people(database.store, record())
    async with database.store.begin() as work:
        with pytest.raises(Conflict, match=r"^there is no such bot, or no such user$"):
            await work.bots.confirm_live(stranger)


async def test_who_only_reads_confirms_nothing(database: Database) -> None:
    await people(database.store, record())
    async with database.store.begin(reads_only=True) as work:
        with pytest.raises(StoreError):
            await work.bots.confirm_live(GIVEN)


async def test_a_line_says_where_it_happened(database: Database) -> None:
    await people(database.store)
    async with database.store.begin() as work:
        await work.accounts.add(account(AccountId("real"), environment=Environment.LIVE))
        await work.bots.add(record(account_id=AccountId("real")))
        of_bot = line("of a bot", environment=None)
        of_account = line("of an account", bot_id=None, environment=Environment.TESTNET)
        await work.feed.add_activity([of_bot, of_account, line("of neither", bot_id=None, environment=None)])
        await work.commit()
    async with database.store.begin(reads_only=True) as work:
        told = [one.environment for one in await work.feed.activity(ANN)]
        assert told == [None, Environment.TESTNET, Environment.LIVE]
        (its,) = await work.feed.activity(ANN, bot_id=BotId("bot"), before=10_000)
    assert its.environment is Environment.LIVE
