"""`dca export`: deals and orders for spreadsheets."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dcacli.session import Mine, as_json, as_user, whose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dcacore.application.exports import Row

_OUT = click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE.csv", help="A file instead of the terminal."
)
_BOT = click.option("--bot", metavar="BOT", help="Only this bot's. Default: all bots'.")


@click.group(epilog="\b\nExample:\n  dca export deals --out deals.csv")
def export() -> None:
    """Deals and orders as CSV."""


@export.command("deals", epilog="\b\nExample:\n  dca export deals --out deals.csv")
@_BOT
@_OUT
@whose
@as_json
def deals(*, bot: str | None, out: Path | None, email: str | None, as_json: bool) -> None:
    """Export a row for each deal, oldest first."""
    from dcacore.application import live_exports

    async def work(mine: Mine) -> tuple[Row, ...]:
        return await live_exports.deal_table(mine.app.store, mine.user.id, bot=bot)

    _refuse_unwritable(out)
    _write(live_exports.LIVE_DEAL_COLUMNS, as_user(email, work), out, as_json=as_json)


@export.command("orders", epilog="\b\nExample:\n  dca export orders --bot 'btc calm' --out orders.csv")
@_BOT
@_OUT
@whose
@as_json
def orders(*, bot: str | None, out: Path | None, email: str | None, as_json: bool) -> None:
    """Export a row for each order that has filled, or still may."""
    from dcacore.application import live_exports

    async def work(mine: Mine) -> tuple[Row, ...]:
        return await live_exports.order_table(mine.app.store, mine.user.id, bot=bot)

    _refuse_unwritable(out)
    _write(live_exports.LIVE_ORDER_COLUMNS, as_user(email, work), out, as_json=as_json)


def _refuse_unwritable(out: Path | None) -> None:
    from dcacore.bootstrap import refuse_unwritable

    if out is not None:
        refuse_unwritable(out)


def _write(columns: Sequence[str], rows: tuple[Row, ...], out: Path | None, *, as_json: bool) -> None:
    from dcacore.bootstrap import csv_bytes, write_whole
    from dcacore.domain.money import plain

    if as_json:
        cells = [[plain(cell) if isinstance(cell, Decimal) else cell for cell in row] for row in rows]
        data = json.dumps({"rows": [dict(zip(columns, row, strict=True)) for row in cells]}).encode() + b"\n"
    else:
        data = csv_bytes(columns, rows)
    if out is None:
        click.echo(data, nl=False)
        return
    write_whole({out: data})
    click.echo(f"{len(rows)} rows written to {out}", err=True)
