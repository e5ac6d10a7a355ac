"""`dca exchange`: a Binance-compatible exchange on this machine."""

from __future__ import annotations

import asyncio
import json
import math
import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from dcacli.params import TakesFiles, repeat_option
from dcacli.session import as_json, settings

if TYPE_CHECKING:
    from dcacore.local_exchange.addresses import Urls

DEFAULT_PORT: Final = 8100
_PLAIN: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)


class Pairs(click.ParamType[tuple[tuple[str, str], ...]]):
    """Values by name, such as USDT=10000,BTC=0.5."""

    name = "pairs"

    def __init__(self, example: str, *, takes_zero: bool = True) -> None:
        self._example, self._takes_zero = example, takes_zero

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[tuple[str, str], ...]:
        """Return names and values, each value a number in plain digits."""
        if isinstance(value, tuple):
            return value
        pairs = []
        for part in str(value).split(","):
            name, _, number = part.partition("=")
            try:
                is_number = Decimal(number).is_finite() and (Decimal(number) > 0 or self._takes_zero)
            except InvalidOperation:
                is_number = False
            if not name.isalnum() or not name.isupper() or not is_number or not _PLAIN.fullmatch(number):
                self.fail(f"{part!r} is not such as {self._example}", param, ctx)
            pairs.append((name, number))
        return tuple(pairs)


class TakesCandles(TakesFiles):
    """A command whose option --candles takes every file that follows it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Return what click leaves over."""
        return click.Command.parse_args(self, ctx, repeat_option("--candles", args))


@click.group(epilog="\b\nExample:\n  dca exchange serve --random-walk --seed 7")
def exchange() -> None:
    """A Binance-compatible exchange on this machine, to try things out on."""


@exchange.command(
    "serve",
    cls=TakesCandles,
    epilog="\b\nExample:\n  dca exchange serve --random-walk --seed 7\n"
    "  dca exchange serve --candles BTCUSDT-1m-2021-04.zip --speed 10\n"
    "  dca exchange serve --pair BTCUSDT=30000 --control --port 0\n"
    "  dca exchange serve --paper --state paper.books",
)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="H", help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    metavar="N",
    help="Port to listen on; 0 is any that is free.",
)
@click.option("--candles", multiple=True, metavar="FILE...", help="Candle files that the markets follow.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), metavar="X", help="Candles a second.")
@click.option("--live-prices", is_flag=True, help="Follow Binance's market data; by chance while it is out of reach.")
@click.option("--paper", is_flag=True, help="As engines start it for paper accounts; see PAPER_EXCHANGE_URL.")
@click.option("--random-walk", is_flag=True, help="Let the markets wander by chance.")
@click.option("--seed", type=click.IntRange(min=0), metavar="S", help="Which chance.")
@click.option(
    "--pair",
    "pairs",
    type=Pairs("BTCUSDT=30000", takes_zero=False),
    multiple=True,
    metavar="P=X",
    help="A market and its first price.",
)
@click.option(
    "--balance",
    type=Pairs("USDT=10000"),
    default="USDT=10000",
    show_default=True,
    metavar="A=X,...",
    help="What the account of a new key holds.",
)
@click.option("--fee", default="0.001", show_default=True, metavar="X", help="What a trade costs, as a fraction.")
@click.option("--key", "keys", multiple=True, metavar="KEY:SECRET", help="A key and its secret; others are taken too.")
@click.option(
    "--state", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Keep everything in this file."
)
@click.option("--no-limits", is_flag=True, help="Count requests and orders, and refuse none of them for it.")
@click.option("--control", is_flag=True, help="Serve /control: prices, balances, faults. Only on the loopback.")
@as_json
def serve(
    *,
    host: str,
    port: int,
    candles: tuple[str, ...],
    speed: float | None,
    live_prices: bool,
    paper: bool,
    random_walk: bool,
    seed: int | None,
    pairs: tuple[tuple[tuple[str, str], ...], ...],
    balance: tuple[tuple[str, str], ...],
    fee: str,
    keys: tuple[str, ...],
    state: Path | None,
    no_limits: bool,
    control: bool,
    as_json: bool,
) -> None:
    """Serve an exchange that any client for Binance spot can use, until Ctrl-C.

    Any API key is an account of its own, opened when it is first used. A signature tells nothing of the secret: that
    of a key is checked once --key has told it, or /control/key. With --state the next one goes on where this one ended;
    without it nothing is kept.
    """
    if paper and (candles or live_prices or speed is not None):
        raise click.UsageError("--paper has prices of its own: Binance's, or with --random-walk those of chance")
    if len([way for way in (candles, random_walk, live_prices) if way]) > 1:
        raise click.UsageError("--candles, --random-walk and --live-prices exclude each other")
    if speed is not None and not math.isfinite(speed):
        raise click.UsageError("--speed takes a number")
    if seed is not None and not random_walk:
        raise click.UsageError("--seed needs --random-walk")
    secrets = dict(_secret(text) for text in keys)
    from dcacore.bootstrap.logs import configure_logs
    from dcacore.domain.market import Fees
    from dcacore.local_exchange.exchange import Options
    from dcacore.local_exchange.opening import Opening, open_site
    from dcacore.local_exchange.server import run

    opening = Opening(
        options=Options(
            balance={asset: Decimal(amount) for asset, amount in balance},
            fees=Fees(fee_maker=fee, fee_taker=fee),
            secrets=secrets,
            has_limits=not no_limits,
        ),
        pairs={symbol: price for given in pairs for symbol, price in given},
        candles=candles,
        steps=control and speed is None,
        speed=None if speed is None else Decimal(str(speed)),
        seed=(seed or 0) if random_walk else None,
        is_paper=paper,
        is_live=live_prices,
        state=state,
    )
    log = configure_logs(settings())
    try:
        asyncio.run(run(open_site(opening), host, port, has_control=control, tell=_json if as_json else _lines))
    finally:
        log.close()


def _secret(text: str) -> tuple[str, str]:
    key, _, secret = text.partition(":")
    if not key or not secret:
        raise click.UsageError("--key takes a key and its secret, such as KEY:SECRET")
    return key, secret


def _named(urls: Urls) -> dict[str, str]:
    return {"rest": urls.rest, "stream": urls.stream, "ws_api": urls.ws_api}


def _json(urls: Urls) -> None:
    click.echo(json.dumps(_named(urls)))


def _lines(urls: Urls) -> None:
    click.echo("The exchange is open. Clients find it at:")
    for name, url in _named(urls).items():
        click.echo(f"  BINANCE_{name.upper()}_URL={url}")
