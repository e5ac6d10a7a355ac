"""Run a simulated venue: `python -m dcacore.adapters.simulated.process --journal FILE`."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import sys
import time
from pathlib import Path

from dcacore.adapters.simulated.process.journal import Journal, JournalInUse
from dcacore.adapters.simulated.process.listing import market_of
from dcacore.adapters.simulated.process.server import VenueServer
from dcacore.adapters.simulated.process.service import VenueService
from dcacore.adapters.simulated.process.starting import state_file
from dcacore.adapters.simulated.process.walk import Walk
from dcacore.adapters.simulated.wire import pack
from dcacore.domain.errors import DcaError

IN_USE = 3
"""The exit code when another venue has the journal."""


def utc_now() -> datetime.datetime:
    """Return the time: an exchange has a clock of its own."""
    return datetime.datetime.fromtimestamp(time.time(), datetime.UTC)


def options() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m dcacore.adapters.simulated.process", description=__doc__)
    parser.add_argument("--journal", type=Path, required=True, help="file that keeps all that was ever asked")
    parser.add_argument("--port", type=int, default=0, help="port on the loopback interface; 0 is any that is free")
    parser.add_argument("--pairs", default="", help="pairs to list and their first prices: BTCUSDT=30000,ETHUSDT=2000")
    parser.add_argument("--seed", type=int, default=0, help="decides how prices move")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between prices; 0 moves none")
    parser.add_argument("--detach", action="store_true", help="go on in the background once it listens")
    return parser.parse_args()


async def run(chosen: argparse.Namespace, told: int) -> None:
    """Serve for ever; the file descriptor *told* gets one line with the port, once."""
    journal = Journal(chosen.journal)
    service = VenueService(journal, utc_now)
    for named in filter(None, chosen.pairs.split(",")):
        market, price = market_of(named)
        service.handle("act", {"name": "list", "params": {"market": pack(market), "price": price}})
    port = await VenueServer(service).start(chosen.port)
    state = json.dumps({"port": port, "pid": os.getpid()})
    file = state_file(chosen.journal)
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(state)
    fresh.replace(file)
    os.write(told, state.encode() + b"\n")
    if told != sys.stdout.fileno():
        os.close(told)
    if chosen.interval > 0:
        await Walk(service, chosen.seed, chosen.interval).run()
    await asyncio.Event().wait()


def detach() -> int:
    """Go on in a child that nobody waits for, and return where it has to tell its port; the parent ends with that."""
    hears, tells = os.pipe()
    if os.fork():
        os.close(tells)
        with os.fdopen(hears, "rb") as pipe:
            line = pipe.readline()
        sys.stdout.buffer.write(line)
        sys.stdout.flush()
        os._exit(0 if line else 1)
    os.close(hears)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, sys.stdin.fileno())
    os.dup2(nothing, sys.stdout.fileno())
    return tells


def main() -> int:
    """Run, and return the exit code."""
    chosen = options()
    told = detach() if chosen.detach else sys.stdout.fileno()
    try:
        asyncio.run(run(chosen, told))
    except JournalInUse:
        sys.stderr.write(f"{chosen.journal.name}: another venue runs over this journal\n")
        return IN_USE
    except (DcaError, OSError, ValueError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
