"""How much a client may ask: fixed windows of the clock for weight and requests by address, for orders by account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from dcacore.local_exchange.errors import BANNED, ApiError, error

_SECONDS: Final[Mapping[str, int]] = {"SECOND": 1, "MINUTE": 60, "HOUR": 3_600, "DAY": 86_400}
PATIENCE: Final = 50
"""Refused requests of one window after which an address is banned."""
FIRST_BAN_MS: Final = 120_000
LONGEST_BAN_MS: Final = 3 * 86_400_000


@attrs.frozen
class Limit:
    """One entry of `exchangeInfo.rateLimits`."""

    kind: str
    interval: str
    number: int
    limit: int

    @property
    def window_ms(self) -> int:
        """How long its window is."""
        return _SECONDS[self.interval] * self.number * 1_000

    @property
    def suffix(self) -> str:
        """What a header calls its window."""
        return f"{self.number}{self.interval[0]}"

    @property
    def per(self) -> str:
        """What a text calls its window."""
        return f"{self.number} {self.interval}"

    def told(self) -> dict[str, object]:
        """Return it as `exchangeInfo` shows it."""
        return {
            "rateLimitType": self.kind,
            "interval": self.interval,
            "intervalNum": self.number,
            "limit": self.limit,
        }


WEIGHT: Final = Limit("REQUEST_WEIGHT", "MINUTE", 1, 6_000)
RAW: Final = Limit("RAW_REQUESTS", "MINUTE", 5, 300_000)
ORDERS: Final = (Limit("ORDERS", "SECOND", 10, 100), Limit("ORDERS", "DAY", 1, 200_000))
CONNECTIONS: Final = Limit("CONNECTIONS", "MINUTE", 5, 300)
"""Attempts to open a WebSocket, by address (web-socket-streams.md); `exchangeInfo` does not show it."""
LIMITS: Final = (WEIGHT, *ORDERS, RAW)


@attrs.define
class Count:
    """What was used in the window that began at *since* ms; windows begin when the clock says so, and do not slide."""

    limit: Limit
    since: int = 0
    used: int = 0
    refused: int = 0

    def at(self, now: int) -> Count:
        """Return it as it stands at *now*."""
        since = now - now % self.limit.window_ms
        if since != self.since:
            self.since, self.used, self.refused = since, 0, 0
        return self

    def seconds_left(self, now: int) -> int:
        """Return for how long the window goes on, at least 1."""
        return max(1, -(-(self.since + self.limit.window_ms - now) // 1_000))


@attrs.define
class _Address:
    weight: Count = attrs.field(factory=lambda: Count(WEIGHT))
    raw: Count = attrs.field(factory=lambda: Count(RAW))
    connections: Count = attrs.field(factory=lambda: Count(CONNECTIONS))
    banned_until: int = 0
    next_ban_ms: int = FIRST_BAN_MS


@attrs.define
class Limits:
    """All counts.

    Attributes:
        are_on: nothing is refused when they are off; it is counted all the same.
    """

    are_on: bool = True
    _addresses: dict[str, _Address] = attrs.field(factory=dict, init=False)
    _orders: dict[str, tuple[Count, ...]] = attrs.field(factory=dict, init=False)

    def request(self, address: str, weight: int, now: int) -> None:
        """Count a request.

        Raises:
            ApiError: -1003 with HTTP 429 and `Retry-After`; with 418 for one who does not stop.
        """
        known = self._address(address)
        counts = (known.weight.at(now), known.raw.at(now))
        if self.are_on and known.banned_until > now:
            raise banned(known.banned_until, now)
        for count, used in zip(counts, (weight, 1), strict=True):
            count.used += used
            if self.are_on and count.used > count.limit.limit:
                self._refuse(known, count, now)

    def may_connect(self, address: str, now: int) -> bool:
        """Count an attempt to open a WebSocket, and say whether it may succeed."""
        count = self._address(address).connections.at(now)
        count.used += 1
        return not self.are_on or count.used <= count.limit.limit

    def ban(self, address: str, seconds: int, now: int) -> None:
        """Ban an address."""
        self._address(address).banned_until = now + 1_000 * seconds

    def give_back(self, address: str, weight: int) -> None:
        """Count *weight* less: an order that was taken weighs nothing."""
        count = self._address(address).weight
        count.used = max(0, count.used - weight)

    def used_weight(self, address: str, now: int) -> int:
        """Return the weight of this minute."""
        return self._address(address).weight.at(now).used

    def check_order(self, key: str, now: int) -> None:
        """Refuse another order of one who has too many unfilled ones.

        Raises:
            ApiError: -1015.
        """
        for count in self.orders(key, now):
            if self.are_on and count.used >= count.limit.limit:
                refusal = error(-1015, limit=count.limit.limit, per=count.limit.per)
                refusal.headers = {"Retry-After": str(count.seconds_left(now))}
                raise refusal

    def orders(self, key: str, now: int) -> tuple[Count, ...]:
        """Return the counts of an account's orders."""
        counts = self._orders.get(key)
        if counts is None:
            counts = self._orders[key] = tuple(Count(limit) for limit in ORDERS)
        return tuple(count.at(now) for count in counts)

    def placed(self, key: str, now: int) -> None:
        """Count an order."""
        for count in self.orders(key, now):
            count.used += 1

    def filled(self, key: str, now: int) -> None:
        """Count an order less: it has its first fill (rest-api.md, "Unfilled Order Count")."""
        for count in self.orders(key, now):
            count.used = max(0, count.used - 1)

    def forget(self) -> None:
        """Let everybody begin anew."""
        self._addresses.clear()
        self._orders.clear()

    def _address(self, address: str) -> _Address:
        return self._addresses.setdefault(address, _Address())

    def _refuse(self, known: _Address, count: Count, now: int) -> None:
        count.refused += 1
        if count.refused > PATIENCE:
            known.banned_until = now + known.next_ban_ms
            known.next_ban_ms = min(2 * known.next_ban_ms, LONGEST_BAN_MS)
            raise banned(known.banned_until, now)
        refusal = error(-1003, limit=count.limit.limit, per=count.limit.per)
        refusal.headers = {"Retry-After": str(count.seconds_left(now))}
        raise refusal


def banned(until: int, now: int) -> ApiError:
    """Return what a banned address hears."""
    seconds = max(1, -(-(until - now) // 1_000))
    return ApiError(-1003, BANNED.format(until=until), 418, {"Retry-After": str(seconds)})
