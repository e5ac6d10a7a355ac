"""`dca mail`: whether mail arrives."""

from __future__ import annotations

import json

import click

from dcacli.errors import REFUSED, complain
from dcacli.session import as_json, settings


@click.group(epilog="\b\nExample:\n  dca mail test anna@example.com")
def mail() -> None:
    """Mail, and whether it arrives."""


@mail.command("test", epilog="\b\nExample:\n  dca mail test anna@example.com")
@click.argument("address")
@as_json
def test(*, address: str, as_json: bool) -> None:
    """Send a letter to ADDRESS now, by Resend or the mail server that is set, and tell what came of it.

    It needs no database, and is not tried again.
    """
    chosen = settings()
    import asyncio

    from dcacore.application import users
    from dcacore.bootstrap.mail import LOGGED, mail_way, try_mail

    to, way = users.checked_email(address), mail_way(chosen)
    if way == LOGGED:
        complain("no mail is sent: neither RESEND_API_KEY nor SMTP_URL is set, and mail is only written to the log")
        raise SystemExit(REFUSED)
    sent = asyncio.run(try_mail(chosen, to))
    if as_json:
        click.echo(json.dumps({"to": sent.to, "from": chosen.mail_from, "by": way, "key": sent.key}))
    else:
        click.echo(f"{sent.to}: taken by {way}; should it not arrive, look among unwanted mail, then at the service")
