from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator

import pytest
import structlog

from dcacore.bootstrap.logs import Lines, configure_logs
from dcacore.ports.secrets import ApiKey
from dcacore.settings import LogFormat, LogLevel, Settings

KEY = ApiKey("canary", "canary")


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def crash(key: ApiKey) -> None:
    opened = f"{key.key}:{key.secret}"
    raise RuntimeError(f"something of {len(opened)} characters")


def logged(capfd: pytest.CaptureFixture[str], form: LogFormat) -> str:
    lines = configure_logs(Settings(log_format=form, log_level=LogLevel.INFO))
    log = structlog.get_logger("test")
    log.debug("too_light")
    log.info("order_filled", bot="b", deal=None, key=KEY, text="one\nline \x1b[2J")
    try:
        crash(KEY)
    except RuntimeError as exc:
        log.exception("task_failed", reason=str(exc))
    lines.close()
    told = capfd.readouterr()
    assert told.out == ""
    assert "canary" not in told.err
    assert "too_light" not in told.err
    assert "\x1b" not in told.err
    assert "in crash" in told.err
    return told.err


def test_lines_for_programs(capfd: pytest.CaptureFixture[str]) -> None:
    first, second = map(json.loads, logged(capfd, LogFormat.JSON).splitlines())
    assert (first["event"], first["level"], first["bot"]) == ("order_filled", "info", "b")
    assert "deal" not in first
    assert first["timestamp"].endswith("Z")
    assert second["exception"].endswith("RuntimeError: something of 13 characters")


def test_lines_for_people(capfd: pytest.CaptureFixture[str]) -> None:
    first, *_ = logged(capfd, LogFormat.CONSOLE).splitlines()
    assert "[info     ] order_filled bot=b" in first


def test_a_reader_that_stalls_holds_nobody_up() -> None:
    reads, writes = os.pipe()
    lines = Lines(writes)
    began = time.monotonic()
    for _ in range(20_000):
        lines.put("x" * 200)
    assert time.monotonic() - began < 2
    lines.close()
    assert time.monotonic() - began < 5
    os.close(reads)  # what hangs in the thread now fails, and is let go of


def test_a_closed_stream_loses_lines_and_nothing_else() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    lines = Lines(writes)
    lines.put("nobody hears this")
    lines.close()
    os.close(writes)
