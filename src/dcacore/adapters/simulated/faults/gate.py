"""The exchange's doorman: all requests of one address come through it, and it may shut."""

from __future__ import annotations

import datetime

import attrs

from dcacore.adapters.simulated.faults.kinds import Dice, Fault
from dcacore.ports.clock import Clock
from dcacore.ports.errors import RateLimited


@attrs.define
class Gate:
    """Lets requests through, or nobody for a while.

    Attributes:
        clock: times the bans.
        dice: decides when it shuts.
        requests: how many have come.
        violations: how many came while it was shut and known to be.
    """

    clock: Clock
    dice: Dice
    requests: int = attrs.field(default=0, init=False)
    violations: int = attrs.field(default=0, init=False)
    _shut_until: datetime.datetime | None = attrs.field(default=None, init=False)

    @property
    def is_shut(self) -> bool:
        """Whether no request is let through now."""
        return self._shut_until is not None and not self.dice.is_calm and self.clock.now() < self._shut_until

    def enter(self) -> None:
        """Let a request through.

        Raises:
            RateLimited: not now; whoever comes again before its time counts as a violation.
        """
        self.requests += 1
        if self.is_shut and self._shut_until is not None:
            self.violations += 1
            raise RateLimited(self._shut_until)
        if self.dice.strikes(Fault.RATE_LIMIT):
            self._shut(self.dice.within(1, 60))
        if self.dice.strikes(Fault.BAN):
            self._shut(self.dice.within(120, 300))

    def _shut(self, seconds: float) -> None:
        self._shut_until = self.clock.now() + datetime.timedelta(seconds=seconds)
        raise RateLimited(self._shut_until)
