"""The words for orders, exits, sums and times in sentences for people."""

from __future__ import annotations

import datetime
from decimal import Decimal
from enum import Enum
from typing import Final

import attrs

from dcacore.domain.deal import Deal, Exit
from dcacore.domain.market import Market
from dcacore.domain.money import Quotient, plain
from dcacore.domain.orders import Order, Role
from dcacore.domain.strategy import Strategy

ROLE_WORDS: Final = {
    Role.BASE: "base order",
    Role.SAFETY: "safety order",
    Role.TAKE_PROFIT: "take profit order",
    Role.STOP_LOSS: "stop loss order",
    Role.CLOSE: "close order",
    Role.EXTRA: "extra buy",
}
"""What a user reads for a role; a safety order's number follows."""

EXIT_WORDS: Final = {
    Exit.TAKE_PROFIT: "take profit",
    Exit.TRAILING_TAKE_PROFIT: "trailing take profit",
    Exit.STOP_LOSS: "stop loss",
    Exit.CLOSE: "its user",
    Exit.CANCEL: "its user",
    Exit.RESET: "a reset of the testnet",
    Exit.SOLD_BY_HAND: "a sale by hand",
}
"""By what a deal is closed."""

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def describe(order: Order) -> str:
    """Return the words a user reads for *order*."""
    words = ROLE_WORDS[order.role]
    return f"{words} {order.rung}" if order.role is Role.SAFETY else words


def describe_in(deal: Deal, order: Order) -> str:
    """Return the words for *order* of *deal*: for a safety order also how many there may be."""
    return describe(order) + (f" of {len(deal.rungs)}" if 0 < order.rung <= len(deal.rungs) else "")


def in_base(market: Market, quantity: Decimal) -> str:
    """Return *quantity* with the name of the base asset."""
    return f"{plain(quantity)} {market.base_asset}"


def in_quote(market: Market, amount: Decimal) -> str:
    """Return *amount* with the name of the quote asset."""
    return f"{plain(amount)} {market.quote_asset}"


def average(numerator: Decimal, denominator: Decimal) -> str:
    """Return an average price as it is shown."""
    return plain(Quotient(numerator, denominator).rounded())


def lasting(duration: datetime.timedelta) -> str:
    """Return *duration* by its two largest units, such as "2 h 5 min"."""
    left, parts = max(0, int(duration.total_seconds())), []
    for seconds, unit in _UNITS:
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def clock(at: datetime.datetime) -> str:
    """Return *at* as it is shown: UTC, to the second."""
    return f"{at.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"


def changes_between(before: Strategy | Market, after: Strategy | Market) -> str:
    """Return what *after* has otherwise, such as "take_profit from 10 to 5"; empty when nothing differs."""
    old, new = _shown(before), _shown(after)
    return ", ".join(f"{name} from {value} to {new[name]}" for name, value in old.items() if value != new[name])


def _shown(parameters: Strategy | Market) -> dict[str, str]:
    shown: dict[str, object] = attrs.asdict(parameters, recurse=False)
    return {name: _text(value) for name, value in shown.items()}


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    return str(value.value if isinstance(value, Enum) else "all" if value is None else value)
