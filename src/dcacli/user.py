"""`dca user`: what an administrator does with users."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from dcacli.session import as_json, confirm, hidden, in_app, settings, yes

if TYPE_CHECKING:
    from dcacore.bootstrap.app import App
    from dcacore.ports.records import User

_PASSWORD = "DCA_PASSWORD"  # noqa: S105  # the name of a variable
_TIERS = click.Choice(["FREE", "PRO"], case_sensitive=False)


@click.group(epilog="\b\nExample:\n  dca user create anna@example.com\n  dca user list")
def user() -> None:
    """Administer users."""


@user.command("create", epilog="\b\nExample:\n  dca user create anna@example.com --tier PRO")
@click.argument("email")
@click.option("--admin", "is_admin", is_flag=True, help="The user may administer others.")
@click.option("--verified", "is_verified", is_flag=True, help="The address is known to be the user's.")
@click.option("--tier", type=_TIERS, help="FREE (1 bot) or PRO (5 bots). Default: DEFAULT_TIER, else FREE.")
@as_json
def create(*, email: str, is_admin: bool, is_verified: bool, tier: str | None, as_json: bool) -> None:
    """Create a user. The password is asked for, or taken from DCA_PASSWORD.

    A SQLite database that is not there yet is made.
    """
    from dcacore.application import users
    from dcacore.ports.records import Tier

    email = users.checked_email(email)
    password = _password()
    chosen = settings().default_tier if tier is None else Tier(tier.upper())

    async def work(app: App) -> User:
        return await users.create(
            *app.means,
            app.passwords,
            email=email,
            password=password,
            is_admin=is_admin,
            is_verified=is_verified,
            tier=chosen,
        )

    _print(in_app(work, may_create=True), "created", as_json=as_json)


@user.command("invite", epilog="\b\nExample:\n  dca user invite anna@example.com")
@click.argument("email")
@click.option("--admin", "is_admin", is_flag=True, help="The user may administer others.")
@click.option("--tier", type=_TIERS, help="FREE (1 bot) or PRO (5 bots). Default: DEFAULT_TIER, else FREE.")
@as_json
def invite(*, email: str, is_admin: bool, tier: str | None, as_json: bool) -> None:
    """Create a user who chooses the password by a link that is mailed: within 72 hours, once.

    The mail waits in the outbox until a program with a courier runs: `dca serve` or `dca worker`.
    """
    from dcacore.application.identity.inviting import invite as invited
    from dcacore.ports.records import Tier

    chosen = None if tier is None else Tier(tier.upper())
    done = in_app(lambda app: invited(app.identity, email=email, tier=chosen, is_admin=is_admin))
    _print(done, "invited", as_json=as_json)


@user.command("list", epilog="\b\nExample:\n  dca user list --json")
@as_json
def list_(*, as_json: bool) -> None:
    """List all users, oldest first."""
    from dcacore.application import users

    found = in_app(lambda app: users.everyone(app.store))
    if as_json:
        click.echo(json.dumps({"users": [_json(one) for one in found]}))
        return
    if not found:
        click.echo("There are no users yet. `dca user create --help` shows how to make one.")
        return
    from dcacli.tables import Column, print_table

    print_table(
        f"{len(found)} users" if len(found) > 1 else "1 user",
        [
            Column(name="email", is_text=True, worth=9, cells=[one.email for one in found]),
            Column(name="tier", is_text=True, worth=8, cells=[one.tier.value for one in found]),
            Column(name="admin", is_text=True, worth=7, cells=["yes" if one.is_admin else "" for one in found]),
            Column(name="verified", is_text=True, worth=6, cells=["yes" if one.verified_at else "no" for one in found]),
            Column(name="created", is_text=True, worth=5, cells=[f"{one.created_at:%Y-%m-%d}" for one in found]),
        ],
    )


@user.command("verify", epilog="\b\nExample:\n  dca user verify anna@example.com")
@click.argument("email")
@as_json
def verify(*, email: str, as_json: bool) -> None:
    """Note that an address is its user's, as if the link in the mail had been followed."""
    from dcacore.application import users

    _print(in_app(lambda app: users.verify(app.store, app.clock, email=email)), "verified", as_json=as_json)


