from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from dcacore.adapters.polar import Patience, PolarAccess, PolarBilling
from tests.polar.server import TOKEN, PolarServer, polar_server
from tests.polar.world import PRODUCT, PolarWorld
from tests.unit.simulated.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def world(clock: ManualClock) -> PolarWorld:
    return PolarWorld(clock)


@pytest.fixture
async def server(world: PolarWorld) -> AsyncIterator[PolarServer]:
    async with polar_server(world) as running:
        yield running


@pytest.fixture
async def billing(server: PolarServer, clock: ManualClock) -> AsyncIterator[PolarBilling]:
    polar = PolarBilling(_access(server), clock)
    yield polar
    await polar.aclose()


@pytest.fixture
async def hasty(server: PolarServer, clock: ManualClock) -> AsyncIterator[PolarBilling]:
    """Yield the adapter with little patience: it waits a tenth of a second for an answer."""
    polar = PolarBilling(_access(server), clock, Patience(silence_s=0.1))
    yield polar
    await polar.aclose()


def _access(server: PolarServer) -> PolarAccess:
    return PolarAccess(token=TOKEN, product_id=PRODUCT, server_url=server.url)
