"""What asks servers for candles is kept, and ends with the program."""

from __future__ import annotations

import pytest

from dcacore.bootstrap.webs import Webs
from tests.unit.downloads.site import Site
from tests.unit.simulated.clock import ManualClock


async def test_a_server_is_asked_over_the_connections_that_there_are(site: Site, clock: ManualClock) -> None:
    webs = Webs(clock)
    web = await webs.at(site.url)
    assert await webs.at(site.url) is web
    assert await webs.at(f"{site.url}/else") is not web
    await web.get("file", most=1000)
    await webs.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await web.get("file", most=1000)
    assert await webs.at(site.url) is not web
    await webs.aclose()
