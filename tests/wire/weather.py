"""What goes wrong on the exchange and on the way to it: faults of the local exchange, by chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

import attrs

from dcacore.adapters.simulated.hands import Hand
from dcacore.domain.errors import DcaError
from dcacore.domain.ids import AccountId
from dcacore.local_exchange.control.strikes import strike_now
from dcacore.local_exchange.errors import ApiError
from dcacore.local_exchange.faults.kinds import KINDS, Strikes, read_fault
from dcacore.local_exchange.site import Site

Told = dict[str, Any]
_ORDERS: Final = ("POST /api/v3/order", "DELETE /api/v3/order", "GET /api/v3/order")
_ASKED: Final = ("GET /api/v3/openOrders", "GET /api/v3/myTrades", "GET /api/v3/account", "GET /api/v3/order")
_SHORTLY: Final = "0.02"
"""Seconds of the machine; on the exchange seconds may go by meanwhile."""
_MENDED_AFTER_S: Final = (5, 90)


@attrs.frozen
class Climate:
    """What there is for things to go wrong with.

    Attributes:
        symbols: the markets.
        keys: the accounts.
        chance: decides.
    """

    symbols: tuple[str, ...]
    keys: tuple[str, ...]
    chance: Random

    @property
    def symbol(self) -> str:
        """One of the markets."""
        return self.chance.choice(self.symbols)

    @property
    def key(self) -> str:
        """One of the accounts."""
        return self.chance.choice(self.keys)

    @property
    def way(self) -> str:
        """A request that is struck."""
        return self.chance.choice((*_ORDERS, *_ORDERS, *_ASKED, "*"))

    @property
    def times(self) -> int:
        """How often."""
        return self.chance.choice((1, 1, 2, 4))


FAULTS: Final[Mapping[str, Callable[[Climate], Told]]] = {
    "refuse": lambda it: {"match": it.way, "times": it.times, "code": it.chance.choice((-1000, -1001, -1007, -1021))},
    "fail_before": lambda it: {"match": it.way, "times": it.times},
    "fail_after": lambda it: {"match": it.way, "times": it.times, "status": it.chance.choice((500, 502, 503))},
    "drop_before": lambda it: {"match": it.way, "times": it.times},
    "drop_after": lambda it: {"match": it.way, "times": it.times},
    "delay": lambda it: {"match": it.way, "times": it.times, "seconds": _SHORTLY},
    "delay_after": lambda it: {"match": it.way, "times": it.times, "seconds": _SHORTLY},
    "rate_limit": lambda it: {"match": it.way, "retry_after": it.chance.choice((1, 10, 40))},
    "ban": lambda it: {"match": it.way, "retry_after": it.chance.choice((5, 120))},
    "waf": lambda it: {"match": it.way},
    "garbage": lambda it: {"match": it.way, "times": it.times},
    "event_lost": lambda it: {"times": it.times},
    "event_twice": lambda it: {"times": it.times},
    "events_swapped": lambda it: {"times": it.times},
    "event_late": lambda it: {"times": it.times, "seconds": _SHORTLY},
    "clock_skew": lambda it: {"ms": it.chance.choice((-70_000, -3_000, 800, 4_000, 30_000))},
    "close_streams": lambda it: {"which": it.chance.choice(("market", "user", "all"))},
    "abort_streams": lambda it: {"which": it.chance.choice(("market", "user", "all"))},
    "server_shutdown": lambda it: {"which": it.chance.choice(("market", "user", "all"))},
    "stop_events": lambda _: {},
    "partial_fill": lambda it: {"symbol": it.symbol, "apiKey": it.key, "quantity": "0.001"},
    "expire_order": lambda it: {"symbol": it.symbol, "apiKey": it.key},
    "thin_market": lambda it: {"symbol": it.symbol, "share": it.chance.choice(("0", "0.3", "0.9"))},
    "symbol_status": lambda it: {"symbol": it.symbol, "status": it.chance.choice(("HALT", "BREAK"))},
    "balance_taken": lambda it: {"apiKey": it.key, "asset": it.chance.choice(("USDT", "USDT", "BTC", "ETH"))},
    "revoke_key": lambda it: {"apiKey": it.key},
    "disable_account": lambda it: {"apiKey": it.key},
}
"""Every kind but the emptied testnet: on an exchange that is none, it is a theft."""
BY_HAND: Final = "the user cancels an order"


@attrs.define
class Weather:
    """Faults, each as it comes.

    Attributes:
        site: the exchange.
        climate: what goes wrong with it.
        every_s: seconds between two faults on average.
        kinds: the faults; a random half of all unless given.
    """

    site: Site
    climate: Climate
    every_s: float
    kinds: tuple[str, ...] = ()
    _mends: list[tuple[int, Told]] = attrs.field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        chance = self.climate.chance
        half = tuple(kind for kind in (*FAULTS, BY_HAND) if chance.random() < 0.5)
        self.kinds = self.kinds or half or (BY_HAND,)

    def blow(self, second: int) -> None:
        """Let something go wrong, or not, in this *second*, and mend what has been wrong for long enough."""
        chance = self.climate.chance
        for due, told in [mend for mend in self._mends if mend[0] <= second]:
            self._mends.remove((due, told))
            self._strike(told)
        if chance.random() >= 1 / self.every_s:
            return
        kind = chance.choice(self.kinds)
        if kind == BY_HAND:
            self._cancel_one()
            return
        told = {"kind": kind, **FAULTS[kind](self.climate)}
        self._strike(told)
        mend = _mend_of(told)
        if mend is not None:
            self._mends.append((second + chance.randint(*_MENDED_AFTER_S), mend))

    def calm_down(self) -> None:
        """Let nothing be wrong any more, but for what has been taken."""
        self.site.desk.clear()
        for _, told in self._mends:
            self._strike(told)
        self._mends.clear()
        for symbol in self.climate.symbols:
            self.site.exchange.pair(symbol).found = None

    def _strike(self, told: Told) -> None:
        fault = read_fault(told)
        if KINDS[fault.kind].strikes is not Strikes.NOW:
            self.site.desk.add(fault)
            return
        try:
            strike_now(self.site, fault)
        except (DcaError, ApiError):
            return  # there is no such order just now

    def _cancel_one(self) -> None:
        account = AccountId(self.climate.key)
        resting = sorted(self.site.exchange.account(account).open.values(), key=lambda it: it.venue_order_id)
        if resting:
            order = self.climate.chance.choice(resting)
            Hand(self.site.exchange.venue, account).cancel(order.pair, order.venue_order_id)


def _mend_of(told: Told) -> Told | None:
    """Return what mends a fault that lasts; None for one that does not."""
    match told["kind"]:
        case "clock_skew":
            return {**told, "ms": 0}
        case "symbol_status":
            return {**told, "status": "TRADING"}
        case "revoke_key" | "disable_account":
            return {**told, "restore": True}
        case _:
            return None
