"""Where prices come from, and how that is told."""

from __future__ import annotations

from enum import Enum

import attrs


class Source(Enum):
    """What drives the markets."""

    NOTHING = "nothing"  # not yet
    LIVE = "live"
    WALK = "random walk"
    CANDLES = "candles"
    HAND = "hand"  # they stand until somebody moves them


@attrs.frozen
class Told:
    """What is told of it.

    Attributes:
        source: what drives the markets.
        reason: why; empty where that goes without saying.
        by_chance: the markets that wander all the same.
    """

    source: Source
    reason: str = ""
    by_chance: tuple[str, ...] = ()
