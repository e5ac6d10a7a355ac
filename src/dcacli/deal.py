"""`dca deal`: deals, and what a user may do with an open one."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import click

from dcacli.session import Mine, as_json, as_user, carry_out, confirm, whose, yes

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from dcacore.application.showing import DealFigures
    from dcacore.ports.records import BotRecord, DealRecord, Request

_DEAL = click.argument("name", metavar="DEAL")


@click.group(epilog="\b\nExample:\n  dca deal list\n  dca deal show 'btc calm'")
def deal() -> None:
    """Deals: a DEAL is named by its id; the open one also by its bot."""


@deal.command("list", epilog="\b\nExample:\n  dca deal list --bot 'btc calm' --limit 20")
@click.option("--bot", metavar="BOT", help="Only this bot's. Default: all bots'.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many at most.")
@click.option("--skip", type=click.IntRange(0), default=0, show_default=True, help="Leave out so many first.")
@whose
@as_json
def list_(*, bot: str | None, limit: int, skip: int, email: str | None, as_json: bool) -> None:
    """List deals: open ones first, then the last closed."""
    from dcacli.deal_view import deal_json, print_deals
    from dcacore.application import deals

    found = as_user(email, lambda mine: deals.of(mine.app.store, mine.user.id, bot=bot, limit=limit, skip=skip))
    if as_json:
        click.echo(json.dumps({"deals": [deal_json(record, one) for record, one in found]}))
    elif not found:
        click.echo("There are no deals.")
    else:
        print_deals(found)


@deal.command("show", epilog="\b\nExample:\n  dca deal show abcdefgh-3")
@_DEAL
@whose
@as_json
def show(*, name: str, email: str | None, as_json: bool) -> None:
    """Show a deal with its orders."""
    from dcacli.deal_view import deal_json, print_deal
    from dcacore.application import deals

    record, one = as_user(email, lambda mine: deals.find(mine.app.store, mine.user.id, name))
    if as_json:
        click.echo(json.dumps(deal_json(record, one, with_orders=True)))
    else:
        print_deal(record, one)


@deal.command(
    "close", epilog="\b\nExample:\n  dca deal close abcdefgh-3\n  dca deal close abcdefgh-3 --sold-at 30150.5"
)
@_DEAL
@click.option(
    "--sold-at", metavar="PRICE", help="Sell nothing: you have sold its coins by hand, for so much quote each."
)
@yes
@whose
@as_json
def close(*, name: str, sold_at: str | None, is_sure: bool, email: str | None, as_json: bool) -> None:
    """Sell what an open deal holds, at market, or book it as sold by hand. Its bot goes on."""
    from dcacore.application import deals

    options = email, is_sure, as_json
    if sold_at is None:
        _end(deals.close, "Close deal {} of {}: sell {} at market?", name, options)
    else:
        question = "Close deal {} of {}: {} are sold by hand, at {} each?"
        _end(functools.partial(deals.close_as_sold, sold_at=sold_at), question, name, options, sold_at)


@deal.command("cancel", epilog="\b\nExample:\n  dca deal cancel abcdefgh-3")
@_DEAL
@yes
@whose
@as_json
def cancel(*, name: str, is_sure: bool, email: str | None, as_json: bool) -> None:
    """Take an open deal's orders off and keep its coins in the account. Its bot goes on."""
    from dcacore.application import deals

    _end(deals.cancel, "Cancel deal {} of {}: keep {} in the account?", name, (email, is_sure, as_json))


@deal.command("add-funds", epilog="\b\nExample:\n  dca deal add-funds abcdefgh-3 50")
@_DEAL
@click.argument("amount", metavar="QUOTE")
@whose
@as_json
def add_funds(*, name: str, amount: str, email: str | None, as_json: bool) -> None:
    """Let an open deal buy for so much quote more, at market. Its target moves with its average."""
    from dcacore.application import deals

    async def ask(mine: Mine) -> Request:
        return await deals.add_funds(*mine.app.means, user_id=mine.user.id, named=name, amount=amount)

    carry_out(email, ask, as_json=as_json)


@deal.command("edit", epilog="\b\nExample:\n  dca deal edit abcdefgh-3 --take-profit 2 --more-safety-orders 1")
@_DEAL
@click.option("--take-profit", metavar="PERCENT", help="Another target.")
@click.option("--trailing-deviation", metavar="PERCENT", help="Another trail; 0 is none.")
@click.option("--stop-loss", metavar="PERCENT", help="Another stop loss; 0 is none.")
@click.option("--more-safety-orders", type=click.IntRange(0, 100), help="How many may still fill from now on.")
@click.option("--active-safety-orders", metavar="N", help="How many rest at once.")
@whose
@as_json
def edit(*, name: str, more_safety_orders: int | None, email: str | None, as_json: bool, **given: str | None) -> None:
    """Change an open deal's own parameters. Its bot's, for later deals, stay."""
    from dcacore.application import deals

    changes = {parameter: text for parameter, text in given.items() if text is not None}

    async def ask(mine: Mine) -> Request:
        if more_safety_orders is not None:
            _, found = await deals.find(mine.app.store, mine.user.id, name)
            changes["max_safety_orders"] = str(found.deal.filled_safety_orders + more_safety_orders)
        return await deals.edit(*mine.app.means, user_id=mine.user.id, named=name, changes=changes)

    if not changes and more_safety_orders is None:
        raise click.UsageError("say what should change: --help lists it")
    carry_out(email, ask, as_json=as_json)


def _end(
    use_case: Callable[..., Coroutine[Any, Any, Request]],
    question: str,
    name: str,
    options: tuple[str | None, bool, bool],
    *more: str,
) -> None:
    from dcacore.application import deals

    email, is_sure, as_json = options

    async def ask(mine: Mine) -> Request:
        record, one = await deals.find(mine.app.store, mine.user.id, name)
        if one.deal.closed_at is None:
            confirm(question.format(one.deal.id, record.name, _what(record, one), *more), is_sure=is_sure)
        return await use_case(*mine.app.means, user_id=mine.user.id, named=one.deal.id)

    carry_out(email, ask, as_json=as_json)


def _what(record: BotRecord, one: DealRecord) -> str:
    from dcacore.application.showing import figures

    found = figures(record.bot)
    return "nothing" if found is None or found.deal.id != one.deal.id else holding(found)


def holding(found: DealFigures) -> str:
    """Return in words what a deal holds, and how it stands."""
    from dcacore.domain.money import plain

    market, books = found.deal.market, found.deal.books
    text = f"{plain(books.net)} {market.base_asset} that cost {plain(books.spent)} {market.quote_asset}"
    if found.unrealized is not None:
        text += f" (now {'+' if found.unrealized > 0 else ''}{plain(found.unrealized)} {market.quote_asset})"
    return text
