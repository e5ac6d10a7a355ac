"""`dca ladder`: every order that a bot would place from a price on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from dcacore.domain.money import plain

if TYPE_CHECKING:
    from decimal import Decimal

    from dcacli.tables import Column
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
    from dcacli.tables import grouped, print_table, warn

    price, quote = preview.rows[0].price, market.quote_asset
    title = f"{bot.name}: {market.pair} from {plain(price)} {quote}"
    if preview.reference_price != price:
        title += f", deviations from a reference of {plain(preview.reference_price)} {quote}"
    print_table(title, _columns(market, preview))
    click.echo(f"Funds needed for all of it: {grouped(preview.rows[-1].total_spent)} {quote}")
    warn(preview.warnings)


def _columns(market: Market, preview: LadderPreview) -> list[Column]:
    from dcacli.tables import Column, money_places, rounded

    rows = preview.rows
    tick = max(0, -int(market.tick_size.normalize().as_tuple().exponent))
    money = money_places(rows[-1].total_spent)

    def column(name: str, worth: int, values: list[Decimal], places: int | None = None) -> Column:
        short = [] if places is None else [rounded(value, places) for value in values]
        return Column(name=name, worth=worth, cells=[plain(value) for value in values], short=short)

    columns = [
        Column(name="order", worth=10, cells=[row.order for row in rows], is_text=True),
        column("below %", 7, [row.deviation for row in rows], 2),
        column("price", 10, [row.price for row in rows]),
        column("size", 1, [row.size for row in rows], money),
        column("quantity", 3, [row.quantity for row in rows]),
        column("spent", 8, [row.total_spent for row in rows], money),
        column("bought", 2, [row.total_quantity for row in rows]),
        column("average", 4, [row.average_price for row in rows], tick),
        column("take profit", 6, [row.take_profit_price for row in rows]),
        column("rise %", 5, [row.required_change for row in rows], 2),
    ]
    stops = ["" if row.stop_loss_price is None else plain(row.stop_loss_price) for row in rows]
    # JSON does not have the stop loss, so a narrow table does not hide it.
    return [*columns, Column(name="stop loss", worth=9, cells=stops)] if any(stops) else columns
