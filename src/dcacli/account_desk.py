"""The commands of `dca account` that look at an exchange: what is held, what is traded, how the way there is."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from dcacli.session import Mine, as_json, as_user, whose

if TYPE_CHECKING:
    from dcacore.application.connections import Connection
    from dcacore.application.holdings import Holdings
    from dcacore.domain.market import Market
    from dcacore.ports.records import Account

_ACCOUNT = click.argument("name", metavar="ACCOUNT")


@click.command("balances", epilog="\b\nExample:\n  dca account balances paper\n  dca account balances spot --in EUR")
@_ACCOUNT
@click.option("--in", "quote", metavar="ASSET", default="USDT", show_default=True, help="What to value it in.")
@whose
@as_json
def balances(*, name: str, quote: str, email: str | None, as_json: bool) -> None:
    """Show what an account holds, free and in orders, and what it is worth at the last prices."""
    from dcacore.application.holdings import holdings

    async def work(mine: Mine) -> Holdings:
        return await holdings(mine.app.store, mine.app.venues, user_id=mine.user.id, named=name, quote=quote)

    found = as_user(email, work)
    if as_json:
        click.echo(json.dumps(_holdings_json(found)))
    else:
        _print_holdings(found)


@click.command("pairs", epilog="\b\nExample:\n  dca account pairs paper btc")
@_ACCOUNT
@click.argument("text", metavar="[TEXT]", default="")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many at most.")
@whose
@as_json
def pairs(*, name: str, text: str, limit: int, email: str | None, as_json: bool) -> None:
    """List the pairs that can be traded where an account is, those that fit TEXT best first, with their rules."""
    from dcacore.application import pairs as found_by

    async def work(mine: Mine) -> tuple[Market, ...]:
        app = mine.app
        return await found_by.search(
            app.store, app.venues, user_id=mine.user.id, named=name, text=text, limit=limit + 1
        )

    found = as_user(email, work)
    shown = found[:limit]
    if as_json:
        click.echo(json.dumps({"pairs": [_market_json(market) for market in shown]}))
        return
    if not shown:
        click.echo(f"No pair fits {text!r}." if text else "No pair is traded now.")
        return
    from dcacli.tables import Column, print_table

    rows = [_market_json(market) for market in shown]
    worths = {"pair": 10, "base_asset": 3, "quote_asset": 2, "tick_size": 5, "step_size": 6, "min_notional": 7}
    titles = {"base_asset": "base", "quote_asset": "quote", "tick_size": "tick", "step_size": "step"}
    print_table(
        "Pairs",
        [
            Column(
                name=titles.get(field, field.replace("_", " ")),
                cells=[str(row[field]) for row in rows],
                is_text=field in {"pair", "base_asset", "quote_asset"},
                worth=worth,
            )
            for field, worth in {**worths, "min_quantity": 4}.items()
        ],
    )
    if len(found) > limit:
        click.echo(f"There are more; --limit {2 * limit} shows them, or a longer text.")


@click.command("health", epilog="\b\nExample:\n  dca account health spot")
@_ACCOUNT
@whose
@as_json
def health(*, name: str, email: str | None, as_json: bool) -> None:
    """Ask an account's exchange what time it is, and show how the way there is: from here, and as engines tell.

    Only engines keep streams open; they tell of them every ten seconds. Exits with 1 when it is not reached from here.
    """
    from dcacore.application import connections

    async def work(mine: Mine) -> tuple[Account, tuple[Connection, ...], str | None]:
        app = mine.app
        account, found = await connections.measure(app.store, app.venues, app.clock, user_id=mine.user.id, named=name)
        is_reached = not any(one.failure for one in found)
        return account, found, await app.venues.prices_from(account.environment) if is_reached else None

    account, found, prices = as_user(email, work)
    if as_json:
        told = {
            "account": account.name,
            "environment": account.environment.value,
            "prices": prices,
            "connections": [_connection_json(one) for one in found],
        }
        click.echo(json.dumps(told))
    else:
        _print_ways(account, found, prices)
    if any(one.failure for one in found):
        sys.exit(1)


def _print_ways(account: Account, found: tuple[Connection, ...], prices: str | None) -> None:
    from dcacli.tables import label

    click.echo(f"{account.name} ({label(account.environment)})")
    if prices is not None:
        click.echo(f"  prices: {prices}")
    if not found:
        click.echo("  it can be reached; nothing is measured of this environment")
    for one in found:
        click.echo(f"  {'from here' if one.engine is None else one.engine}: {_way(one)}")
    if not any(one.engine for one in found):
        click.echo("  no engine that runs has told of its streams there")


def _print_holdings(found: Holdings) -> None:
    from dcacli.tables import Column, label, money_places, print_table, rounded
    from dcacore.domain.money import ZERO, plain

    title = f"{found.account.name} ({label(found.account.environment)})"
    if not found.rows:
        click.echo(f"{title} holds nothing.")
        return
    places = money_places(found.total or ZERO)
    values = ["unknown" if row.value is None else rounded(row.value, places) for row in found.rows]
    print_table(
        f"What {title} holds",
        [
            Column(name="asset", is_text=True, worth=10, cells=[row.asset for row in found.rows]),
            Column(name="free", worth=8, cells=[plain(row.balance.free) for row in found.rows]),
            Column(name="in orders", worth=5, cells=[plain(row.balance.locked) for row in found.rows]),
            Column(name=f"worth in {found.quote}", worth=9, cells=values),
        ],
    )
    if found.total is None:
        click.echo(f"No pair there leads to {found.quote}: what it is worth in it is unknown.")
        return
    left_out = f", without {', '.join(found.unvalued)}" if found.unvalued else ""
    click.echo(f"Together worth {rounded(found.total, places)} {found.quote} at the last prices{left_out}.")


def _holdings_json(found: Holdings) -> dict[str, Any]:
    from dcacore.domain.money import plain

    return {
        "account": found.account.name,
        "environment": found.account.environment.value,
        "quote_asset": found.quote,
        "balances": [
            {
                "asset": row.asset,
                "free": plain(row.balance.free),
                "locked": plain(row.balance.locked),
                "value": None if row.value is None else plain(row.value),
            }
            for row in found.rows
        ],
        "total": None if found.total is None else plain(found.total),
        "without_value": list(found.unvalued),
    }


def _market_json(market: Market) -> dict[str, str]:
    from dcacore.domain.money import plain

    return {
        "pair": market.pair,
        "base_asset": market.base_asset,
        "quote_asset": market.quote_asset,
        "tick_size": plain(market.tick_size),
        "step_size": plain(market.step_size),
        "min_notional": plain(market.min_notional),
        "min_quantity": plain(market.min_quantity),
    }


def _way(one: Connection) -> str:
    it = one.health
    if one.failure:
        return f"not reached: {one.failure}"
    parts = [f"{it.used_weight} of {it.weight_limit} weight used this minute"] if it.weight_limit else []
    if it.clock_offset_ms is not None and it.latency_ms is not None:
        parts = [f"answers within {it.latency_ms} ms", f"its clock is {it.clock_offset_ms:+d} ms off ours", *parts]
    for what, age_s in (("prices", it.prices_age_s), ("account events", it.events_age_s)):
        if age_s is not None:
            parts.append(f"{what} last heard of {age_s:.0f} s ago")
    if one.hold_until is not None:
        parts.append(f"no request before {one.hold_until:%Y-%m-%d %H:%M:%S} UTC")
    return ", ".join(parts)


def _connection_json(one: Connection) -> dict[str, Any]:
    import attrs

    from dcacore.application.stamps import utc_stamp

    told = attrs.asdict(one.health)
    del told["hold_s"]
    return {
        "engine": one.engine,
        "told_at": utc_stamp(one.told_at),
        **told,
        "failure": one.failure or None,
        "hold_until": None if one.hold_until is None else utc_stamp(one.hold_until),
    }
