"""A bot as `dca bot show` shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import click

from dcacli.tables import printable
from dcacore.application.parameters import values_of
from dcacore.application.showing import BotView, DealFigures
from dcacore.application.stamps import utc_stamp
from dcacore.domain.money import plain
from dcacore.ports.records import Reconciliation

_MOST: Final = 10


def print_view(view: BotView, lack: str | None) -> None:
    """Print all about a bot, and why nothing can be traded on its account, if that is so."""
    told = view_json(view)
    record, bot = view.record, view.record.bot
    where = "" if view.account is None else f" on {view.account.name} ({view.account.environment.value})"
    click.echo(f"{record.name} ({bot.id}): {bot.strategy.pair}{where}")
    click.echo(f"State:   {view.state.replace('_', ' ')} (wanted: {bot.wanted.value}, phase: {told['phase']})")
    if bot.trouble is not None:
        click.echo(f"Trouble: {printable(bot.trouble.reason)}")
    if lack is not None:
        click.echo(f"Account: {lack}")
    click.echo(f"Engine:  {_engine(view)}")
    for sentence in view.explanation:
        click.echo(f"  {printable(sentence)}")
    if view.deal is not None:
        _print_deal(view.deal, told["price"])
    life, quote = record.lifetime, bot.market.quote_asset
    click.echo(f"Closed:  {life.deals} deals, {life.won} won, profit {plain(life.profit)} {quote}")
    if view.waiting:
        kinds = ", ".join(f"{it.kind.value} ({it.asked_at:%Y-%m-%d %H:%M:%S})" for it in view.waiting)
        click.echo(f"Waits for an engine: {kinds}")
    if view.reconciliation is not None:
        click.echo(f"Last comparison with the exchange: {_found(view.reconciliation)}")
        for detail in _details(view.reconciliation):
            click.echo(f"  {printable(detail)}")
    if view.activity:
        click.echo("\nActivity, newest first (UTC):")
    for line in view.activity:
        mark = "" if line.level.value == "info" else f"{line.level.value}: "
        click.echo(f"  {line.at:%Y-%m-%d %H:%M:%S}  {mark}{printable(line.text)}")


def _print_deal(standing: DealFigures, price: str | None) -> None:
    deal, market = standing.deal, standing.deal.market
    quote = market.quote_asset
    used = f"{standing.safety_orders_used} of {standing.safety_orders} safety orders used"
    click.echo(f"Deal:    {deal.id}, {used}")
    average = "" if standing.average is None else f", average price {plain(standing.average)}"
    held = f"{plain(deal.books.net)} {market.base_asset}"
    click.echo(f"  spent {plain(deal.books.spent)} {quote} for {held}{average}")
    if deal.books.gone:
        click.echo(f"  gone {plain(deal.books.gone)} {market.base_asset} by no order of it")
    prices = [("target", deal.take_profit_price), ("stop loss", deal.stop_loss_price)]
    prices.append(("next safety order", standing.next_safety_order))
    told = [f"{name} {plain(value)}" for name, value in prices if value is not None]
    if told:
        click.echo(f"  {', '.join(told)}")
    if standing.unrealized is not None:
        percent = "" if standing.unrealized_percent is None else f" ({standing.unrealized_percent:+.2f} %)"
        click.echo(f"  unrealized {plain(standing.unrealized)} {quote}{percent} at the last price it was told, {price}")


def _engine(view: BotView) -> str:
    if not view.engines:
        return "none has reported itself within 30 s: nothing happens until one runs (dca worker)"
    return ", ".join(f"{it.name} (seen {it.seen_at:%H:%M:%S} UTC, {it.bots} bots)" for it in view.engines)


def _found(found: Reconciliation) -> str:
    parts = [f"{len(orders)} {name}" for name, orders in _orders(found) if orders]
    if found.differences:
        parts.append(f"{len(found.differences)} difference{'' if len(found.differences) == 1 else 's'}")
    return f"{found.at:%Y-%m-%d %H:%M:%S} ({printable(found.cause)}): {'; '.join(parts) or 'all as it should be'}"


def _orders(found: Reconciliation) -> list[tuple[str, Sequence[str]]]:
    return [
        ("adopted", found.adopted),
        ("filled meanwhile", found.filled),
        ("gone", found.gone),
        ("stray", found.stray),
    ]


def _details(found: Reconciliation) -> Iterator[str]:
    for name, orders in _orders(found):
        if orders:
            yield f"{name}: {', '.join(_first(orders))}"
    if found.stray:
        yield (
            "Stray orders bear this database's mark and belong to no deal it knows: they are never touched. "
            "Look at them on the exchange, and cancel there those that you do not want."
        )
    yield from _first(found.differences)


def _first(items: Sequence[str]) -> list[str]:
    more = len(items) - _MOST
    return [*items[:_MOST], *([f"and {more} more"] if more > 0 else [])]


def view_json(view: BotView) -> dict[str, Any]:
    """Return all about a bot as JSON has it."""
    record, bot = view.record, view.record.bot
    trouble, found = bot.trouble, view.reconciliation
    return {
        "id": bot.id,
        "name": record.name,
        "account": None if view.account is None else view.account.name,
        "environment": None if view.account is None else view.account.environment.value,
        "state": view.state,
        "wanted": bot.wanted.value,
        "phase": bot.phase.value,
        "trouble": None if trouble is None else {"kind": trouble.kind.value, "reason": trouble.reason},
        "explanation": list(view.explanation),
        "price": None if bot.price is None else plain(bot.price),
        "parameters": values_of(bot.strategy),
        "deal": None if view.deal is None else _deal_json(view.deal),
        "deals_closed": record.lifetime.deals,
        "deals_won": record.lifetime.won,
        "profit": plain(record.lifetime.profit),
        "waiting": [
            {"request": it.id, "kind": it.kind.value, "asked_at": utc_stamp(it.asked_at)} for it in view.waiting
        ],
        "engines": [{"name": it.name, "seen_at": utc_stamp(it.seen_at), "bots": it.bots} for it in view.engines],
        "reconciliation": None
        if found is None
        else {
            "at": utc_stamp(found.at),
            "cause": found.cause,
            "adopted": list(found.adopted),
            "filled": list(found.filled),
            "gone": list(found.gone),
            "stray": list(found.stray),
            "differences": list(found.differences),
        },
        "activity": [
            {"at": utc_stamp(it.at), "kind": it.kind, "level": it.level.value, "text": it.text, "deal": it.deal_id}
            for it in view.activity
        ],
    }


def _deal_json(standing: DealFigures) -> dict[str, Any]:
    deal, books = standing.deal, standing.deal.books

    def text(value: Any) -> str | None:
        return None if value is None else plain(value)

    return {
        "id": deal.id,
        "opened_at": utc_stamp(deal.opened_at),
        "spent": plain(books.spent),
        "net": plain(books.net),
        "gone": plain(books.gone),
        "average_price": text(standing.average),
        "take_profit_price": text(deal.take_profit_price),
        "stop_loss_price": text(deal.stop_loss_price),
        "next_safety_order": text(standing.next_safety_order),
        "safety_orders_used": standing.safety_orders_used,
        "safety_orders": standing.safety_orders,
        "unrealized": text(standing.unrealized),
        "unrealized_percent": text(standing.unrealized_percent),
    }
