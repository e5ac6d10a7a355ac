"""A site and its visitors for every test of downloads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from dcacore.adapters.candles.online import Web, open_web
from tests.unit.downloads.site import Site, serving
from tests.unit.simulated.clock import ManualClock


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as site:
        yield site


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def web(site: Site, clock: ManualClock) -> AsyncIterator[Web]:
    async with open_web(site.url, clock) as web:
        yield web
