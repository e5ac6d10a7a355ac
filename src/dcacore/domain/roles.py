"""What the orders of a deal are for, and the letter that says so in their ids."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Role(Enum):
    """What an order is for."""

    BASE = "base"
    SAFETY = "safety"
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    CLOSE = "close"
    EXTRA = "extra"  # a buy that the user added by hand


LEGS: Final = {
    Role.BASE: "b",
    Role.SAFETY: "s",  # followed by the number of the safety order
    Role.TAKE_PROFIT: "t",
    Role.STOP_LOSS: "l",
    Role.CLOSE: "c",
    Role.EXTRA: "x",
}
"""How the id of an order names its role: an exchange gives ids 36 characters."""

BUYS: Final = frozenset({Role.BASE, Role.SAFETY, Role.EXTRA})
"""The roles of orders that buy."""
