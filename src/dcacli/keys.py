"""`dca keys`: the keys under which exchange keys are stored."""

from __future__ import annotations

import json

import click

from dcacli.session import as_json, in_app


@click.group(epilog="\b\nExample:\n  dca keys generate")
def keys() -> None:
    """The key under which exchange keys are encrypted."""


@keys.command(
    "generate", epilog='\b\nExample:\n  dca keys generate\n  echo "ENCRYPTION_KEY=$(dca keys generate)" >>.env'
)
@as_json
def generate(*, as_json: bool) -> None:
    """Print a new key for ENCRYPTION_KEY. It is stored nowhere: without it no stored exchange key can be read."""
    from dcacore.bootstrap.secret_keys import generate_key

    key = generate_key()
    click.echo(json.dumps({"key": key}) if as_json else key)


@keys.command("rotate", epilog='\b\nExample:\n  dca keys rotate\n  ENCRYPTION_KEY="$NEW,$OLD" dca keys rotate')
@as_json
def rotate(*, as_json: bool) -> None:
    """Encrypt every stored exchange key anew, under the first key of ENCRYPTION_KEY.

    Put the new key before the old one, separated by a comma, and run this; then the old one can go.
    """
    from dcacore.application import accounts

    done = in_app(lambda app: accounts.rotate_keys(app.store, app.secrets))
    click.echo(
        json.dumps({"rotated": done}) if as_json else f"{done} exchange key{'' if done == 1 else 's'} encrypted anew."
    )
