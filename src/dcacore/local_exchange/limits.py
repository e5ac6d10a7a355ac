"""How much a client may ask: fixed windows of the clock for weight and requests by address, for orders by account."""

from __future__ import annotations

from typing import Final

import attrs

from dcacore.local_exchange.errors import BANNED, ApiError, error
from dcacore.local_exchange.windows import CONNECTIONS, ORDERS, RAW, WEIGHT, Count

PATIENCE: Final = 50
"""Refused requests of one window after which an address is banned."""
FIRST_BAN_MS: Final = 120_000
LONGEST_BAN_MS: Final = 3 * 86_400_000


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
