"""How much an engine has done since it began."""

from __future__ import annotations

import attrs


@attrs.define(eq=False)
class Tally:
    """Counts, for whatever watches over the program; nothing is decided by them.

    Attributes:
        turns: decisions of bots that were stored.
        placed: orders that the exchange has taken.
        refused: orders that it has surely not.
        unanswered: orders of which it was not known at first what became of them.
    """

    turns: int = 0
    placed: int = 0
    refused: int = 0
    unanswered: int = 0
