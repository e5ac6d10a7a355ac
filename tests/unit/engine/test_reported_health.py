"""An engine tells other processes how its ways to the exchanges are."""

from __future__ import annotations

from collections.abc import Mapping

from dcacore.application import connections
from dcacore.bootstrap.app import paper_app
from dcacore.bootstrap.paper import InProcessPaper
from dcacore.ports.health import Health
from dcacore.ports.records import Environment
from tests.unit.application.office import MARKET

HEALTH = Health(latency_ms=31, clock_offset_ms=-4, prices_age_s=None, used_weight=12, weight_limit=6000)


class MeasuredPaper(InProcessPaper):
    """A paper exchange that says how it is doing."""

    def health(self) -> Mapping[Environment, Health]:
        return {Environment.PAPER: HEALTH}


async def test_what_an_engine_measures_is_read_elsewhere() -> None:
    async with paper_app(MeasuredPaper([(MARKET, 30000)])) as app:
        while not (found := await connections.of_engines(app.store, app.clock)):
            await app.clock.sleep(0.01)
        assert app.engine is not None
        (told,) = found
        assert (told.engine, told.environment) == (app.engine.around.name, Environment.PAPER)
        assert told.health == HEALTH
        assert told.hold_until is None
    assert await connections.of_engines(app.store, app.clock) == ()
