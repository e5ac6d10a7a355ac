"""What every test may use: the hypothesis profiles, and the folder of real candles."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Every commit runs the same examples, so that a red build is the commit's doing; `make prove` looks for new ones.
settings.register_profile("default", derandomize=True, max_examples=100, deadline=None, database=None, print_blob=True)
settings.register_profile(
    "prove", max_examples=5_000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("default")

REAL_DATA = "real_data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real candles that DCA_TEST_DATA names; without it the test is skipped."""
    named = os.environ.get("DCA_TEST_DATA")
    if not named:
        pytest.skip("DCA_TEST_DATA is not set: it names a folder of real candles")
    folder = Path(named)
    if folder.is_dir():
        return folder
    missing = f"DCA_TEST_DATA={named} is no folder"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if REAL_DATA in getattr(item, "fixturenames", ()):
            item.user_properties.append((REAL_DATA, True))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ran = {
        report.nodeid
        for outcome in ("passed", "failed", "xfailed", "xpassed")
        for report in terminalreporter.getreports(outcome)
        if report.when == "call" and (REAL_DATA, True) in report.user_properties
    }
    terminalreporter.write_line(f"real-data tests: {len(ran)} ran")