@user.command("set-tier", epilog="\b\nExample:\n  dca user set-tier anna@example.com PRO")
@click.argument("email")
@click.argument("tier", type=_TIERS)
@as_json
def set_tier(*, email: str, tier: str, as_json: bool) -> None:
    """Give a user the tier FREE (1 bot) or PRO (5 bots); who pays for PRO has it anyway.

    Bots that are there stay. Those that a smaller tier does not carry end their deals and start no new one.
    """
    from dcacore.application import users
    from dcacore.ports.records import Tier

    chosen = Tier(tier.upper())
    done = in_app(lambda app: users.set_tier(*app.means, email=email, tier=chosen, selling=app.selling))
    _print(done, f"is {done.tier.value} now", as_json=as_json)


@user.command("set-admin", epilog="\b\nExample:\n  dca user set-admin anna@example.com yes")
@click.argument("email")
@click.argument("is_admin", metavar="yes|no", type=click.Choice(["yes", "no"], case_sensitive=False))
@as_json
def set_admin(*, email: str, is_admin: str, as_json: bool) -> None:
    """Let a user administer others, or not any more. The last administrator stays one."""
    from dcacore.application import users

    may = is_admin.lower() == "yes"
    done = in_app(lambda app: users.set_admin(app.store, email=email, is_admin=may))
    _print(done, "is an administrator now" if may else "is no administrator now", as_json=as_json)


@user.command("sign-out", epilog="\b\nExample:\n  dca user sign-out anna@example.com")
@click.argument("email")
@as_json
def sign_out(*, email: str, as_json: bool) -> None:
    """End all sessions, API tokens and mailed links of a user. Bots go on, and the password stays."""
    from dcacore.application import users

    _print(in_app(lambda app: users.sign_out(app.store, email=email)), "is signed out everywhere", as_json=as_json)


@user.command("remove", epilog="\b\nExample:\n  dca user remove anna@example.com")
@click.argument("email")
@yes
@as_json
def remove(*, email: str, is_sure: bool, as_json: bool) -> None:
    """Forget a user with everything: bots and their history, accounts, keys. Bots that trade are stopped before."""
    from dcacore.application import users
    from dcacore.application.identity.leaving import remove_user

    found = in_app(lambda app: users.find(app.store, email))
    confirm(f"Remove {found.email} with all bots and their history?", is_sure=is_sure)
    removed = in_app(lambda app: remove_user(app.store, found.id, is_selling=app.shop is not None))
    _print(removed, "removed", as_json=as_json)


@user.command("reset-password", epilog="\b\nExample:\n  dca user reset-password anna@example.com")
@click.argument("email")
@as_json
def reset_password(*, email: str, as_json: bool) -> None:
    """Give a user another password. It is asked for, or taken from DCA_PASSWORD."""
    from dcacore.application import users

    password = _password()
    done = in_app(lambda app: users.reset_password(app.store, app.passwords, email=email, password=password))
    _print(done, "has another password now", as_json=as_json)


def _password() -> str:
    from dcacore.application import users

    password = os.environ.get(_PASSWORD) or hidden("Password", _PASSWORD, is_new=True)
    users.check_password(password)
    return password


def _print(one: User, what: str, *, as_json: bool) -> None:
    click.echo(json.dumps(_json(one)) if as_json else f"{one.email}: {what}")


def _json(one: User) -> dict[str, Any]:
    from dcacore.application.stamps import utc_stamp

    return {
        "id": one.id,
        "email": one.email,
        "tier": one.tier.value,
        "is_admin": one.is_admin,
        "verified_at": utc_stamp(one.verified_at) if one.verified_at else None,
        "created_at": utc_stamp(one.created_at),
    }
