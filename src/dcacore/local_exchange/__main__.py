"""Run a paper exchange: `python -m dcacore.local_exchange --state FILE`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from dcacore.domain.errors import DcaError
from dcacore.local_exchange.addresses import LOOPBACK, CannotListen, Urls
from dcacore.local_exchange.driving.journal import JournalInUse
from dcacore.local_exchange.driving.live import HOST
from dcacore.local_exchange.paper import PricesFrom, open_paper
from dcacore.local_exchange.server import run
from dcacore.local_exchange.standing import Standing, new_mark, read_standing, write_standing

IDLE_S: Final = 600.0
"""Without anybody connected for so long it ends: nobody trades any more, and whoever does starts it again."""
IN_USE = 3
"""The exit code when another exchange has the books."""


def options() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m dcacore.local_exchange", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="file that keeps everything")
    parser.add_argument("--prices", type=PricesFrom, default=PricesFrom.BINANCE, help="binance, chance or hand")
    parser.add_argument("--host", default=HOST, help="where Binance's market streams are")
    parser.add_argument("--seed", type=int, default=0, help="decides how prices wander")
    parser.add_argument("--idle", type=float, default=IDLE_S, help="seconds without anybody connected until it ends")
    parser.add_argument("--detach", action="store_true", help="go on in the background once it listens")
    return parser.parse_args()


async def serve(chosen: argparse.Namespace, listens: Callable[[], None]) -> None:
    """Serve until SIGTERM, or for as long as somebody is connected, where the last exchange of the same books did.

    Where somebody else has that port by now, it takes another one. Whoever is on this machine may open a market; only
    where prices are moved by hand is there the rest of the control interface.
    """
    site = open_paper(chosen.state, chosen.prices, host=chosen.host, seed=chosen.seed)
    site.mark, site.opens_pairs = new_mark(), True
    has_control = chosen.prices is PricesFrom.HAND
    before = read_standing(chosen.state)

    def tell(urls: Urls) -> None:
        port = int(urls.rest.rpartition(":")[2])
        here = str(chosen.state.resolve())
        write_standing(chosen.state, Standing(port=port, pid=os.getpid(), mark=site.mark, books=here))
        listens()

    async def run_at(port: int) -> None:
        await run(site, LOOPBACK, port, has_control=has_control, tell=tell, idle_s=chosen.idle)

    try:
        await run_at(0 if before is None else before.port)
    except CannotListen:
        await run_at(0)


def detach() -> int:
    """Go on in a child that nobody waits for, and return where it has to say that it listens; its parent ends then."""
    hears, tells = os.pipe()
    if os.fork():
        os.close(tells)
        with os.fdopen(hears, "rb") as pipe:
            os._exit(0 if pipe.read() else 1)
    os.close(hears)
    os.setsid()
    return tells


def main() -> int:
    """Run, and return the exit code."""
    chosen = options()
    told = detach() if chosen.detach else None

    def listens() -> None:
        if told is not None:
            os.write(told, b".")
            os.close(told)

    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        asyncio.run(serve(chosen, listens))
    except JournalInUse:
        sys.stderr.write(f"{chosen.state.name}: another exchange has this file\n")
        return IN_USE
    except (DcaError, OSError) as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
