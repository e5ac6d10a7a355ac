"""What time it is on the exchange: that of the machine, or that of the data while steps are made by hand."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import attrs


@attrs.define
class ExchangeClock:
    """The clock that a venue is built with: `SimulatedVenue(clock.now)`.

    Attributes:
        wall: the machine's time, aware and in UTC.
        stands_at: the time of the data, where the clock stands still; None while it runs.
    """

    wall: Callable[[], datetime.datetime]
    stands_at: datetime.datetime | None = None

    def now(self) -> datetime.datetime:
        """Return the exchange's time."""
        return self.wall() if self.stands_at is None else self.stands_at

    @property
    def is_running(self) -> bool:
        """Whether time passes by itself.

        Where it does not, one step may be a minute: no client can know what time it is, and a request must not be
        refused for the time that it bears.
        """
        return self.stands_at is None
