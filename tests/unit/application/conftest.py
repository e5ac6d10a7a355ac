from __future__ import annotations

import pytest

from dcacore.ports.records import BotRecord, User
from tests.unit.application.office import Office


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
async def anna(office: Office) -> User:
    """A user of the tier PRO with an account on paper."""
    user = await office.user()
    await office.account(user)
    return user


@pytest.fixture
async def calm(office: Office, anna: User) -> BotRecord:
    """Anna's bot."""
    return await office.bot(anna)
