"""The command line over a database of its own, as a user would use it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from click.testing import CliRunner, Result

from dcacli.main import main
from dcacore import read_bot
from dcacore.application import accounts, asking, bots, users
from dcacore.bootstrap import market_of
from dcacore.bootstrap.app import App, open_app, running
from dcacore.bootstrap.paper import InProcessPaper
from dcacore.bootstrap.venues import ByEnvironment
from dcacore.domain.ids import UserId
from dcacore.ports.records import Environment, RequestKind, Tier
from dcacore.settings import Settings

CALM = str(Path("examples/btc-calm.toml").absolute())
PASSWORD = "Test1234"
OURS = (
    "BASE_URL",
    "BINANCE",
    "DATABASE_URL",
    "DATA_DIR",
    "DCA_",
    "DEFAULT_TIER",
    "ENCRYPTION_KEY",
    "LOG_",
    "MAIL_",
    "PAPER_EXCHANGE",
    "REGISTRATION",
    "RESEND_",
    "SECRET_KEY",
    "SMTP_",
    "TRUSTED_PROXIES",
)


def clean_environment(**more: str) -> dict[str, str]:
    """Return the environment without any setting of ours but *more*."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, "DCA_PASSWORD": PASSWORD, **more}


@attrs.define
class Cli:
    """`dca` in a folder of its own, with the database app.db there."""

    folder: Path
    environment: dict[str, str] = attrs.field(factory=dict)

    @property
    def url(self) -> str:
        """The address of the database."""
        return f"sqlite:///{self.folder}/app.db"

    def __call__(self, *args: str, typed: str | None = None, env: Mapping[str, str | None] | None = None) -> Result:
        """Run a command and return how it ended; a traceback fails the test."""
        unset = {name: None for name in os.environ if name.startswith(OURS)}
        chosen = {**unset, "DCA_PASSWORD": PASSWORD, "DATABASE_URL": self.url, **self.environment, **(env or {})}
        done = CliRunner().invoke(main, list(args), prog_name="dca", input=typed, env=chosen)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert "Traceback" not in done.output
        return done

    def good(self, *args: str, typed: str | None = None) -> str:
        """Run a command that has to work, and return what it prints."""
        done = self(*args, typed=typed)
        assert done.exit_code == 0, done.output
        return done.stdout

    def json(self, *args: str, typed: str | None = None) -> Any:
        """Run a command that has to work with --json, and return what it prints."""
        return json.loads(self.good(*args, "--json", typed=typed))

    def refused(self, *args: str, typed: str | None = None) -> str:
        """Run a command that has to be refused, and return its one line on stderr."""
        done = self(*args, typed=typed)
        assert (done.exit_code, done.stdout) == (1, ""), done.output
        assert done.stderr.startswith("dca: "), done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr[5:-1]

    def misused(self, *args: str) -> str:
        """Run a command that has to be refused as wrong usage, and return what it says."""
        done = self(*args)
        assert (done.exit_code, done.stdout) == (2, ""), done.output
        return done.stderr


def console(page: str) -> list[tuple[list[str], str]]:
    """Return the commands that a page of the documentation shows, each with what it is said to print."""
    text = Path(page).read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    runs = [run for block in blocks for run in f"\n{block}".split("\n$ dca ")[1:]]
    parts = [run.partition("\n") for run in runs]
    return [(shlex.split(command), printed) for command, _, printed in parts]


def make_history(folder: Path) -> None:
    """Let anna's bot btc calm close a deal and open another; bert has an account and a bot that never ran."""
    asyncio.run(_make_history(f"sqlite:///{folder}/app.db"))


async def _make_history(url: str) -> None:
    bot_file = read_bot(CALM)
    paper = InProcessPaper([(market_of(bot_file), 30000)])
    async with open_app(Settings(database_url=url), may_create=True) as opened:
        ids = []
        for email in ("anna@example.com", "bert@example.com"):
            user = await users.create(*opened.means, opened.passwords, email=email, password=PASSWORD, tier=Tier.PRO)
            await accounts.add(
                *opened.means, opened.secrets, user_id=user.id, name="paper", environment=Environment.PAPER
            )
            await bots.create(
                *opened.means, user_id=user.id, account="paper", bot_file=bot_file, market=market_of(bot_file)
            )
            ids.append(user.id)
        async with running(attrs.evolve(opened, venues=ByEnvironment({Environment.PAPER: paper}))) as app:
            start = await asking.ask(*app.means, user_id=ids[0], bot="btc calm", kind=RequestKind.START)
            assert (await app.wait_for(start)).is_settled
            for price, deals, safety_orders in ((30000, 0, 0), (29600, 0, 1), (30600, 1, 0)):
                paper.move("BTCUSDT", price)
                await until(app, ids[0], deals=deals, safety_orders=safety_orders)


async def until(app: App, user_id: UserId, *, deals: int, safety_orders: int) -> None:
    """Return when so many deals have closed, so many safety orders of the open one have filled, and all rests."""
    for _ in range(1000):
        record = await bots.find(app.store, user_id, "btc calm")
        async with app.store.begin(reads_only=True) as work:
            unsettled = await work.intents.unsettled([record.bot.id])
        rests = all(intent.state.value == "open" and not intent.order.is_cancelling for intent in unsettled)
        deal = record.bot.deal
        is_open = deal is not None and deal.books.bought > 0 and deal.filled_safety_orders == safety_orders
        if record.lifetime.deals == deals and rests and is_open:
            return
        await app.clock.sleep(0.01)
    raise AssertionError(f"the bot did not come to {deals} deals")


def copy_of(history: Path, folder: Path) -> Cli:
    """Return the command line over a copy of the database in *history*."""
    shutil.copy(history / "app.db", folder / "app.db")
    return Cli(folder)
