"""The control interface, for those who test with this exchange."""

from dcacore.local_exchange.control.actions import PAIR, POSTS
from dcacore.local_exchange.control.routes import changing_handler, control_handlers

__all__ = ["PAIR", "POSTS", "changing_handler", "control_handlers"]
