"""The exchange on disk: what its venue keeps, and what the wire has to know besides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from dcacore.adapters.simulated.wire import pack
from dcacore.local_exchange.driving.points import Position
from dcacore.local_exchange.driving.resuming import NOTE, position
from dcacore.local_exchange.driving.state import VenueState
from dcacore.local_exchange.errors import error
from dcacore.local_exchange.exchange import LocalExchange

log = structlog.get_logger("dcacore.local_exchange")
_SECRETS: Final = "secrets"
_STATUSES: Final = "statuses"
_EXECUTIONS: Final = "executions"
_BY_CHANCE: Final = "by chance"


class Keeper:
    """Keeps an exchange in a file.

    Attributes:
        state: the file.
        where: returns the point of the candles that was played last; None before the first, and without candles.
    """

    def __init__(self, file: Path, exchange: LocalExchange) -> None:
        """Bring *exchange*, which has just been built, to where *file* says.

        Raises:
            JournalInUse: another exchange has the file.
            BadState: it is something else.
            OSError: it cannot be read or written.
        """
        self._exchange = exchange
        self.where: Callable[[], Position | None] = _nowhere
        self.state = VenueState(file, exchange.venue)
        notes = self.state.notes
        for key, secret in notes.get(_SECRETS, {}).items():
            exchange.keys.tell(key, secret)
        exchange.restore_statuses(notes.get(_STATUSES, {}))
        exchange.feed.executions = notes.get(_EXECUTIONS, 0)
        exchange.by_chance.update(notes.get(_BY_CHANCE, ()))
        exchange.attach_all()
        exchange.feed.keep = self.keep

    @property
    def position(self) -> Position | None:
        """Which point of the candles was the last one, as the file says.

        Raises:
            BadState: what it says makes no sense.
        """
        return position(self.state)

    def keep(self) -> None:
        """Write what has changed; return when it is on disk.

        Raises:
            ApiError: it cannot be written: nobody may be told that it was done.
        """
        self.state.note(_SECRETS, dict(self._exchange.keys.secrets))
        self.state.note(_STATUSES, dict(self._exchange.statuses))
        self.state.note(_EXECUTIONS, self._exchange.feed.executions)
        if self._exchange.by_chance:
            self.state.note(_BY_CHANCE, sorted(self._exchange.by_chance))
        elif _BY_CHANCE in self.state.notes:
            self.state.note(_BY_CHANCE, [])
        where = self.where()
        if where is not None:
            self.state.note(NOTE, pack(where))
        try:
            self.state.keep()
        except OSError as full:
            log.error("the state cannot be written", reason=full.strerror or str(full))  # noqa: TRY400  # no mistake
            raise error(-1007) from full

    def close(self) -> None:
        """Let go of the file."""
        self.state.close()


def _nowhere() -> None:
    """Return None: there are no candles."""
