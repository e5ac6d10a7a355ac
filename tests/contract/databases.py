"""The stores that the contract is tested over: memory, SQLite in a file, and a PostgreSQL server of our own."""

from __future__ import annotations

import asyncio
import datetime
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import psycopg
import pytest
from sqlalchemy import URL, make_url

from dcacore.adapters.memory import MemoryStore
from dcacore.adapters.sqlalchemy import postgres_store, sqlite_store
from dcacore.adapters.sqlalchemy.schema import upgrade
from dcacore.ports.clock import Clock
from dcacore.ports.store import Store
from tests.strategies import NOON

CANARY: Final = "canary-password"
"""The password of every address; it must not show anywhere."""


@attrs.define
class TestClock(Clock):
    """A clock that stands until it is moved."""

    __test__ = False

    at: datetime.datetime = NOON

    def now(self) -> datetime.datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.at += datetime.timedelta(seconds=seconds)
        await asyncio.sleep(0)


@attrs.define
class Database:
    """A store under test.

    Attributes:
        kind: memory, sqlite or postgresql.
        store: over an empty database.
        clock: what the store measures leases by, but for PostgreSQL.
        url: where it lies; None in memory.
    """

    kind: str
    store: Store
    clock: TestClock
    url: URL | None = None

    def another(self, **options: Any) -> Store:
        """Return a second store over the same database, as another process would have one."""
        assert self.url is not None
        if self.kind == "sqlite":
            return sqlite_store(self.url, clock=self.clock, **options)
        return postgres_store(self.url, **options)


@attrs.define
class PostgresServer:
    """A server with its files in a folder of its own, for trust of everybody on this machine."""

    programs: Path
    folder: Path
    port: int
    made: int = 0

    def run(self, program: str, *options: str) -> None:
        """Run one of PostgreSQL's programs as a user that it accepts: it refuses root."""
        named = {name for name in ("postgres", "nobody") if _is_user(name)}
        user = ("postgres" if "postgres" in named else "nobody") if os.geteuid() == 0 else None
        done = subprocess.run(
            [self.programs / program, *options],
            user=user,
            group=None if user is None else pwd.getpwnam(user).pw_gid,
            extra_groups=None if user is None else [],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,  # a pipe would be kept open by the server that pg_ctl starts
            stderr=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == 0, f"{program} has failed; see {self.folder}"

    def start(self) -> None:
        """Start the server, and return when it answers."""
        quick = "-F -c full_page_writes=off -c max_connections=60 -c listen_addresses=127.0.0.1"
        options = f"{quick} -c unix_socket_directories='{self.folder}' -p {self.port}"
        self.run(
            "pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-w", "-o", options, "start"
        )

    def stop(self) -> None:
        """End the server as a power cut would."""
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate", "stop")

    def forget(self) -> None:
        """Remove its files."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, name: str) -> URL:
        """Return the address of a database."""
        return make_url(f"postgresql+psycopg://dca:{CANARY}@127.0.0.1:{self.port}/{name}")

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Carry out *statement* outside of any transaction."""
        where = f"host=127.0.0.1 port={self.port} user=dca dbname={database}"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement.encode())

    def new_database(self, template: str = "template0") -> str:
        """Return the name of a new database."""
        self.made += 1
        name = f"db{self.made}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _programs() -> Path:
    beside = Path("/usr/lib/postgresql").glob("*/bin/initdb")  # Debian keeps them off the path
    newest = max(beside, key=lambda path: float(path.parts[4]), default=None)
    found = newest or shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    missing = "no PostgreSQL on this machine (initdb is not found): its half of the contract is not tested"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


def start_server() -> PostgresServer:
    """Return a new server on a free port."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="dca-postgres-"))
    folder.chmod(0o777)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = PostgresServer(programs, folder, port)
    server.run("initdb", "-D", str(folder / "data"), "-U", "dca", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
    server.start()
    return server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Yield a server, with a database `filled` that has this program's tables."""
    server = start_server()
    try:
        server.execute("CREATE DATABASE filled")
        upgrade(server.url("filled"))
        yield server
    finally:
        server.stop()
        server.forget()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite file with this program's tables, to copy."""
    file = tmp_path_factory.mktemp("template") / "dca.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """Return the address of a database without tables."""
    if request.param == "sqlite":
        return make_url(f"sqlite:///{tmp_path / 'dca.db'}")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.url(server.new_database())


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """Yield each of the stores over an empty database."""
    made = make_database(request.param, request, tmp_path)
    yield made
    await made.store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def shared(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """Yield each of the stores that several processes may share."""
    made = make_database(request.param, request, tmp_path)
    yield made
    await made.store.close()


def make_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> Database:
    """Return a store of this *kind* over an empty database with tables."""
    clock = TestClock()
    if kind == "memory":
        return Database(kind, MemoryStore(clock), clock)
    if kind == "sqlite":
        file = folder / "dca.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        url = make_url(f"sqlite:///{file}")
        return Database(kind, sqlite_store(url, clock=clock), clock, url)
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.url(server.new_database("filled"))
    return Database(kind, postgres_store(url), clock, url)
