"""`dca serve` in a process of its own."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from dcacore.adapters.fernet import generate_key
from tests.integration.live import Cli, clean_environment

PATIENCE_S = 60
Process = asyncio.subprocess.Process


async def start(folder: Path, *options: str, command: str = "serve", **settings: str) -> Process:
    """Start a command over the database in *folder*."""
    environment = {"DATABASE_URL": f"sqlite:///{folder}/app.db", "ENCRYPTION_KEY": KEY, "LOG_FORMAT": "json"}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "dcacli.main",
        command,
        *options,
        env=clean_environment(**{**environment, **settings}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


KEY = generate_key()


@asynccontextmanager
async def served(folder: Path, *options: str, **settings: str) -> AsyncIterator[tuple[Process, str]]:
    """Yield the dashboard on a free port, and its address; it has to end by itself, or by a signal here."""
    process = await start(folder, "--port", "0", *options, **settings)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("The dashboard is at http://127.0.0.1:"), line
        yield process, line.split()[4]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_it_is_told_to_end(tmp_path: Path, number: signal.Signals) -> None:
    async with served(tmp_path) as (process, address), httpx.AsyncClient(base_url=address) as client:
        assert (await client.get("/readyz")).text == "ready"
        page = await client.get("/")
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        process.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            _, complaints = await process.communicate()
        assert (process.returncode, b"Traceback" in complaints) == (0, False), complaints


async def test_pages_that_are_open_do_not_keep_it(tmp_path: Path) -> None:
    where = {"DATABASE_URL": f"sqlite:///{tmp_path}/app.db", "DCA_PASSWORD": "Correct-Horse-7"}
    await asyncio.to_thread(Cli(tmp_path, where).good, "user", "create", "anna@example.com", "--verified")
    async with served(tmp_path, "--no-engine") as (process, address), httpx.AsyncClient(base_url=address) as client:
        (token,) = set(re.findall(r'name="_csrf_token" value="(\w+)"', (await client.get("/login")).text))
        form = {"email": "anna@example.com", "password": "Correct-Horse-7", "_csrf_token": token}
        assert (await client.post("/login", data=form)).status_code == 303
        async with client.stream("GET", "/events") as stream:
            assert stream.status_code == 200
            process.send_signal(signal.SIGINT)
            async for _ in stream.aiter_bytes():
                pass  # it ends as it should, and is not cut off
        async with asyncio.timeout(PATIENCE_S):
            _, complaints = await process.communicate()
        assert (process.returncode, b"Traceback" in complaints) == (0, False), complaints


async def test_a_second_signal_changes_nothing(tmp_path: Path) -> None:
    async with served(tmp_path) as (process, _):
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            _, complaints = await process.communicate()
        assert (process.returncode, b"Traceback" in complaints) == (0, False), complaints


async def test_a_closed_stderr_harms_neither_pages_nor_database(tmp_path: Path) -> None:
    command = f"exec {sys.executable} -m dcacli.main serve --port 0 2>&-"
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/app.db", "ENCRYPTION_KEY": KEY, "LOG_LEVEL": "debug"}
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", command, env=clean_environment(**environment), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            address = (await process.stdout.readline()).decode().split()[4]
            async with httpx.AsyncClient(base_url=address) as client:
                assert (await client.get("/readyz")).text == "ready"
            process.send_signal(signal.SIGTERM)
            await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    told = Cli(tmp_path, {"DATABASE_URL": environment["DATABASE_URL"]}).good("db", "current")
    assert told.endswith("as it should be.\n")


async def ended(folder: Path, engine: str) -> tuple[int | None, str]:
    """Return how the dashboard ends, and what it said, whose engine does *engine* instead of trading."""
    program = folder / "program.py"
    program.write_text(WITH_ENGINE.format(engine=engine, folder=folder), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        env=clean_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_S):
        _, said = await process.communicate()
    return process.returncode, said.decode()


WITH_ENGINE = """
import asyncio, os, signal
import attrs
from dcacore.bootstrap.app import open_app
from dcacore.bootstrap.programs import run_program
from dcacore.settings import Settings
from dcaweb.serving import listening, serve_app

async def engine():
    {engine}

async def work(stopping):
    with listening("127.0.0.1", 0) as taken:
        async with open_app(settings, may_create=True) as app:
            task = asyncio.create_task(engine())
            try:
                await serve_app(attrs.evolve(app, engine_task=task), taken, stopping, print)
            finally:
                await task

settings = Settings(database_url="sqlite:///{folder}/app.db")
run_program(settings, work, stop_within_s=3)
"""


async def test_an_engine_that_hangs_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    code, told = await ended(tmp_path, "os.kill(os.getpid(), signal.SIGTERM); await asyncio.Event().wait()")
    assert (code, "not_stopped_in_time" in told) == (0, True), told


async def test_an_engine_that_dies_ends_it_with_its_error(tmp_path: Path) -> None:
    code, told = await ended(tmp_path, 'raise ValueError("the engine broke")')
    assert (code, "ValueError: the engine broke" in told) == (1, True), told


async def test_links_in_mails_lead_to_where_it_listens(tmp_path: Path) -> None:
    async with served(tmp_path) as (process, address), httpx.AsyncClient(base_url=address) as client:
        await client.get("/register")
        form = {
            "email": "anna@example.com",
            "password": "Correct-Horse-7",
            "_csrf_token": client.cookies["csrftoken"],
        }
        assert (await client.post("/register", data=form)).status_code == 200
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            while f"{address}/verify-email/" not in (line := (await process.stderr.readline()).decode()):
                assert line
            process.send_signal(signal.SIGTERM)
            await process.communicate()


async def test_beside_another_engine_it_serves_pages_only(tmp_path: Path) -> None:
    async with served(tmp_path):
        refused = await start(tmp_path, "--port", "0")
        _, complaints = await refused.communicate()
        assert (refused.returncode, b"--no-engine" in complaints) == (3, True), complaints
        async with served(tmp_path, "--no-engine") as (_, address), httpx.AsyncClient(base_url=address) as client:
            assert (await client.get("/readyz")).text == "ready"


def test_without_a_key_it_says_how_to_make_one(tmp_path: Path) -> None:
    assert Cli(tmp_path).refused("serve") == (
        "ENCRYPTION_KEY is not set: `dca keys generate` makes one; put it into the file .env"
    )


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = Cli(tmp_path, {"ENCRYPTION_KEY": KEY}).refused("serve", "--port", str(port))
    assert said.startswith(f"cannot listen on 127.0.0.1:{port}: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [("SECRET_KEY", "short"), ("TRUSTED_PROXIES", "everybody"), ("BASE_URL", "no address"), ("REGISTRATION", "maybe")],
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path, name: str, value: str) -> None:
    said = Cli(tmp_path, {"ENCRYPTION_KEY": KEY, name: value}).refused("serve")
    assert said.startswith(f"{name} ")
    assert value not in said


def test_wrong_usage(tmp_path: Path) -> None:
    assert "--port" in Cli(tmp_path).misused("serve", "--port", "70000")
