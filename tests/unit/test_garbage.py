"""What a program that must not pause does about garbage collection."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from dcacore.bootstrap import garbage


@pytest.fixture
def unsettled() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("unsettled")
def test_what_is_there_at_the_start_is_never_looked_through_again() -> None:
    there = len(gc.get_objects())
    garbage.settle()
    assert gc.get_freeze_count() > there // 2
    assert len(gc.get_objects()) < there // 2
