"""Prices that move by themselves: a random walk that a seed decides, and that goes on where a restart left it."""

from __future__ import annotations

import asyncio
from random import Random

import attrs

from dcacore.adapters.simulated.process.service import VenueService
from dcacore.domain.money import exact, plain

_STEP = 0.0008
"""The usual move from one price to the next, as a fraction."""


@attrs.define
class Walk:
    """Moves every listed pair once an interval."""

    service: VenueService
    seed: int
    interval: float

    async def run(self) -> None:
        """Go on for ever; a journal without room makes the market stand still until there is some again."""
        moves = 0
        started_at = self.service.venue.now().isoformat()
        random = Random(f"{self.seed} {started_at}")  # noqa: S311  # nobody's secret
        while True:
            await asyncio.sleep(self.interval)
            moves += 1
            for pair in self.service.venue.pairs:
                try:
                    self.step(pair, random)
                except OSError:
                    continue

    @exact
    def step(self, pair: str, random: Random) -> None:
        """Move one pair."""
        state = self.service.venue.pair(pair)
        tick = state.market.tick_size
        if state.price is None:
            return
        ticks = int(state.price // tick)
        ticks = max(1, ticks + round(ticks * random.gauss(0, _STEP)))
        params = {"pair": pair, "price": plain(ticks * tick)}
        self.service.handle("act", {"name": "move", "params": params})
