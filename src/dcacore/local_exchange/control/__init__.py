"""The control interface, for those who test with this exchange."""

from dcacore.local_exchange.control.actions import POSTS
from dcacore.local_exchange.control.routes import control_handlers

__all__ = ["POSTS", "control_handlers"]
