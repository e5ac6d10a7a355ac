"""`dca bot`: make bots, look at them, tell them what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dcacli.bot_wishes import edit, pause, retry, start, stop, stop_all
from dcacli.session import Mine, as_json, as_user, confirm, whose, yes

if TYPE_CHECKING:
    from dcacore.application.showing import BotView
    from dcacore.ports.records import Account, BotRecord

_BOT = click.argument("name", metavar="BOT")


@click.group(epilog="\b\nExample:\n  dca bot create examples/btc-calm.toml --account paper\n  dca bot start 'btc calm'")
def bot() -> None:
    """Bots: a BOT is named by its name or its id."""


@bot.command("create", epilog="\b\nExample:\n  dca bot create examples/btc-calm.toml --account paper")
@click.argument("file", metavar="BOT.toml")
@click.option("--account", required=True, metavar="NAME", help="The account that it trades on.")
@click.option("--name", metavar="NAME", help="Another name than the file's.")
@whose
@as_json
def create(*, file: str, account: str, name: str | None, email: str | None, as_json: bool) -> None:
    """Make a bot out of a bot file. It does nothing until it is started."""
    from dcacore.application import bots
    from dcacore.bootstrap import market_of, read_bot

    bot_file = read_bot(file)
    market = market_of(bot_file)

    async def work(mine: Mine) -> BotRecord:
        return await bots.create(
            *mine.app.means, user_id=mine.user.id, account=account, bot_file=bot_file, market=market, name=name
        )

    record = as_user(email, work)
    if as_json:
        click.echo(json.dumps({"id": record.bot.id, "name": record.name, "account": account, "state": "stopped"}))
    else:
        click.echo(f"{record.name}: created as {record.bot.id}; `dca bot start` starts it")


@bot.command("list", epilog="\b\nExample:\n  dca bot list")
@whose
@as_json
def list_(*, email: str | None, as_json: bool) -> None:
    """List a user's bots."""
    from dcacore.application import accounts, bots

    async def work(mine: Mine) -> tuple[tuple[BotRecord, ...], tuple[Account, ...]]:
        store = mine.app.store
        return await bots.of(store, mine.user.id), await accounts.of(store, mine.user.id)

    records, of_user = as_user(email, work)
    rows = [_row(record, {one.id: one for one in of_user}) for record in records]
    if as_json:
        click.echo(json.dumps({"bots": rows}))
        return
    if not rows:
        click.echo("There are no bots yet. `dca bot create --help` shows how to make one.")
        return
    from dcacli.tables import Column, print_table

    def column(name: str, field: str, worth: int, *, is_text: bool = True) -> Column:
        return Column(name=name, is_text=is_text, worth=worth, cells=[str(row[field] or "") for row in rows])

    for row in rows:
        row["profit"] = f"{row['profit']} {row['quote_asset']}"
        row["environment"] = (row["environment"] or "").upper()
    print_table(
        "Bots",
        [
            column("name", "name", 10),
            column("state", "state", 9),
            column("pair", "pair", 8),
            column("account", "account", 5),
            column("environment", "environment", 6),
            column("open deal", "deal", 4),
            column("closed", "deals_closed", 3, is_text=False),
            column("profit", "profit", 7, is_text=False),
            column("id", "id", 1),
        ],
    )


@bot.command("show", epilog="\b\nExample:\n  dca bot show 'btc calm'")
@_BOT
@click.option("--lines", type=click.IntRange(0, 1000), default=10, show_default=True, help="Lines of activity.")
@whose
@as_json
def show(*, name: str, lines: int, email: str | None, as_json: bool) -> None:
    """Show all about a bot: how it is and why, what it waits for, its deal, what happened to it last."""
    from dcacli.bot_view import print_view, view_json
    from dcacore.application import showing

    async def work(mine: Mine) -> tuple[BotView, str | None]:
        view = await showing.show(mine.app.store, mine.user.id, name, lines=lines)
        return view, None if view.account is None else mine.app.venues.lack(view.account.environment)

    view, lack = as_user(email, work)
    if as_json:
        click.echo(json.dumps({**view_json(view), "cannot_trade": lack}))
    else:
        print_view(view, lack)


@bot.command("rename", epilog="\b\nExample:\n  dca bot rename 'btc calm' 'btc bold'")
@_BOT
@click.argument("new_name", metavar="NAME")
@whose
@as_json
def rename(*, name: str, new_name: str, email: str | None, as_json: bool) -> None:
    """Give a bot another name."""
    from dcacore.application import bots

    record = as_user(email, lambda mine: bots.rename(mine.app.store, user_id=mine.user.id, named=name, name=new_name))
    click.echo(json.dumps({"id": record.bot.id, "name": record.name}) if as_json else f"{name}: is {record.name} now")


@bot.command("delete", epilog="\b\nExample:\n  dca bot delete 'btc calm'")
@_BOT
@yes
@whose
@as_json
def delete(*, name: str, is_sure: bool, email: str | None, as_json: bool) -> None:
    """Delete a stopped bot with all its history. Refused while anything of it is open."""
    from dcacore.application import bots
    from dcacore.domain.money import plain

    async def work(mine: Mine) -> BotRecord:
        record = await bots.find(mine.app.store, mine.user.id, name)
        made, quote = record.lifetime, record.bot.market.quote_asset
        confirm(
            f"Delete {record.name} with its {made.deals} closed deals (profit {plain(made.profit)} {quote}) for good?",
            is_sure=is_sure,
        )
        return await bots.delete(mine.app.store, user_id=mine.user.id, named=record.bot.id)

    record = as_user(email, work)
    click.echo(json.dumps({"id": record.bot.id, "name": record.name}) if as_json else f"{record.name}: deleted")


@bot.command("export", epilog="\b\nExample:\n  dca bot export 'btc calm' --out btc-calm.toml")
@_BOT
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="A file instead of the terminal.")
@whose
@as_json
def export(*, name: str, out: Path | None, email: str | None, as_json: bool) -> None:
    """Print a bot as a bot file, which makes the same bot again."""
    from dcacore.application import bots, editing
    from dcacore.bootstrap import refuse_unwritable, write_whole

    if out is not None:
        refuse_unwritable(out)
    record = as_user(email, lambda mine: bots.find(mine.app.store, mine.user.id, name))
    text = editing.bot_file_text(record)
    if out is not None:
        write_whole({out: text.encode()})
    if as_json:
        click.echo(json.dumps({"name": record.name, "file": str(out) if out else None, "toml": text}))
    elif out is None:
        click.echo(text, nl=False)
    else:
        click.echo(f"{record.name}: written to {out}")


for _command in (start, pause, stop, stop_all, retry, edit):
    bot.add_command(_command)


def _row(record: BotRecord, accounts: dict[Any, Account]) -> dict[str, Any]:
    from dcacore.domain.bot import shown_state
    from dcacore.domain.money import plain

    account, bot = accounts.get(record.account_id), record.bot
    return {
        "id": bot.id,
        "name": record.name,
        "pair": bot.strategy.pair,
        "account": None if account is None else account.name,
        "environment": None if account is None else account.environment.value,
        "state": shown_state(bot),
        "deal": None if bot.deal is None else bot.deal.id,
        "deals_closed": record.lifetime.deals,
        "profit": plain(record.lifetime.profit),
        "quote_asset": bot.market.quote_asset,
    }
