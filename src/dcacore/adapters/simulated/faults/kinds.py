"""The kinds of faults, how likely each is, and how often it has struck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import Enum
from random import Random

import attrs


class Fault(Enum):
    """Something that goes wrong."""

    # a request to place or cancel
    LOST_REQUEST = "lost_request"  # it never arrives
    LOST_REPLY = "lost_reply"  # it is carried out, and nobody hears of it
    LATE_REQUEST = "late_request"  # it arrives within its window, after the sender has given up
    OVERDUE_REQUEST = "overdue_request"  # it arrives beyond its window
    FAILED_AFTER = "failed_after"  # a server error, and it was carried out
    FAILED_BEFORE = "failed_before"  # a server error, and it was not
    SLOW_REPLY = "slow_reply"
    FILTER_REFUSAL = "filter_refusal"
    BALANCE_REFUSAL = "balance_refusal"  # out of nowhere
    # any request
    RATE_LIMIT = "rate_limit"
    BAN = "ban"
    CLOCK_DRIFT = "clock_drift"  # what is taken for the exchange's time is not
    # a read
    FAILED_READ = "failed_read"
    HIDDEN_ORDER = "hidden_order"  # reads do not know a new order for some seconds
    OLDER_STATE = "older_state"  # a read tells what was true some seconds ago
    LAGGING_TRADES = "lagging_trades"  # the newest trades are not told yet
    # account events
    EVENT_DROPPED = "event_dropped"
    EVENT_TWICE = "event_twice"
    EVENT_LATE = "event_late"
    EVENTS_SWAPPED = "events_swapped"
    STREAM_DEAD = "stream_dead"  # no events, and for long no word of it
    STREAM_LOST = "stream_lost"
    # prices
    PRICES_SILENT = "prices_silent"
    PRICE_STALE = "price_stale"
    PRICE_ABSURD = "price_absurd"
    # on the exchange itself
    PARTIAL_FILL = "partial_fill"
    THIN_MARKET = "thin_market"  # a market order fills in part and expires
    ORDER_EXPIRED = "order_expired"
    CANCEL_BY_HAND = "cancel_by_hand"
    SALE_BY_HAND = "sale_by_hand"
    DEPOSIT_BY_HAND = "deposit_by_hand"
    WICK = "wick"
    GAP = "gap"
    HALT = "halt"
    RULE_CHANGE = "rule_change"
    KEY_REVOKED = "key_revoked"


@attrs.frozen
class Plan:
    """How likely each kind is each time it could strike, 0 to 1; kinds that are left out never do."""

    chances: Mapping[Enum, float]

    @classmethod
    def swarm(cls, random: Random, kinds: Iterable[Enum] = Fault, *, most: float = 0.05, share: float = 0.5) -> Plan:
        """Return a plan in which about *share* of *kinds* strike, each with a chance of its own up to *most*."""
        chosen = [kind for kind in kinds if random.random() < share]
        return cls({kind: random.uniform(most / 10, most) for kind in chosen})


@attrs.define
class Dice:
    """Decides what strikes, and counts it.

    Attributes:
        random: where all chance comes from.
        plan: the chances.
        hits: how often each kind has struck.
        is_calm: nothing strikes any more.
    """

    random: Random
    plan: Plan
    hits: Counter[Enum] = attrs.field(factory=Counter)
    is_calm: bool = False

    def strikes(self, kind: Enum) -> bool:
        """Say whether *kind* strikes now, and count it if it does."""
        chance = self.plan.chances.get(kind, 0.0)
        if self.is_calm or not chance or self.random.random() >= chance:
            return False
        self.hits[kind] += 1
        return True

    def within(self, low: float, high: float) -> float:
        """Return a number between *low* and *high*."""
        return self.random.uniform(low, high)
