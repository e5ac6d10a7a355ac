"""This machine's clock and chance."""

from __future__ import annotations

import datetime

from dcacore.adapters.system import RandomIds, SystemClock


async def test_the_clock_is_aware_and_goes_on() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() == datetime.timedelta(0)
    before = clock.monotonic()
    await clock.sleep(0)
    assert clock.monotonic() >= before


def test_ids_are_eight_letters_and_differ() -> None:
    ids = {RandomIds().new() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert {len(one) for one in ids} == {8}
    assert set("".join(ids)) <= set("abcdefghijklmnopqrstuvwxyz234567")
