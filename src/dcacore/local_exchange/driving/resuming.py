"""Where candles go on after a restart: behind the point that was reached last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dcacore.adapters.simulated.wire import pack, unpack
from dcacore.local_exchange.driving.points import Point, Position
from dcacore.local_exchange.driving.state import BadState, VenueState

NOTE: Final = "drive"


def position(state: VenueState) -> Position | None:
    """Return which point was reached last; None when none was.

    Raises:
        BadState: what is noted of it makes no sense.
    """
    noted = state.notes.get(NOTE)
    try:
        return None if noted is None else unpack(noted, Position)
    except ValueError as error:
        message = "the state does not say where the candles go on"
        raise BadState(message) from error


def noting(state: VenueState) -> Callable[[Point], None]:
    """Return what a `Stepper` or a `Player` tells of each point that it has reached: it is kept."""

    def note(point: Point) -> None:
        state.note(NOTE, pack(Position.of(point)))
        state.keep()

    return note
