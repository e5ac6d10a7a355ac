"""Where faults wait until what they strike comes along."""

from __future__ import annotations

import copy
from typing import Any

import attrs

from dcacore.local_exchange.faults.kinds import KINDS, Fault, Strikes

Event = dict[str, Any]


@attrs.frozen
class Delivery:
    """An event that is told after so many seconds."""

    event: Event
    after: float = 0.0


@attrs.define
class FaultDesk:
    """All faults that wait.

    Attributes:
        struck: how often each kind has struck.
    """

    struck: dict[str, int] = attrs.field(factory=dict)
    _waiting: list[Fault] = attrs.field(factory=list)
    _held: dict[str, list[Event]] = attrs.field(factory=dict)

    def add(self, fault: Fault) -> None:
        """Let a fault wait."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._waiting.clear()
        self._held.clear()

    @property
    def waiting(self) -> tuple[Fault, ...]:
        """Those that wait, oldest first."""
        return tuple(self._waiting)

    def strike(self, when: Strikes, label: str, key: str) -> Fault | None:
        """Return the fault that strikes a request or an event; None when none does."""
        for fault in self._waiting:
            if KINDS[fault.kind].strikes is when and fault.strikes(label, key):
                self._count(fault)
                return fault
        return None

    def spoil(self, key: str, events: list[Event]) -> list[Delivery]:
        """Return what an account is told instead of *events*."""
        told: list[Delivery] = []
        for event in events:
            fault = self._strike_event(event, key)
            if fault is not None and fault.kind == "events_swapped":
                self._held.setdefault(key, []).append(event)
                continue
            told.extend(_spoiled(event, fault))
            told.extend(Delivery(held) for held in self._held.pop(key, ()))
        return told

    def _strike_event(self, event: Event, key: str) -> Fault | None:
        if not self._waiting:
            return None
        for fault in self._waiting:
            if KINDS[fault.kind].strikes is not Strikes.EVENT:
                continue
            if fault.options["event"] in {"", event["e"], event.get("x")} and fault.strikes(event["e"], key):
                self._count(fault)
                return fault
        return None

    def _count(self, fault: Fault) -> None:
        self.struck[fault.kind] = self.struck.get(fault.kind, 0) + 1
        if fault.times == 0:
            self._waiting.remove(fault)


def _spoiled(event: Event, fault: Fault | None) -> list[Delivery]:
    match fault.kind if fault is not None else None:
        case "event_lost":
            return []
        case "event_twice":
            return [Delivery(event), Delivery(copy.deepcopy(event))]
        case "event_late" if fault is not None:
            return [Delivery(event, fault.seconds())]
        case _:
            return [Delivery(event)]
