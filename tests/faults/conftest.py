"""The stage that every test of a fault plays on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dcacore.ports.records import Environment
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


@pytest.fixture
def keyed(empty_stage: Stage) -> Stage:
    """Return a stage with a bot that trades on an account which the key "first" opens."""
    empty_stage.list_pair()
    empty_stage.open_account(environment=Environment.TESTNET, key="first")
    empty_stage.add_bot()
    empty_stage.start(after=5)
    return empty_stage
