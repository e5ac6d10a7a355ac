"""The program in examples/ that runs a bot ends by itself, and has done what it says."""

from __future__ import annotations

import subprocess
import sys


def test_the_example_runs_and_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "examples/run_a_bot.py"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert sum(line.startswith("deal_closed") for line in lines) >= 2
    assert lines[0].split(maxsplit=1) == ["started", "started by its user"]
    assert lines[-1].startswith("stopped profit ")
