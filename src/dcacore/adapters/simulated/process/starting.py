"""Finding the venue process of a journal, or starting it so that it outlives its starter."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

from dcacore.adapters.simulated.process.client import VenueClient
from dcacore.adapters.simulated.wire import pack
from dcacore.domain.ids import AccountId
from dcacore.domain.market import Market
from dcacore.domain.money import Price, plain
from dcacore.ports.clock import Clock
from dcacore.ports.errors import Unavailable

_MODULE: Final = "dcacore.adapters.simulated.process"
_TRIES, _BETWEEN, _ANSWERS_IN = 100, 0.05, 5


def state_file(journal: Path) -> Path:
    """Return where the venue of *journal* writes its port and process id."""
    return journal.with_name(f"{journal.name}.state")


def known_port(journal: Path) -> int | None:
    """Return the port that the venue of *journal* last told, whether it still runs or not."""
    try:
        port: int = json.loads(state_file(journal).read_text())["port"]
    except (OSError, ValueError, KeyError):
        return None
    return port


async def running_port(journal: Path) -> int | None:
    """Return the port of the venue that runs over *journal*; None when none does."""
    port, named = known_port(journal), str(journal.resolve())  # noqa: ASYNC240  # one short look at the disk
    if port is None:
        return None
    with contextlib.suppress(OSError, ValueError, KeyError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(b'{"id":0,"method":"hello","params":{}}\n')
            async with asyncio.timeout(_ANSWERS_IN):  # another program may have the port by now
                answer = json.loads(await reader.readline())
            return port if answer["result"] == named else None
        finally:
            writer.transport.abort()
    return None


async def start_venue(
    journal: Path,
    clock: Clock,
    *,
    listings: Iterable[tuple[Market, Price]] = (),
    accounts: Mapping[AccountId, Mapping[str, Decimal]] | None = None,
    seed: int = 0,
    interval: float = 1.0,
) -> int:
    """Return the port of the venue of *journal*, which is started if it does not run.

    It goes on when this process ends, however that ends. Prices move once an *interval* of seconds; 0 leaves them to
    the acts. Pairs and accounts that it has already stay as they are.

    Raises:
        Unavailable: it did not come up; what it said is in the log beside the journal.
    """
    port = await running_port(journal)
    if port is None:
        port = await _start(journal, clock, seed, interval)
    client = VenueClient(lambda: port, clock)
    try:
        for market, price in listings:
            await client.act("list", market=pack(market), price=plain(price))
        for account, holdings in (accounts or {}).items():
            held = {asset: plain(amount) for asset, amount in holdings.items()}
            await client.act("open", account=account, holdings=held)
    finally:
        await client.close()
    return port


async def _start(journal: Path, clock: Clock, seed: int, interval: float) -> int:
    journal.parent.mkdir(parents=True, exist_ok=True)
    options = ("--journal", str(journal), "--seed", str(seed), "--interval", str(interval), "--detach")
    with journal.with_name(f"{journal.name}.log").open("ab") as log:
        starter = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            _MODULE,
            *options,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=log,
        )
        await starter.wait()
    for _ in range(_TRIES):  # somebody else may have been quicker, and may not be ready yet
        port = await running_port(journal)
        if port is not None:
            return port
        await clock.sleep(_BETWEEN)
    raise Unavailable(f"the simulated exchange over {journal.name} does not come up: see {journal.name}.log")
