"""The exchange's limits are counted in fixed windows of its clock, such as minutes: how full the present one is."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import attrs

from dcacore.adapters.binance.reading import Row, integer_in, milliseconds_of, text_in

SECONDS: Final = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400}
WEIGHT, ORDERS, REQUESTS = "REQUEST_WEIGHT", "ORDERS", "RAW_REQUESTS"
_HEADER: Final = re.compile(r"x-mbx-(?P<what>used-weight|order-count)-(?P<number>\d+)(?P<unit>[smhd])", re.IGNORECASE)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_WHATS: Final = {"used-weight": WEIGHT, "order-count": ORDERS}


@attrs.frozen
class Limit:
    """How much of a kind there may be in each window.

    Attributes:
        kind: weight, requests or orders.
        seconds: how long a window is.
        most: how much.
    """

    kind: str
    seconds: int
    most: int


BEFORE_TOLD: Final = (Limit(WEIGHT, 60, 6000), Limit(REQUESTS, 300, 61_000), Limit(ORDERS, 10, 100))
"""What is believed until the exchange has told its own limits."""


def limits_of(rows: Iterable[Row]) -> tuple[Limit, ...]:
    """Return the limits that `exchangeInfo.rateLimits` tells; kinds and lengths that are not known are left out.

    Raises:
        Unreadable: a row lacks something.
    """
    return tuple(
        Limit(text_in(row, "rateLimitType"), seconds * integer_in(row, "intervalNum"), integer_in(row, "limit"))
        for row in rows
        if (seconds := SECONDS.get(str(row.get("interval")))) is not None
        and row.get("rateLimitType") in {WEIGHT, ORDERS, REQUESTS}
    )


def told_by(headers: Mapping[str, str]) -> Iterator[tuple[str, int, int]]:
    """Yield kind, seconds of the window, and count, as the headers of an answer tell them."""
    for name, value in headers.items():
        header = _HEADER.fullmatch(name)
        if header is not None and value.isascii() and value.isdigit():
            yield _WHATS[header["what"].lower()], int(header["number"]) * _UNITS[header["unit"].lower()], int(value)


@attrs.define
class Window:
    """The present window of one limit.

    Attributes:
        limit: of which.
        used: how much has been used up.
    """

    limit: Limit
    used: int = 0
    _number: int = 0

    def turn(self, now: datetime.datetime) -> None:
        """Begin with nothing if *now*, by the exchange's clock, lies in another window."""
        if not self.has(now):
            self._number, self.used = self._number_of(now), 0

    def has(self, time: datetime.datetime) -> bool:
        """Say whether *time*, by the exchange's clock, lies in the present window."""
        return self._number_of(time) == self._number

    def _number_of(self, time: datetime.datetime) -> int:
        return milliseconds_of(time) // (1000 * self.limit.seconds)

    def left_s(self, now: datetime.datetime) -> float:
        """Return how long the window lasts yet."""
        return self.limit.seconds - milliseconds_of(now) % (1000 * self.limit.seconds) / 1000

    def fits(self, amount: int, share: float) -> bool:
        """Say whether *amount* can be added while no more than *share* of the limit is used; a first one always can."""
        return self.used + amount <= self.limit.most * share or self.used == 0
