"""A call: who asks what, and what an endpoint is."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any

import attrs

from dcacore.adapters.simulated.account import Account
from dcacore.local_exchange.clock import from_ms
from dcacore.local_exchange.errors import ApiError, error
from dcacore.local_exchange.exchange import LocalExchange
from dcacore.local_exchange.params import Params
from dcacore.local_exchange.signing import Signed
from dcacore.local_exchange.timing import check_timing


class Security(Enum):
    """What a call has to bring along."""

    NONE = "nothing"
    SIGNED = "a key, a time and a signature"  # TRADE, USER_DATA and USER_STREAM alike


@attrs.frozen(kw_only=True)
class Call:
    """One call.

    Attributes:
        exchange: where.
        params: what it says.
        key: whose, when it is signed.
        sent_at: when it was sent, as it says itself; now when it is not signed, or when time does not pass.
        recv_window: for how long it is good.
    """

    exchange: LocalExchange
    params: Params
    key: str = ""
    sent_at: datetime.datetime | None = None
    recv_window: datetime.timedelta = datetime.timedelta(0)

    @property
    def account(self) -> Account:
        """The account of the key."""
        return self.exchange.account(self.key)

    @property
    def symbol(self) -> str:
        """The symbol that it has to name.

        Raises:
            ApiError: it names none, or one that there is not.
        """
        symbol = self.params.need("symbol", "symbol")
        self.exchange.pair(symbol)
        return symbol


Answer = Callable[[Call], Any]
Weight = int | Callable[[Params], int]


@attrs.frozen
class Endpoint:
    """What can be asked.

    Attributes:
        answer: returns the answer's body.
        weight: what it costs.
        security: what it has to bring along.
        is_order: it places an order: that counts, and costs nothing when it is done.
        is_free: it costs nothing when it is done.
    """

    answer: Answer
    weight: Weight
    security: Security = Security.NONE
    is_order: bool = False
    is_free: bool = False

    def weighs(self, params: Params) -> int:
        """Return what a call with *params* costs: 1 if they make no sense, for which it is then refused."""
        try:
            return self.weight(params) if callable(self.weight) else self.weight
        except ApiError:
            return 1


def prepare(exchange: LocalExchange, endpoint: Endpoint, params: Params, key: str, request: Signed) -> Call:
    """Return the call, checked as far as its security goes.

    Raises:
        ApiError: it may not be made.
    """
    if endpoint.security is Security.NONE:
        return Call(exchange=exchange, params=params)
    if not key:
        raise error(-2014)
    if not request.signature:
        raise error(-1102, name="signature")
    sent_at, window = _timing(exchange, params)
    exchange.keys.check(key, request)
    if exchange.account(key).is_revoked:
        raise error(-2015)
    return Call(exchange=exchange, params=params, key=key, sent_at=sent_at, recv_window=window)


def _timing(exchange: LocalExchange, params: Params) -> tuple[datetime.datetime, datetime.timedelta]:
    clock = exchange.clock
    if not clock.is_running:
        params.need("timestamp")
        return clock.now(), datetime.timedelta(minutes=1)
    at, window = check_timing(params, clock.ms())
    return from_ms(at), datetime.timedelta(microseconds=int(window * Decimal(1_000)))


def unforeseen() -> ApiError:
    """Return what a mistake of the exchange's own is answered with."""
    return error(-1000)
