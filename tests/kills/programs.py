"""What runs in processes of its own: the command line's worker, and an engine with a trap in its ports.

They are forked off a server that has imported everything already: a start costs a fork. What runs is the same.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.process
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from tests.kills.traps import Spot, Trap, TrappedStore, TrappedVenues
from tests.paper import STANDS

_PRELOADED: Final = (
    "pytest",
    "dcacli.main",
    "dcacli.start",
    "dcacli.worker",
    "aiohttp",
    "dcacore.adapters.binance.site",
    "dcacore.adapters.known_markets",
    "dcacore.application.engine.engine",
    "dcacore.bootstrap.worker",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "tests.kills.programs",
)


@attrs.frozen(kw_only=True)
class Orders:
    """What a trapped engine is told.

    Attributes:
        spot: where its trap is; None is nowhere.
        ttl_s: how long its leases last; looking and giving up come after a third and two thirds of it.
        ignores_leases: whether its database lets it write without its lease.
    """

    spot: Spot | None = None
    ttl_s: float = 30
    ignores_leases: bool = False


def worker(environment: Mapping[str, str], log: Path) -> None:
    """Be `dca worker`."""
    _settle(environment, log)
    from dcacli.start import start

    sys.argv = ["dca", "worker"]
    start()


def trapped(environment: Mapping[str, str], log: Path, orders: Orders) -> None:
    """Be an engine that comes to a trap."""
    _settle(environment, log)
    asyncio.run(_run_trapped(orders))


def _settle(environment: Mapping[str, str], log: Path) -> None:
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(handle, 2)
    os.close(handle)
    os.environ.update(environment)
    os.chdir(log.parent)


async def _run_trapped(orders: Orders) -> None:
    import datetime

    from dcacore.application.engine.ownership import LeaseOwner, Pace
    from dcacore.bootstrap.app import open_app, running
    from dcacore.bootstrap.logs import configure_logs
    from dcacore.bootstrap.venues import ByEnvironment
    from dcacore.settings import Settings

    settings = Settings.from_env(os.environ)
    configure_logs(settings)
    trap, stopping = Trap(orders.spot), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    ttl = orders.ttl_s
    pace = Pace(ttl=datetime.timedelta(seconds=ttl), look_every_s=ttl / 3, give_up_after_s=ttl * 2 / 3)
    async with open_app(settings) as app:
        assert app.paper is not None
        app.paper.options = STANDS  # an exchange that has been killed comes back without prices of its own
        store = TrappedStore(app.store, trap, ignores_leases=orders.ignores_leases)
        venues = ByEnvironment({where: TrappedVenues(inner, trap) for where, inner in app.venues.venues.items()})
        with_trap = attrs.evolve(app, store=store, venues=venues)
        async with running(with_trap) as with_engine:
            engine = with_engine.engine
            assert engine is not None
            engine.fleet.pace = pace  # before it has taken its first step
            if isinstance(engine.ownership, LeaseOwner):
                engine.ownership.pace = pace
            await stopping.wait()


@attrs.define
class Program:
    """A process that was started here.

    Attributes:
        process: it.
        log: what it writes to stderr.
    """

    process: multiprocessing.process.BaseProcess
    log: Path

    @property
    def has_ended(self) -> bool:
        """Whether it has."""
        return not self.process.is_alive()

    @property
    def code(self) -> int | None:
        """Its exit code; below zero, the signal that ended it; None while it runs."""
        return self.process.exitcode

    @property
    def lines(self) -> str:
        """What it has logged."""
        return self.log.read_text() if self.log.exists() else ""

    async def has_started(self) -> bool:
        """Say whether its engine has told that it runs."""
        return "engine_started" in self.lines

    def send(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.process.pid is not None and self.process.is_alive():
            os.kill(self.process.pid, number)

    def end(self) -> None:
        """Kill it, if it still runs."""
        self.send(signal.SIGKILL)
        self.process.join(10)


def start(target: Any, environment: Mapping[str, str], log: Path, *more: Any) -> Program:
    """Start one of the programs above."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    process = context.Process(target=target, args=(dict(environment), log, *more))
    process.start()
    return Program(process, log)
