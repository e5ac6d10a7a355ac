"""The stage that every test of a fault plays on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.stage import Stage


@pytest.fixture
def empty_stage() -> Iterator[Stage]:
    """Return a stage without a market, an account or a bot."""
    stage = Stage()
    yield stage
    stage.close()


@pytest.fixture
def stage(empty_stage: Stage) -> Stage:
    """Return a stage with a market at 100, an account with 10,000, and a bot that has not been started."""
    empty_stage.list_pair()
    empty_stage.open_account()
    empty_stage.add_bot()
    return empty_stage
