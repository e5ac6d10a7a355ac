"""The journal of an exchange: what it knows, on disk before anybody is told."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
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
        self.file = file.resolve()  # what takes its place later must not take that of a link to it
        self._fd = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise JournalInUse(str(file)) from None
        if not file.exists() or not os.path.samestat(os.fstat(self._fd), file.stat()):
            os.close(self._fd)  # it was just written anew by another process, which holds the new one
            raise JournalInUse(str(file))
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

    @property
    def size(self) -> int:
        """How long it is, in bytes."""
        return self._end

    def append(self, entry: Entry, *, is_synced: bool = True) -> None:
        """Write an entry; all have to be replayed before.

        The end of this process does not take it back, nor does a loss of power when it *is_synced*.

        Raises:
            OSError: there is no room, for instance; nothing was written.
        """
        line = _line(entry)
        try:
            written = 0
            while written < len(line):
                written += os.pwrite(self._fd, line[written:], self._end + written)
            if is_synced:
                os.fsync(self._fd)
        except OSError:
            os.ftruncate(self._fd, self._end)
            raise
        self._end += len(line)

    def rewrite(self, entries: Iterable[Entry]) -> None:
        """Let *entries* take the place of all that is written: of all of it, or, when this is cut short, of nothing.

        Raises:
            OSError: there is no room, for instance; all is as it was.
        """
        fresh = self.file.with_name(f"{self.file.name}.new")
        fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(os.dup(fd), "wb") as lines:
                for entry in entries:
                    lines.write(_line(entry))
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # before it gets its name: nobody can come in between
            os.fsync(fd)
            fresh.replace(self.file)
        except BaseException:
            os.close(fd)
            fresh.unlink(missing_ok=True)
            raise
        os.close(self._fd)
        self._fd, self._end = fd, os.fstat(fd).st_size
        _sync_folder(self.file.parent)

    def close(self) -> None:
        """Let go of the file; a second call changes nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _line(entry: Entry) -> bytes:
    return json.dumps(attrs.asdict(entry, recurse=False), separators=(",", ":")).encode() + b"\n"


def _sync_folder(folder: Path) -> None:
    """Let the new name of a file outlast a loss of power."""
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
