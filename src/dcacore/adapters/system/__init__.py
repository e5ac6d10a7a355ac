"""This machine's clock and chance: the only place that reads the one and makes ids of the other."""

from __future__ import annotations

import asyncio
import datetime
import secrets
import time
from typing import Final

from dcacore.ports.clock import Clock, Ids
from dcacore.ports.secrets import Draws

__all__ = ["RandomIds", "SystemClock", "SystemDraws"]

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_LENGTH: Final = 8
_SECRET_BYTES: Final = 32


class SystemClock(Clock):
    """This machine's clock."""

    def now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC)  # noqa: TID251  # this is the clock adapter

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class RandomIds(Ids):
    """Ids of 40 random bits: among 10,000 of them two are alike once in 20,000 databases, and then storing fails."""

    def new(self) -> str:
        return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


class SystemDraws(Draws):
    """Secrets of this machine's own chance."""

    def secret(self) -> str:
        return secrets.token_urlsafe(_SECRET_BYTES)
