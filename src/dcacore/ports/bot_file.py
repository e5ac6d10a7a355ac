"""A bot as its file describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import attrs

from dcacore.domain.market import Fees
from dcacore.domain.numbers import Number
from dcacore.domain.strategy import Strategy


@attrs.frozen(kw_only=True)
class BotFile:
    """What a bot file says.

    Attributes:
        file: its name as the user gave it, for messages.
        name: the bot's name; the file's without its ending, unless the file gives one.
        strategy: the parameters.
        market: what it says of the market, by the names of `Market`: any part of the rules, or nothing.
        fees: what the account pays; the defaults, unless the file gives others.
    """

    file: str
    name: str
    strategy: Strategy
    market: Mapping[str, Number]
    fees: Fees


class ReadBot(Protocol):
    """Reads a bot file."""

    def __call__(self, path: str) -> BotFile:
        """Return what the file at *path* says.

        Raises:
            BadFile: it cannot be read, or something in it is missing, unknown or out of range.
        """
