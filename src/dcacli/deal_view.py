"""Deals as tables and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import click

from dcacli.tables import Column, money_places, print_table, rounded
from dcacore.application.live_exports import state_of
from dcacore.application.showing import figures
from dcacore.application.stamps import utc_stamp
from dcacore.domain.money import plain
from dcacore.domain.orders import Order
from dcacore.ports.records import BotRecord, DealRecord

Found = Sequence[tuple[BotRecord, DealRecord]]


def print_deals(found: Found) -> None:
    """Print a line for each deal."""
    rows = [deal_json(record, one) for record, one in found]

    def column(name: str, field: str, worth: int, *, is_text: bool = False) -> Column:
        return Column(name=name, worth=worth, is_text=is_text, cells=[_cell(row[field]) for row in rows])

    print_table(
        "Deals",
        [
            column("deal", "id", 10, is_text=True),
            column("bot", "bot", 6, is_text=True),
            column("pair", "pair", 5, is_text=True),
            column("state", "state", 9, is_text=True),
            column("reason", "reason", 3, is_text=True),
            column("opened", "opened_at", 4, is_text=True),
            column("closed", "closed_at", 2, is_text=True),
            column("SO", "safety_orders", 1),
            column("spent", "spent", 7),
            column("profit", "profit", 8),
        ],
    )


def print_deal(record: BotRecord, one: DealRecord) -> None:
    """Print a deal with its orders."""
    deal, told = one.deal, deal_json(record, one)
    market = deal.market
    click.echo(f"Deal {deal.id} of {record.name}: {market.pair}, {told['state']}, opened {told['opened_at']}")
    if told["closed_at"]:
        profit = "" if told["profit"] is None else f", profit {told['profit']} {market.quote_asset}"
        click.echo(f"Closed {told['closed_at']} by {told['reason']}{profit}")
    average = f" at {told['average_price']} on average" if told["average_price"] else ""
    click.echo(f"Spent {told['spent']} {market.quote_asset}, holds {told['net']} {market.base_asset}{average}")
    if told["gone"] != "0":
        click.echo(
            f"Gone {told['gone']} {market.base_asset} by no order of it, for {told['gone_for']} {market.quote_asset}"
        )
    for name, field in (("Target", "take_profit_price"), ("Stop loss", "stop_loss_price")):
        if told[field] and told["state"] == "open":
            click.echo(f"{name} {told[field]} {market.quote_asset}")
    if told["unrealized"] is not None:
        click.echo(f"Unrealized {told['unrealized']} {market.quote_asset} at the last price {_last(record)}")
    click.echo()
    orders = list(deal.orders.values())
    if not orders:
        click.echo("No order of it has filled or rests.")
        return

    def column(name: str, worth: int, cells: list[str], *, is_text: bool = False) -> Column:
        return Column(name=name, worth=worth, is_text=is_text, cells=cells)

    places = money_places(max(order.notional for order in orders))
    print_table(
        "Orders",
        [
            column("role", 10, [f"{it.role.value} {it.rung or ''}".rstrip() for it in orders], is_text=True),
            column("side", 5, [it.side.value for it in orders], is_text=True),
            column("state", 9, [it.state.value for it in orders], is_text=True),
            column("price", 8, ["market" if it.price is None else plain(it.price) for it in orders]),
            column("quantity", 7, [plain(it.quantity) for it in orders]),
            column("filled", 6, [plain(it.filled) for it in orders]),
            column("quote", 4, [rounded(it.notional, places) for it in orders]),
            column("order", 1, [it.id for it in orders], is_text=True),
        ],
    )


def deal_json(record: BotRecord, one: DealRecord, *, with_orders: bool = False) -> dict[str, Any]:
    """Return a deal as JSON has it."""
    deal, books, result = one.deal, one.deal.books, one.deal.result
    standing = figures(record.bot)
    is_open = deal.closed_at is None and standing is not None and standing.deal.id == deal.id
    unrealized = standing.unrealized if is_open and standing is not None else None
    told: dict[str, Any] = {
        "id": deal.id,
        "bot": record.name,
        "bot_id": one.bot_id,
        "pair": deal.market.pair,
        "state": state_of(one),
        "reason": None if deal.exit is None else deal.exit.value,
        "opened_at": utc_stamp(deal.opened_at),
        "closed_at": None if deal.closed_at is None else utc_stamp(deal.closed_at),
        "safety_orders": deal.filled_safety_orders,
        "spent": plain(books.cost),
        "net": plain(books.net),
        "gone": plain(books.gone),
        "gone_for": plain(books.gone_for),
        "average_price": plain(books.average.rounded()) if books.bought > 0 else None,
        "take_profit_price": _plain(deal.take_profit_price),
        "stop_loss_price": _plain(deal.stop_loss_price),
        "profit": None if result is None else plain(result.profit),
        "unrealized": _plain(unrealized),
    }
    if with_orders:
        told["orders"] = [_order_json(order) for order in deal.orders.values()]
    return told


def _order_json(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "role": order.role.value,
        "safety_order": order.rung or None,
        "side": order.side.value,
        "state": order.state.value,
        "price": _plain(order.price),
        "quantity": plain(order.quantity),
        "filled": plain(order.filled),
        "notional": plain(order.notional),
    }


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _last(record: BotRecord) -> str:
    return "" if record.bot.price is None else plain(record.bot.price)
