"""`dca account`: exchange accounts and their keys."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from dcacli.account_desk import balances, health, pairs
from dcacli.session import Mine, as_json, as_user, hidden, settings, whose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dcacore.ports.exchange import Balance
    from dcacore.ports.records import Account
    from dcacore.ports.secrets import ApiKey

_KEY, _SECRET = "DCA_API_KEY", "DCA_API_SECRET"
_ENVIRONMENTS = click.Choice(["paper", "testnet", "live", "custom"])


@click.group(epilog="\b\nExample:\n  dca account add paper\n  dca account check paper")
def account() -> None:
    """Exchange accounts."""


@account.command("add", epilog="\b\nExample:\n  dca account add paper\n  dca account add testnet --name spot")
@click.argument("environment", type=_ENVIRONMENTS, required=False)
@click.option("--name", metavar="NAME", help="What to call it. Default: like its environment.")
@whose
@as_json
def add(*, environment: str | None, name: str | None, email: str | None, as_json: bool) -> None:
    """Add an account: on paper, or one of the exchange's testnet, live or custom surroundings.

    Without a word on that it is one of the testnet, or a live one where BINANCE_TESTNET is false.

    Key and secret are asked for, or taken from DCA_API_KEY and DCA_API_SECRET; they are stored encrypted under
    ENCRYPTION_KEY. The exchange is asked what the key may do before it is kept: one that may withdraw coins is
    refused. An account on paper needs no key.
    """
    from dcacore.application import accounts
    from dcacore.ports.records import Environment

    if environment is None:
        environment = "testnet" if settings().binance_testnet else "live"
    where = Environment(environment)
    key = None if where is Environment.PAPER else _key()

    async def work(mine: Mine) -> Account:
        return await accounts.add(
            *mine.app.means,
            mine.app.secrets,
            user_id=mine.user.id,
            name=environment if name is None else name,
            environment=where,
            api_key=key,
            keys=mine.app.keys,
            warn=_warn,
        )

    done = as_user(email, work)
    click.echo(json.dumps(_json(done)) if as_json else f"{done.name}: added ({done.environment.value})")


@account.command("list", epilog="\b\nExample:\n  dca account list")
@whose
@as_json
def list_(*, email: str | None, as_json: bool) -> None:
    """List a user's accounts."""
    from dcacore.application import accounts

    found = as_user(email, lambda mine: accounts.of(mine.app.store, mine.user.id))
    if as_json:
        click.echo(json.dumps({"accounts": [_json(one) for one in found]}))
        return
    if not found:
        click.echo("There are no accounts yet. `dca account add paper` makes one to try things out.")
        return
    from dcacli.tables import Column, label, print_table

    print_table(
        "Accounts",
        [
            Column(name="name", is_text=True, worth=9, cells=[one.name for one in found]),
            Column(name="environment", is_text=True, worth=8, cells=[label(one.environment) for one in found]),
            Column(name="key", is_text=True, worth=7, cells=["stored" if one.api_key else "none" for one in found]),
            Column(name="added", is_text=True, worth=6, cells=[f"{one.created_at:%Y-%m-%d}" for one in found]),
            Column(name="id", is_text=True, worth=1, cells=[one.id for one in found]),
        ],
    )


@account.command("check", epilog="\b\nExample:\n  dca account check paper")
@click.argument("name", metavar="ACCOUNT")
@whose
@as_json
def check(*, name: str, email: str | None, as_json: bool) -> None:
    """Ask the exchange what an account holds, which shows that it can be reached and takes the key."""
    from dcacore.application import accounts
    from dcacore.domain.money import plain

    async def work(mine: Mine) -> Mapping[str, Balance]:
        return await accounts.check(mine.app.store, mine.app.venues, user_id=mine.user.id, named=name)

    held = {asset: balance for asset, balance in sorted(as_user(email, work).items()) if any(_both(balance))}
    if as_json:
        balances = {asset: {"free": plain(it.free), "locked": plain(it.locked)} for asset, it in held.items()}
        click.echo(json.dumps({"account": name, "balances": balances}))
        return
    click.echo(f"{name}: in order" if held else f"{name}: in order, and empty")
    for asset, balance in held.items():
        locked = f", {plain(balance.locked)} in orders" if balance.locked else ""
        click.echo(f"  {asset}: {plain(balance.free)} free{locked}")


@account.command("key", epilog="\b\nExample:\n  dca account key spot")
@click.argument("name", metavar="ACCOUNT")
@whose
@as_json
def key(*, name: str, email: str | None, as_json: bool) -> None:
    """Give an account another key, in place of the one that was revoked or has run out.

    Key and secret are asked for, or taken from DCA_API_KEY and DCA_API_SECRET. It must be a key of the same exchange
    account while deals are open. Bots that waited for a key go on by themselves within a minute.
    """
    from dcacore.application import accounts

    given = _key()

    async def work(mine: Mine) -> Account:
        return await accounts.replace_key(
            mine.app.store,
            mine.app.venues,
            mine.app.clock,
            mine.app.secrets,
            user_id=mine.user.id,
            named=name,
            api_key=given,
            keys=mine.app.keys,
            warn=_warn,
        )

    done = as_user(email, work)
    click.echo(json.dumps(_json(done)) if as_json else f"{done.name}: the new key is stored")


@account.command("remove", epilog="\b\nExample:\n  dca account remove spot")
@click.argument("name", metavar="ACCOUNT")
@whose
@as_json
def remove(*, name: str, email: str | None, as_json: bool) -> None:
    """Forget an account and its key. Refused while bots belong to it."""
    from dcacore.application import accounts

    done = as_user(email, lambda mine: accounts.remove(mine.app.store, user_id=mine.user.id, named=name))
    click.echo(json.dumps(_json(done)) if as_json else f"{done.name}: removed")


for _command in (balances, pairs, health):
    account.add_command(_command)


def _warn(sentence: str) -> None:
    click.echo(f"dca: {sentence}", err=True)


def _key() -> ApiKey:
    from dcacore.application import accounts
    from dcacore.ports.secrets import ApiKey

    given = {name: os.environ.get(name) or None for name in (_KEY, _SECRET)}
    missing = [name for name, value in given.items() if value is None]
    if len(missing) == 1:
        raise click.UsageError(f"{missing[0]} is not set: give both {_KEY} and {_SECRET}, or neither to be asked")
    if missing:
        both = f"{_KEY} and {_SECRET}"
        given = {_KEY: hidden("API key", both), _SECRET: hidden("API secret", both)}
    key = ApiKey(str(given[_KEY]).strip(), str(given[_SECRET]).strip())
    accounts.refuse_unusable_key(key)
    return key


def _both(balance: Balance) -> tuple[bool, bool]:
    return bool(balance.free), bool(balance.locked)


def _json(one: Account) -> dict[str, Any]:
    from dcacore.application.stamps import utc_stamp

    return {
        "id": one.id,
        "name": one.name,
        "environment": one.environment.value,
        "has_key": one.api_key is not None,
        "keyed_at": None if one.keyed_at is None else utc_stamp(one.keyed_at),
        "created_at": utc_stamp(one.created_at),
    }
