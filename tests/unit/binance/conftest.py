"""An exchange on the loopback, and the adapter before it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import attrs
import pytest

from dcacore.adapters.binance.exchange import BinanceExchange
from dcacore.adapters.binance.pace import Pace
from dcacore.adapters.binance.site import Site
from dcacore.ports.secrets import ApiKey
from tests.unit.binance.wire import Wire, serving
from tests.unit.simulated.clock import RealClock

KEY = ApiKey("k" * 64, "s" * 64)
QUICK = Pace(
    opens_within=2,
    answers_within=0.3,
    first_pause=0.01,
    longest_pause=0.05,
    steady_after=0.2,
    overlap=0.1,
    looks_every=0.05,
    heartbeat=0.05,
    quiet_after=0.2,
    between_messages=0.01,
)


@attrs.frozen
class Bench:
    """The adapter under test, and what it talks to."""

    wire: Wire
    site: Site
    exchange: BinanceExchange


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with serving() as (wire, urls):
        site = Site(urls, RealClock(), random.Random(1), pace=QUICK, within_s=1)
        exchange = site.exchange(KEY)
        await site.time.refresh()
        yield Bench(wire, site, exchange)
        await exchange.close()
        await site.close()
