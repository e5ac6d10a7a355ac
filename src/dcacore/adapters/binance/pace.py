"""How long everything about a stream may take: one value, so that a test can hurry."""

from __future__ import annotations

import random
from typing import Final

import attrs

DIALS: Final = 250
DIALS_WITHIN_S: Final = 300
"""Fewer connections are tried in five minutes than the 300 that the exchange allows an address."""


@attrs.frozen(kw_only=True)
class Pace:
    """Durations in seconds, and how many connections may be tried.

    Attributes:
        opens_within: a connection that is not there by then has failed.
        answers_within: a message over a connection that is not answered by then was sent into a dead one.
        first_pause: before a connection is tried again, at first ...
        longest_pause: ... and at last; each pause is twice the one before, less up to a half by chance.
        steady_after: a connection that lasted so long was a good one: the next pause is the first one again.
        renew_after: the exchange cuts a connection after 24 hours; it is replaced before.
        overlap: how long the one that is replaced is listened to yet.
        looks_every: how often the account's stream is asked whether it still is one.
        heartbeat: how often the price stream is, and how often a quiet pair is said to be alive.
        quiet_after: a pair without a trade for so long is asked for beside its stream.
        between_messages: the exchange takes five messages a second over a connection.
        dials: so many connections are tried in five minutes at most, all accounts together.
    """

    opens_within: float = 10
    answers_within: float = 10
    first_pause: float = 0.5
    longest_pause: float = 30
    steady_after: float = 60
    renew_after: float = 23 * 3600
    overlap: float = 5
    looks_every: float = 20
    heartbeat: float = 4
    quiet_after: float = 30
    between_messages: float = 0.25
    dials: int = DIALS

    def pause(self, failures: int, chance: random.Random) -> float:
        """Return how long to wait after so many failures in a row."""
        longest = min(self.longest_pause, self.first_pause * float(2 ** min(failures, 20)))
        return longest * chance.uniform(0.5, 1)
