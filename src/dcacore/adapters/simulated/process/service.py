"""What a venue process does when it is asked: reads at once, changes after they are in the journal."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any, Final

from dcacore.adapters.simulated import snapshot
from dcacore.adapters.simulated.acts import act
from dcacore.adapters.simulated.books import Ticket
from dcacore.adapters.simulated.process.journal import Entry, Journal
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.adapters.simulated.wire import pack, unpack
from dcacore.domain.errors import DcaError
from dcacore.domain.ids import AccountId, OrderId
from dcacore.domain.venue import VenueOrderId

Params = Mapping[str, Any]
LONGEST: Final = 2**24
"""A journal that is longer at the start is written anew, in bytes: what is there takes the place of how it came."""
_KEPT: Final = "kept"
BAD_REQUEST: Final = (ArithmeticError, AttributeError, DcaError, LookupError, TypeError, ValueError)
"""What a request that makes no sense ends in; nothing has come of it."""


class VenueService:
    """A venue whose every change is journalled first, and which stands where its journal ends.

    Times inside a change are those of its entry, so that a replay gives the very same books.
    """

    def __init__(self, journal: Journal, now: Callable[[], datetime.datetime]) -> None:
        self._journal = journal
        self._now = now
        self._at: datetime.datetime | None = None
        self.venue = SimulatedVenue(lambda: self._at or self._now())
        self._replay()
        if journal.size > LONGEST:
            records = snapshot.dump(self.venue)
            journal.rewrite(Entry(now().isoformat(), _KEPT, {key: value}) for key, value in records)

    def _replay(self) -> None:
        """Bring the venue to where the journal ends: what was kept of it, and then what has been asked since."""
        kept: dict[str, Any] = {}
        for entry in self._journal.replay():
            if entry.name == _KEPT:
                kept.update(entry.params)
                continue
            if kept:
                snapshot.load(self.venue, kept)
                kept.clear()
            try:
                self._carry_out(entry)
            except BAD_REQUEST:  # it was refused then, and is again
                continue
        if kept:
            snapshot.load(self.venue, kept)

    def handle(self, method: str, params: Params) -> Any:
        """Return the answer, as JSON can carry it.

        Raises:
            OSError: the journal cannot be written: nothing was done.
        """
        if method in {"place", "cancel", "act"}:
            entry = Entry(self._now().isoformat(), method, dict(params))
            self._journal.append(entry)
            return pack(self._carry_out(entry))
        return pack(self._read(method, params))

    def close(self) -> None:
        """Let go of the journal."""
        self._journal.close()

    def _carry_out(self, entry: Entry) -> object:
        params, venue = entry.params, self.venue
        self._at = datetime.datetime.fromisoformat(entry.at)
        try:
            match entry.name:
                case "place":
                    return venue.place(
                        AccountId(params["account"]),
                        params["pair"],
                        unpack(params["ticket"], Ticket),
                        sent_at=unpack(params["sent_at"], datetime.datetime),
                        recv_window=unpack(params["recv_window"], datetime.timedelta),
                    )
                case "cancel":
                    venue.cancel(AccountId(params["account"]), params["pair"], OrderId(params["order_id"]))
                case _:
                    act(venue, params["name"], params["params"])
            return None
        finally:
            self._at = None

    def _read(self, method: str, params: Params) -> object:
        if method == "hello":
            return str(self._journal.file.resolve())
        if method in _PUBLIC:
            return _PUBLIC[method](self.venue, params)
        return _READS[method](self.venue, AccountId(params["account"]), params)


def _ids(params: Params, *names: str) -> dict[str, Any]:
    kinds: dict[str, Callable[[str], object]] = {"order_id": OrderId, "venue_order_id": VenueOrderId, "after": str}
    return {name: kinds[name](params[name]) for name in names if params.get(name) is not None}


_PUBLIC: Final[Mapping[str, Callable[[SimulatedVenue, Params], object]]] = {
    "time": lambda venue, _: venue.now(),
    "listing": lambda venue, params: venue.listing(params["pair"]),
    "price": lambda venue, params: venue.price(params["pair"]),
    "pairs": lambda venue, _: venue.pairs,
    "prices": lambda venue, _: venue.prices(),
    "listings": lambda venue, _: venue.listings(),
}
_READS: Final[Mapping[str, Callable[[SimulatedVenue, AccountId, Params], object]]] = {
    "fees": lambda venue, account, params: venue.fees(account, params["pair"]),
    "balances": lambda venue, account, _: venue.balances(account),
    "find": lambda venue, account, params: venue.find(
        account, params["pair"], **_ids(params, "order_id", "venue_order_id")
    ),
    "trades": lambda venue, account, params: venue.trades(
        account, params["pair"], **_ids(params, "venue_order_id", "after")
    ),
    "open_orders": lambda venue, account, params: venue.open_orders(account, params["pair"]),
    "books": lambda venue, account, _: venue.books(account),
}
