"""`dca`: the group of all commands, each of which is imported only when it is asked for."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import Final

import click

from dcacli.environment import read_environment
from dcacli.errors import OneLineErrors, one_line_errors

# Nothing here does linear algebra, and starting its threads is a third of what importing numpy costs.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

COMMANDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "account": ("dcacli.account", "account", "Exchange accounts."),
    "backtest": ("dcacli.backtest", "backtest", "Play a bot over candles of the past, exact to the last digit."),
    "bot": ("dcacli.bot", "bot", "Bots: a BOT is named by its name or its id."),
    "data": ("dcacli.data", "data", "The local candle store."),
    "db": ("dcacli.db", "db", "The database: migrations and backups."),
    "deal": ("dcacli.deal", "deal", "Deals: a DEAL is named by its id; the open one also by its bot."),
    "demo": (
        "dcacli.demo",
        "demo",
        "See three bots trade on markets of chance, with thirty days behind them, on a dashboard.",
    ),
    "exchange": ("dcacli.exchange", "exchange", "A Binance-compatible exchange on this machine, to try things out on."),
    "export": ("dcacli.export", "export", "Deals and orders as CSV."),
    "keys": ("dcacli.keys", "keys", "The key under which exchange keys are encrypted."),
    "ladder": ("dcacli.ladder", "ladder", "Show every order that a bot would place from a price on."),
    "mail": ("dcacli.mail", "mail", "Mail, and whether it arrives."),
    "serve": ("dcacli.serve", "serve", "Serve the dashboard, and act for the bots, until SIGTERM or Ctrl-C."),
    "user": ("dcacli.user", "user", "Administer users."),
    "worker": (
        "dcacli.worker",
        "worker",
        "Run an engine: it acts for the bots until SIGTERM or Ctrl-C.",
    ),
}
"""By name: the module, the command's name in it, and its line in the list. Importing them all would take too long."""


class Commands(OneLineErrors):
    """The commands of `COMMANDS`, which also find what `.env` in the working folder sets; the environment wins."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        """Return the context, in which options find their environment variables."""
        with one_line_errors():
            read_environment()
        return super().make_context(info_name, args, parent, **extra)

    def list_commands(self, _: click.Context) -> list[str]:
        """Return their names."""
        return sorted(COMMANDS)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, imported; None when there is no such."""
        if cmd_name not in COMMANDS:
            return None
        module, name, _line = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in sorted(COMMANDS)])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n  dca ladder examples/btc-calm.toml --price 30000\n"
    "  dca backtest examples/btc-calm.toml --data BTCUSDT-1m-2021-04.zip",
)
@click.version_option(package_name="dcabot", prog_name="dca")
def main() -> None:
    """Bots that buy a falling market in steps and sell above their average price."""


if __name__ == "__main__":
    main()
