"""The exchange on disk: what its venue keeps, and what the wire has to know besides."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import structlog

from dcacore.local_exchange.driving.state import VenueState
from dcacore.local_exchange.errors import error
from dcacore.local_exchange.exchange import LocalExchange

log = structlog.get_logger("dcacore.local_exchange")
_SECRETS: Final = "secrets"
_STATUSES: Final = "statuses"
_EXECUTIONS: Final = "executions"


class Keeper:
    """Keeps an exchange in a file.

    Attributes:
        state: the file.
    """

    def __init__(self, file: Path, exchange: LocalExchange) -> None:
        """Bring *exchange*, which has just been built, to where *file* says.

        Raises:
            JournalInUse: another exchange has the file.
            BadState: it is something else.
            OSError: it cannot be read or written.
        """
        self._exchange = exchange
        self.state = VenueState(file, exchange.venue)
        notes = self.state.notes
        for key, secret in notes.get(_SECRETS, {}).items():
            exchange.keys.tell(key, secret)
        exchange.restore_statuses(notes.get(_STATUSES, {}))
        exchange.feed.executions = notes.get(_EXECUTIONS, 0)
        exchange.attach_all()
        exchange.feed.keep = self.keep

    def keep(self) -> None:
        """Write what has changed; return when it is on disk.

        Raises:
            ApiError: it cannot be written: nobody may be told that it was done.
        """
        self.state.note(_SECRETS, dict(self._exchange.keys.secrets))
        self.state.note(_STATUSES, dict(self._exchange.statuses))
        self.state.note(_EXECUTIONS, self._exchange.feed.executions)
        try:
            self.state.keep()
        except OSError as full:
            log.exception("the state cannot be written")
            raise error(-1007) from full

    def close(self) -> None:
        """Let go of the file."""
        self.state.close()
