"""The commands of `dca bot` that an engine carries out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dcacli.session import Mine, as_json, as_user, carry_out, confirm, settled, tell, whose, yes, yes_live

if TYPE_CHECKING:
    from dcacore.ports.records import BotRecord, Request

_BOT = click.argument("name", metavar="BOT")
_SELL = click.option("--sell", "sells", is_flag=True, help="Sell what open deals hold, at market.")
_KEEP = click.option("--keep", "keeps", is_flag=True, help="Keep what open deals hold in the account.")


@click.command("start", epilog="\b\nExample:\n  dca bot start 'btc calm'")
@_BOT
@yes_live
@whose
@as_json
def start(*, name: str, is_live_meant: bool, email: str | None, as_json: bool) -> None:
    """Let a bot trade. It is checked and compared with the exchange first.

    One that has never traded real money is told what it may spend at most, and asked for the bot's name; so is one
    whose parameters have been changed since, so that it may spend more.
    """
    from dcacli.live_step import agree
    from dcacore.application import asking, showing
    from dcacore.ports.errors import Unavailable
    from dcacore.ports.records import RequestKind

    async def ask(mine: Mine) -> Request:
        account = (await showing.show(mine.app.store, mine.user.id, name, lines=0)).account
        lack = None if account is None else mine.app.venues.lack(account.environment)
        if lack is not None:
            raise Unavailable(lack)
        await agree(mine, name, is_meant=is_live_meant)
        return await asking.ask(*mine.app.means, user_id=mine.user.id, bot=name, kind=RequestKind.START)

    carry_out(email, ask, as_json=as_json)


@click.command("pause", epilog="\b\nExample:\n  dca bot pause 'btc calm'")
@_BOT
@whose
@as_json
def pause(*, name: str, email: str | None, as_json: bool) -> None:
    """Let a bot start no new deal. An open one is managed to its end; `dca bot start` ends the pause."""
    _ask(name, "PAUSE", email, as_json=as_json)


@click.command("retry", epilog="\b\nExample:\n  dca bot retry 'btc calm'")
@_BOT
@whose
@as_json
def retry(*, name: str, email: str | None, as_json: bool) -> None:
    """Let a bot in trouble go on, after you have seen to what it says."""
    _ask(name, "RETRY", email, as_json=as_json)


@click.command("stop", epilog="\b\nExample:\n  dca bot stop 'btc calm' --keep\n  dca bot stop 'btc calm' --sell --yes")
@_BOT
@_SELL
@_KEEP
@yes
@whose
@as_json
def stop(*, name: str, sells: bool, keeps: bool, is_sure: bool, email: str | None, as_json: bool) -> None:
    """End a bot, and an open deal with it: --sell or --keep says what becomes of its coins."""
    from dcacore.application import asking, bots
    from dcacore.ports.records import RequestKind

    sell = _wants_sale(sells=sells, keeps=keeps)

    async def ask(mine: Mine) -> Request:
        record = await bots.find(mine.app.store, mine.user.id, name)
        if record.bot.deal is not None and sell is None:
            raise click.UsageError(f"{record.name} has an open deal: say --sell or --keep")
        if sell:
            confirm(f"Stop {record.name} and sell {_holding(record)}?", is_sure=is_sure)
        details = {"sell": "true" if sell else "false"}
        return await asking.ask(
            *mine.app.means, user_id=mine.user.id, bot=record.bot.id, kind=RequestKind.STOP, details=details
        )

    carry_out(email, ask, as_json=as_json)


@click.command("stop-all", epilog="\b\nExample:\n  dca bot stop-all --keep")
@_SELL
@_KEEP
@yes
@whose
@as_json
def stop_all(*, sells: bool, keeps: bool, is_sure: bool, email: str | None, as_json: bool) -> None:
    """End all bots of a user that are not stopped, and their deals: --sell or --keep is needed."""
    from dcacore.application import asking, bots

    sell = _wants_sale(sells=sells, keeps=keeps)
    if sell is None:
        raise click.UsageError("say --sell or --keep: what becomes of the coins of open deals?")

    async def work(mine: Mine) -> list[dict[str, Any]]:
        if sell:
            opened = [record for record in await bots.of(mine.app.store, mine.user.id) if record.bot.deal is not None]
            held = "; ".join(f"{record.name}: {_holding(record)}" for record in opened) or "nothing is held"
            confirm(f"Stop all bots and sell what their deals hold ({held})?", is_sure=is_sure)
        requests = await asking.stop_all(*mine.app.means, user_id=mine.user.id, sell=sell)
        return [await settled(mine, request) for request in requests]

    results = as_user(email, work)
    if not results and not as_json:
        click.echo("No bot runs.")
    tell(results, as_json=as_json, is_list=True)


@click.command(
    "edit",
    epilog="\b\nExample:\n  dca bot edit 'btc calm' --set take_profit=2 --set max_safety_orders=5\n"
    "  dca bot edit 'btc calm' btc-calm.toml",
)
@_BOT
@click.argument("file", metavar="[BOT.toml]", required=False)
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="A parameter; repeatable; no VALUE unsets.")
@yes_live
@whose
@as_json
def edit(
    *, name: str, file: str | None, given: tuple[str, ...], is_live_meant: bool, email: str | None, as_json: bool
) -> None:
    """Give a bot other parameters, by their names in the bot file: all those of a file, or some.

    They hold from its next deal on; an open deal keeps its own (`dca deal edit`). With real money, a bot that runs and
    may spend more with them asks for its name first.
    """
    from dcacli.live_step import agree
    from dcacore.application import editing

    if (file is None) is not bool(given):
        raise click.UsageError("give either a bot file or --set NAME=VALUE")
    changes = _of_file(file) if file is not None else dict(_pair(text) for text in given)

    async def ask(mine: Mine) -> Request:
        await agree(mine, name, is_meant=is_live_meant, changes=changes)
        return await editing.edit(*mine.app.means, user_id=mine.user.id, named=name, changes=changes)

    carry_out(email, ask, as_json=as_json)


def _wants_sale(*, sells: bool, keeps: bool) -> bool | None:
    if sells and keeps:
        raise click.UsageError("--sell and --keep contradict each other: say one of them")
    return sells if sells or keeps else None


def _of_file(file: str) -> dict[str, str]:
    from dcacore.application.parameters import texts_of
    from dcacore.bootstrap import read_bot

    return {"active_safety_orders": "", **texts_of(read_bot(file).strategy)}  # the only one that may be unset


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise click.UsageError(f"--set {text!r} is no NAME=VALUE")
    return name.strip(), value.strip()


def _ask(name: str, kind: str, email: str | None, *, as_json: bool) -> None:
    from dcacore.application import asking
    from dcacore.ports.records import RequestKind

    async def ask(mine: Mine) -> Request:
        return await asking.ask(*mine.app.means, user_id=mine.user.id, bot=name, kind=RequestKind[kind])

    carry_out(email, ask, as_json=as_json)


def _holding(record: BotRecord) -> str:
    from dcacli.deal import holding
    from dcacore.application.showing import figures

    found = figures(record.bot)
    return "nothing: no deal is open" if found is None else holding(found)
