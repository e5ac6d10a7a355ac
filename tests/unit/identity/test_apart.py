"""Passwords are hashed and checked beside everything else."""

from __future__ import annotations

import asyncio
import threading

from dcacore.application.apart import apart


async def test_passwords_that_wait_for_their_turn_keep_nothing_else_waiting() -> None:
    goes_on = threading.Event()
    checks = [asyncio.create_task(apart(goes_on.wait, timeout=60)) for _ in range(100)]
    try:
        await asyncio.sleep(0)  # now all of them wait
        async with asyncio.timeout(30):
            assert await asyncio.to_thread(len, "page") == 4
    finally:
        goes_on.set()
    assert all(await asyncio.gather(*checks))
