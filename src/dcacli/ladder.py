"""`dca ladder`: every order that a bot would place from a price on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from dcacore.domain.money import plain

if TYPE_CHECKING:
    from dcacore.domain.market import Market
    from dcacore.domain.preview import LadderPreview, LadderRow
    from dcacore.ports.bot_file import BotFile


@click.command(epilog="\b\nExample:\n  dca ladder examples/btc-calm.toml --price 30000")
@click.argument("bot", metavar="BOT.toml")
@click.option("--price", required=True, metavar="P", help="The price at which the base order fills.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def ladder(*, bot: str, price: str, as_json: bool) -> None:
    """Show every order that a bot would place from a price on.

    Each row tells how the deal stands after that order has filled: what was spent and bought, the average price, the
    take-profit price, and the rise that is needed to get there.
    """
    from dcacore.bootstrap import market_of, preview_of, read_bot

    bot_file = read_bot(bot)
    market = market_of(bot_file)
    preview = preview_of(bot_file, market, price)
    if as_json:
        click.echo(json.dumps(ladder_json(preview)))
    else:
        _print(bot_file, market, preview)


def ladder_json(preview: LadderPreview) -> dict[str, object]:
    """Return *preview* as the values of `dca ladder --json`."""
    return {
        "reference_price": plain(preview.reference_price),
        "rows": [_row_json(row) for row in preview.rows],
        "warnings": list(preview.warnings),
    }


def _row_json(row: LadderRow) -> dict[str, str]:
    return {
        "order": row.order,
        "deviation": plain(row.deviation),
        "price": plain(row.price),
        "size": plain(row.size),
        "quantity": plain(row.quantity),
        "total_spent": plain(row.total_spent),
        "total_quantity": plain(row.total_quantity),
        "average_price": plain(row.average_price),
        "take_profit_price": plain(row.take_profit_price),
        "required_change": plain(row.required_change),
    }


def _print(bot: BotFile, market: Market, preview: LadderPreview) -> None:
    from dcacli.tables import console, table, warn

    columns = ["order", "below %", "price", "size", "quantity", "spent", "bought", "average", "take profit", "rise %"]
    rows = [list(_row_json(row).values()) for row in preview.rows]
    has_stop = any(row.stop_loss_price is not None for row in preview.rows)
    if has_stop:
        columns.append("stop loss")
        for cells, row in zip(rows, preview.rows, strict=True):
            cells.append("" if row.stop_loss_price is None else plain(row.stop_loss_price))
    title = f"{bot.name}: {market.pair} from {plain(preview.reference_price)} {market.quote_asset}"
    console().print(table(title, columns, rows))
    click.echo(f"Funds needed for all of it: {plain(preview.rows[-1].total_spent)} {market.quote_asset}")
    warn(preview.warnings)
