"""What is said over a connection that is kept open, whatever it is for."""

from __future__ import annotations

from typing import Final, Protocol

from dcacore.adapters.binance.link import Link
from dcacore.adapters.binance.reading import Row

SHUTDOWN: Final = "serverShutdown"


class Talk(Protocol):
    """What is said over a connection that is kept open."""

    def url(self) -> str:
        """Return where to connect."""

    async def greet(self, link: Link) -> None:
        """Say what has to be said first.

        Raises:
            Dead, Unavailable: it is no good; another connection will be tried.
            BadCredentials: no other will be any better.
        """

    async def attend(self, link: Link) -> None:
        """See for as long as the connection lasts that it is alive, and raise `Dead` when it is not."""

    def hear(self, link: Link, frame: Row) -> None:
        """Take in a frame."""

    def bad_frame(self) -> None:
        """Take note of a frame that cannot be read."""

    def up(self) -> None:
        """Learn that the connection is open, and nothing was open before."""

    def down(self, reason: str) -> None:
        """Learn that none is open any more."""


def is_shutdown(frame: Row) -> bool:
    """Say whether *frame* tells that the exchange will close the connection, in any of the three ways it is put."""
    for inner in (frame, frame.get("data"), frame.get("event")):
        if isinstance(inner, dict) and inner.get("e") == SHUTDOWN:
            return True
    return False
