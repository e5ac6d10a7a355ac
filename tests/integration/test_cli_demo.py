"""`dca demo`, as a process that is told to end."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import httpx
import pytest

from tests.integration.live import Cli, clean_environment, console

PAGE = console("docs/how-to/see-the-demo.md")

Demo = asyncio.subprocess.Process


async def start(folder: Path) -> Demo:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "dcacli.main",
        "demo",
        "--speed",
        "0",
        "--port",
        "0",
        env=clean_environment(TMPDIR=str(folder), DATABASE_URL="sqlite:////nowhere/at.all", LOG_LEVEL="warning"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def end(demo: Demo, number: signal.Signals, folder: Path) -> None:
    demo.send_signal(number)
    _, complaints = await demo.communicate()
    assert (demo.returncode, complaints) == (0, b"")
    assert await asyncio.to_thread(lambda: list(folder.iterdir())) == []


async def test_it_is_looked_at_from_elsewhere_and_ends_cleanly(tmp_path: Path) -> None:
    demo = await start(tmp_path)
    assert demo.stdout is not None
    lines = [(await demo.stdout.readline()).decode() for _ in range(5)]
    assert lines[0].startswith("The demo runs at http://127.0.0.1:")
    assert "sign in as test@example.com with the password Test1234" in lines[0]
    async with httpx.AsyncClient(base_url=lines[0].split()[4].rstrip(":")) as client:
        assert (await client.get("/readyz")).text == "ready"
    told = dict(line.strip().removeprefix("export ").split("=", 1) for line in lines[2:])
    assert set(told) == {"DATABASE_URL", "PAPER_EXCHANGE_URL", "DATA_DIR"}
    cli = Cli(tmp_path, told)
    bots = await asyncio.to_thread(cli.json, "bot", "list")
    assert [bot["name"] for bot in bots["bots"]] == ["BTC steady", "ETH trailing", "SOL with a stop"]
    for command, _ in PAGE:
        assert await asyncio.to_thread(cli.good, *command)
    await end(demo, signal.SIGINT, tmp_path)


async def test_it_can_be_ended_while_its_past_is_played(tmp_path: Path) -> None:
    demo = await start(tmp_path)
    while not await asyncio.to_thread(lambda: list(tmp_path.glob("dca-demo-*/demo.db-wal"))):
        assert demo.returncode is None
        await asyncio.sleep(0.01)
    await end(demo, signal.SIGTERM, tmp_path)


@pytest.mark.parametrize("wrong", [("--seed", "-1"), ("--speed", "nan"), ("--speed", "1e9")])
def test_wrong_usage(tmp_path: Path, wrong: tuple[str, str]) -> None:
    assert wrong[0] in Cli(tmp_path).misused("demo", *wrong)
