"""The page on the local exchange has everything that can be asked of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcacore.local_exchange.control import POSTS
from dcacore.local_exchange.endpoints import REST, WS_API
from dcacore.local_exchange.faults.kinds import KINDS

PAGE = Path("docs/reference/local-exchange.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("method", "path"), REST)
def test_every_endpoint(method: str, path: str) -> None:
    row = next(line for line in PAGE.splitlines() if f"`{path}`" in line)
    assert method in row


@pytest.mark.parametrize("method", WS_API)
def test_every_method(method: str) -> None:
    assert f"`{method}`" in PAGE


@pytest.mark.parametrize("path", POSTS)
def test_every_control(path: str) -> None:
    assert f"`POST {path}`" in PAGE


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault(kind: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{kind}` |"))
    assert all(f"`{option}`" in row for option in KINDS[kind].options)
