"""What every store promises of the bots' secrets for signals."""

from __future__ import annotations

import datetime

import attrs
import pytest

from dcacore.domain.ids import BotId
from dcacore.ports.errors import Conflict
from dcacore.ports.identity import Digest
from dcacore.ports.signals import SignalKey
from dcacore.ports.store import Store
from tests.contract.databases import Database
from tests.contract.stored import ANN, BOB, bot, people, record, user
from tests.strategies import NOON

MINUTE = datetime.timedelta(minutes=1)
A, B = BotId("a"), BotId("b")


@pytest.fixture
async def store(database: Database) -> Store:
    await people(database.store, record(bot("a")), record(bot("b")))
    return database.store


def secret(bot_id: BotId, key: str) -> SignalKey:
    return SignalKey(bot_id=bot_id, key=Digest(key), created_at=NOON)


async def test_a_secret_is_found_used_and_replaced(store: Store) -> None:
    first, second = secret(A, "first"), secret(A, "second")
    async with store.begin() as work:
        await work.signals.put(first)
        await work.signals.put(secret(B, "other"))
        await work.commit()
    async with store.begin() as work:
        assert await work.signals.find(first.key) == await work.signals.of(A) == first
        await work.signals.use(first.key, NOON + MINUTE)
        await work.signals.use(Digest("nobody's"), NOON)
        assert await work.signals.of(A) == attrs.evolve(first, used_at=NOON + MINUTE)
        await work.signals.put(second)
        assert await work.signals.find(first.key) is None
        assert await work.signals.of(A) == second
        assert await work.signals.revoke(A)
        assert not await work.signals.revoke(A)
        assert await work.signals.of(A) is None
        assert await work.signals.of(B) == secret(B, "other")


@pytest.mark.parametrize("refused", [secret(B, "taken"), secret(BotId("none"), "new")], ids=["key", "bot"])
async def test_a_secret_is_one_bots_alone(store: Store, refused: SignalKey) -> None:
    async with store.begin() as work:
        await work.signals.put(secret(A, "taken"))
        with pytest.raises(Conflict, match="secret"):
            await work.signals.put(refused)


async def test_all_of_a_user_go_and_those_of_a_bot_with_it(store: Store) -> None:
    async with store.begin() as work:
        await work.users.add(user(BOB))
        await work.signals.put(secret(A, "a"))
        await work.signals.put(secret(B, "b"))
        assert await work.signals.revoke_all(BOB) == 0
        await work.bots.remove(A)
        assert await work.signals.find(Digest("a")) is None
        assert await work.signals.revoke_all(ANN) == 1
        assert await work.signals.of(B) is None
