"""What an exchange keeps on disk: markets, accounts, balances, orders and fills, and whatever else it has to note.

The file is a journal of records by key; the last one of each key counts. `keep` writes those that have changed, and
whoever answers a request calls it before the answer goes out: what was acknowledged is on disk. At the start, and when
the journal has grown to many times of what is in it, it is written anew.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from dcacore.adapters.simulated import snapshot
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.domain.errors import DcaError
from dcacore.domain.ids import AccountId
from dcacore.domain.venue import VenueOrderId
from dcacore.local_exchange.driving.journal import Entry, Journal
from dcacore.ports.exchange import AccountEvent, OrderChanged

_NAME: Final = "kept"
_NOTE: Final = "note:"
_PRICE: Final = "price:"
_OFTEN: Final = (_PRICE, f"{_NOTE}drive")
"""Keys that change all the time and that nobody is told to be kept: they outlast a kill, not a loss of power."""
_BEGINS: Final = b'{"at":'
LEAST_REWRITTEN: Final = 2**24
GROWN: Final = 4
"""A journal is written anew when it has this many times its first length, and so many bytes at least."""


class BadState(DcaError):
    """The file is not the state of an exchange."""


class VenueState:
    """Keeps a venue in a file."""

    def __init__(self, file: Path, venue: SimulatedVenue) -> None:
        """Bring *venue*, which has just been built, to where *file* says; without a file it stays as it is.

        Raises:
            JournalInUse: another exchange has the file.
            BadState: it is something else.
            OSError: it cannot be read or written.
        """
        self._venue = venue
        self._journal = Journal(file)
        self._written: dict[str, str] = {}  # by key, as JSON: what the file says
        self._notes: dict[str, Any] = {}
        self._changed: set[tuple[AccountId, VenueOrderId]] = set()
        self._heard: set[AccountId] = set()
        self._stood: dict[AccountId, snapshot.Stand] = {}  # as is written
        self._first_size = 0
        self.last_at: datetime.datetime | None = None
        try:
            records = self._read()
            self._notes = {key.removeprefix(_NOTE): it for key, it in records.items() if key.startswith(_NOTE)}
            snapshot.load(venue, records)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            self._journal.close()
            message = f"{file.name} is not the state of an exchange"
            raise BadState(message) from error
        for name in venue.accounts:
            self._hear(name)
            self._changed.clear()
        self._rewrite()

    @property
    def notes(self) -> Mapping[str, Any]:
        """What has been noted, by name."""
        return MappingProxyType(self._notes)

    def note(self, name: str, value: object) -> None:
        """Keep *value*, which JSON can carry, under *name*; it is written with the next `keep`."""
        self._notes[name] = value

    def keep(self) -> None:
        """Write what has changed; return when it is on disk.

        Raises:
            OSError: it cannot be written: what was done must not be acknowledged.
        """
        for name in self._venue.accounts:
            if name not in self._heard:
                self._hear(name)
        moved = self._moved()
        fresh = {}
        for key, value in self._now(moved):
            line = json.dumps(value, separators=(",", ":"))
            if self._written.get(key) != line:
                fresh[key] = (line, value)
        if fresh:
            is_synced = not all(key.startswith(_OFTEN) for key in fresh)
            params = {key: value for key, (_, value) in fresh.items()}
            self.last_at = self._venue.now()
            self._journal.append(Entry(self.last_at.isoformat(), _NAME, params), is_synced=is_synced)
            self._written.update({key: line for key, (line, _) in fresh.items() if not _is_final(key)})
        self._stood.update(moved)
        self._changed.clear()
        if self._journal.size > max(LEAST_REWRITTEN, GROWN * self._first_size):
            self._rewrite()

    def close(self) -> None:
        """Let go of the file, with all that has changed in it."""
        self.keep()
        self._journal.close()

    def _moved(self) -> Mapping[AccountId, snapshot.Stand]:
        """Return how the accounts stand that stand otherwise than is written: to look is much less than to write."""
        stands = {name: snapshot.stand(self._venue.account(name)) for name in self._venue.accounts}
        return {name: stand for name, stand in stands.items() if self._stood.get(name) != stand}

    def _now(self, moved: Mapping[AccountId, snapshot.Stand]) -> Iterator[snapshot.Record]:
        """Yield what may have changed since the last time."""
        venue = self._venue
        yield from snapshot.markets(venue)
        for name, stand in moved.items():
            yield snapshot.account(name, stand)
            before = self._stood.get(name)
            since = before.transfers if before is not None and before.resets == stand.resets else 0
            yield from snapshot.transfers(venue.account(name), since)
        for name, order_id in sorted(self._changed):
            held = venue.account(name)
            kept = held.by_number(order_id)
            if kept is not None:
                yield snapshot.order(held, kept)
        yield from ((_NOTE + name, value) for name, value in self._notes.items())

    def _hear(self, name: AccountId) -> None:
        """Note from now on which orders of an account change, and that all it has are new."""
        held = self._venue.account(name)
        self._heard.add(name)

        def changed(event: AccountEvent) -> None:
            if isinstance(event, OrderChanged):
                self._changed.add((name, event.order.venue_order_id))

        held.listeners.insert(0, changed)
        self._changed.update((name, kept.venue_order_id) for kept in held.orders)

    def _read(self) -> Mapping[str, Any]:
        with self._journal.file.open("rb") as lines:
            if lines.read(len(_BEGINS)) not in {b"", _BEGINS}:  # nothing of it may be cut off for a torn line
                message = "it does not begin as a journal does"
                raise ValueError(message)
        records: dict[str, Any] = {}
        for entry in self._journal.replay():
            if entry.name != _NAME:
                message = f"{entry.name} is no record"
                raise ValueError(message)
            records.update(entry.params)
            self.last_at = datetime.datetime.fromisoformat(entry.at)
        return records

    def _rewrite(self) -> None:
        venue = self._venue
        at = (self.last_at or venue.now()).isoformat()
        records = dict(snapshot.dump(venue))
        records.update({_NOTE + name: value for name, value in self._notes.items()})
        self._journal.rewrite(Entry(at, _NAME, {key: value}) for key, value in records.items())
        self._first_size = self._journal.size
        self._written = {
            key: json.dumps(it, separators=(",", ":")) for key, it in records.items() if not _is_final(key)
        }
        self._stood = {name: snapshot.stand(venue.account(name)) for name in venue.accounts}


def _is_final(key: str) -> bool:
    """Say whether a record is looked at only when something is said to have changed it."""
    return key.startswith(("order:", "transfer:"))
