"""Logging for programs: lines on stderr that can never stop or delay what is logged about."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import MutableMapping
from enum import Enum
from typing import Any, Final

import structlog

from dcacore.settings import LogFormat, Settings

_STDERR: Final = 2
_MOST_WAITING: Final = 10_000
_LAST_LINES_WITHIN_S: Final = 1.0
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

Line = MutableMapping[str, Any]


class Lines:
    """Writes lines to stderr from a thread of its own: a stalled reader, a full disk, a closed stream cost only lines.

    What does not fit into memory while the reader stalls is dropped.
    """

    def __init__(self, handle: int = _STDERR) -> None:
        """Write to the file descriptor *handle*, past `sys.stderr`: its lock would be held while a reader stalls."""
        self._handle = handle
        self._waiting: queue.Queue[str | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._write_on, name="log", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Let *line* be written some time soon."""
        try:
            self._waiting.put_nowait(line)
        except queue.Full:
            return

    def close(self) -> None:
        """Write what waits, if that is possible within a second."""
        try:
            self._waiting.put(None, timeout=_LAST_LINES_WITHIN_S)
        except queue.Full:
            return
        self._thread.join(_LAST_LINES_WITHIN_S)

    def _write_on(self) -> None:
        while (line := self._waiting.get()) is not None:
            left = f"{line}\n".encode(errors="backslashreplace")
            try:
                while left:
                    left = left[os.write(self._handle, left) :]
            except OSError:  # full, or closed
                continue


class _Logger:
    """What structlog hands finished lines to."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def msg(self, message: str) -> None:
        self._lines.put(message)

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


def configure_logs(settings: Settings) -> Lines:
    """Log to stderr as *settings* want it; close what is returned at the end.

    Tracebacks are logged without the values of variables: one could be a key.
    """
    lines = Lines()
    if settings.log_format is LogFormat.JSON:
        last: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    else:
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, exception_formatter=plain)]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _one_line_values,
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[settings.log_level.value]),
        logger_factory=lambda *_: _Logger(lines),
        cache_logger_on_first_use=False,
    )
    return lines


def _one_line_values(_logger: object, _method: str, line: Line) -> Line:
    """Keep a value from looking like a line of its own, whoever made it up: the exchange, or a bot's name."""
    for name, value in tuple(line.items()):
        if value is None:
            del line[name]
        elif isinstance(value, Enum):
            line[name] = value.value
        elif isinstance(value, str) and not value.isprintable():
            line[name] = repr(value)
    return line
