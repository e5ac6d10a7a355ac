"""The journal of a venue: what was asked of it and when, on disk before it is done."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs


class JournalInUse(Exception):
    """Another process has the journal."""


@attrs.frozen
class Entry:
    """Something that was asked: *name* with *params*, at a time in ISO 8601."""

    at: str
    name: str
    params: dict[str, Any]


class Journal:
    """An append-only file of entries, one JSON line each, that one process at a time may hold."""

    def __init__(self, file: Path) -> None:
        """Open *file*, or make it.

        Raises:
            JournalInUse: another process has it.
        """
        self.file = file
        self._fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise JournalInUse(str(file)) from None
        self._end = 0

    def replay(self) -> Iterator[Entry]:
        """Yield all entries, oldest first, and cut off a last one that was not written whole: nobody was told of it."""
        with self.file.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                yield Entry(**json.loads(line))
                self._end += len(line)
        os.ftruncate(self._fd, self._end)

    def append(self, entry: Entry) -> None:
        """Write an entry so that a loss of power does not take it back; all have to be replayed before.

        Raises:
            OSError: there is no room, for instance; nothing was written.
        """
        line = json.dumps(attrs.asdict(entry, recurse=False), separators=(",", ":")).encode() + b"\n"
        try:
            written = 0
            while written < len(line):
                written += os.pwrite(self._fd, line[written:], self._end + written)
            os.fsync(self._fd)
        except OSError:
            os.ftruncate(self._fd, self._end)
            raise
        self._end += len(line)

    def close(self) -> None:
        """Let go of the file; a second call changes nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
