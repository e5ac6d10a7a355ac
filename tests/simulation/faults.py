"""What goes wrong with the program's own machine: its database, clock and process; and how likely all is."""

from __future__ import annotations

from enum import Enum
from random import Random
from typing import Final

from dcacore.adapters.simulated.faults import Fault, Plan


class MachineFault(Enum):
    """Something that goes wrong beside the exchange."""

    COMMIT_FAILED = "commit_failed"  # nothing is stored
    COMMIT_UNSURE = "commit_unsure"  # it is stored, and the program is told that it may not be
    DATABASE_READ_FAILED = "database_read_failed"
    DATABASE_GONE = "database_gone"  # for minutes
    DISK_FULL = "disk_full"  # reads work
    CLOCK_JUMP = "clock_jump"  # the machine's wall clock is wrong, until somebody sets it right
    PAUSE = "pause"  # the process stands still
    RESTART = "restart"  # it is stopped as it should be, and started again
    CRASH = "crash"  # it dies at any moment
    CRASH_BEFORE = "crash_before"  # it dies when it calls something, and the call does not happen
    CRASH_AFTER = "crash_after"  # ... and it does


ALL: Final[tuple[Enum, ...]] = (*Fault, *MachineFault)

_ORDERS: Final = (
    Fault.LOST_REQUEST,
    Fault.LOST_REPLY,
    Fault.LATE_REQUEST,
    Fault.OVERDUE_REQUEST,
    Fault.FAILED_AFTER,
    Fault.FAILED_BEFORE,
    Fault.SLOW_REPLY,
    Fault.HIDDEN_ORDER,
    Fault.OLDER_STATE,
    Fault.LAGGING_TRADES,
    Fault.EVENT_DROPPED,
    Fault.EVENT_TWICE,
    Fault.EVENT_LATE,
    Fault.EVENTS_SWAPPED,
)
_CHANCES: Final[dict[Enum, float]] = {
    **dict.fromkeys(_ORDERS, 0.06),
    # refusals out of nowhere stop a bot until its user has looked
    Fault.FILTER_REFUSAL: 0.01,
    Fault.BALANCE_REFUSAL: 0.01,
    # of any request
    Fault.RATE_LIMIT: 0.004,
    Fault.BAN: 0.001,
    Fault.CLOCK_DRIFT: 0.004,
    Fault.FAILED_READ: 0.03,
    # of any account event
    Fault.STREAM_DEAD: 0.02,
    Fault.STREAM_LOST: 0.02,
    # of any tick
    Fault.PRICES_SILENT: 0.003,
    Fault.PRICE_STALE: 0.01,
    Fault.PRICE_ABSURD: 0.0007,
    # of any step of mischief, each 10 s, by pair and by account
    Fault.PARTIAL_FILL: 0.02,
    Fault.THIN_MARKET: 0.01,
    Fault.ORDER_EXPIRED: 0.002,
    Fault.CANCEL_BY_HAND: 0.002,
    Fault.SALE_BY_HAND: 0.001,
    Fault.DEPOSIT_BY_HAND: 0.003,
    Fault.WICK: 0.004,
    Fault.GAP: 0.004,
    Fault.HALT: 0.002,
    Fault.RULE_CHANGE: 0.002,
    Fault.KEY_REVOKED: 0.002,
    # of any transaction
    MachineFault.COMMIT_FAILED: 0.01,
    MachineFault.COMMIT_UNSURE: 0.01,
    MachineFault.DATABASE_READ_FAILED: 0.003,
    # of any step of the machine's own mischief, each 10 s
    MachineFault.DATABASE_GONE: 0.004,
    MachineFault.DISK_FULL: 0.004,
    MachineFault.CLOCK_JUMP: 0.006,
    MachineFault.PAUSE: 0.01,
    MachineFault.RESTART: 0.006,
    MachineFault.CRASH: 0.01,
    # of any call of a port
    MachineFault.CRASH_BEFORE: 0.001,
    MachineFault.CRASH_AFTER: 0.001,
}


def swarm(chance: Random) -> Plan:
    """Return a plan in which a random half of all kinds strikes, each with a chance of its own."""
    chosen = [kind for kind in ALL if chance.random() < 0.5]
    return Plan({kind: _CHANCES[kind] * chance.uniform(0.2, 2) for kind in chosen})
