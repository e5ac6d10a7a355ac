"""Opening an exchange as a command line describes it: its markets, what moves them, where it is to be found."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final

import attrs

from dcacore.adapters.candles import read_candles
from dcacore.adapters.known_markets import known_markets
from dcacore.adapters.system import SystemClock
from dcacore.domain.errors import DcaError
from dcacore.domain.market import Market
from dcacore.domain.money import Price
from dcacore.local_exchange.driving.journal import JournalInUse
from dcacore.local_exchange.driving.live import LivePrices
from dcacore.local_exchange.driving.pace import Player
from dcacore.local_exchange.driving.points import Point, Position, Series, candle_points
from dcacore.local_exchange.driving.source import Source, Told
from dcacore.local_exchange.driving.stepper import Stepper
from dcacore.local_exchange.driving.walk import Walk, walk_points
from dcacore.local_exchange.exchange import LocalExchange, Options
from dcacore.local_exchange.keeping import Keeper
from dcacore.local_exchange.made_up import QUOTES, market_of
from dcacore.local_exchange.paper import PricesFrom, open_paper
from dcacore.local_exchange.site import Site

PAIRS: Final[Mapping[str, str]] = {"BTCUSDT": "30000", "ETHUSDT": "2000", "BNBUSDT": "300"}
"""What is listed, and at what price, when nobody says."""
_SYMBOL: Final = re.compile(r"(?P<symbol>[A-Z0-9]{5,20})(?=[-_.])", re.ASCII)


class CannotOpen(DcaError):
    """The exchange cannot be opened as it was described."""


@attrs.frozen(kw_only=True)
class Opening:
    """How an exchange is to be opened.

    Attributes:
        options: its accounts and limits.
        pairs: the first prices of its markets, by symbol; those of candles need none.
        candles: candle files that its markets follow; the symbol is what a file's name begins with, or the only one
            of *pairs*.
        steps: the markets wait to be stepped; else they follow by themselves.
        speed: candles a second; None plays each as long as it lasted.
        seed: the markets wander by chance, by this one; None leaves them where they are.
        is_paper: as engines start it for paper accounts: see `dcacore.local_exchange.paper`; with a seed, all wander.
        is_live: the markets follow the real ones of the same names, and wander while those cannot be reached.
        state: a file that keeps everything; None keeps nothing.
    """

    options: Options = attrs.field(factory=Options)
    pairs: Mapping[str, str] = attrs.field(factory=dict)
    candles: Sequence[str] = ()
    steps: bool = False
    speed: Decimal | None = None
    seed: int | None = None
    is_paper: bool = False
    is_live: bool = False
    state: Path | None = None


def open_site(opening: Opening) -> Site:
    """Return the exchange, ready to be served.

    Raises:
        CannotOpen: a market, a candle file or the file with its state is not what it should be.
        DcaError: as reading the candles says.
    """
    if opening.is_paper:
        return _paper(opening)
    site = Site(LocalExchange(opening.options))
    if opening.state is not None:
        site.keeper = _keeper(opening.state, site.exchange)
    if opening.candles:
        _follow(site, opening)
        return site
    for symbol, price in (opening.pairs or PAIRS).items():
        _list(site.exchange, known_or_made_up(symbol, price), Price(Decimal(price)))
    if opening.is_live:
        live = _live(site.exchange, opening.seed or 0)
        site.drivers.append(live)
        site.told = lambda: Told(live.source)
    elif opening.seed is not None:
        site.told = lambda: Told(Source.WALK)
        points = _walk(site.exchange, opening.seed)
        site.drivers.append(Player(site.exchange.venue, points, SystemClock(), opening.speed or Decimal(1)))
    return site


def _paper(opening: Opening) -> Site:
    prices = PricesFrom.BINANCE if opening.seed is None else PricesFrom.CHANCE
    options = attrs.evolve(opening.options, has_limits=False)
    with _told_of(opening.state):
        site = open_paper(opening.state, prices, options=options, seed=opening.seed or 0)
    for symbol, price in opening.pairs.items():
        if symbol not in site.exchange.venue.pairs:
            _list(site.exchange, known_or_made_up(symbol, price), Price(Decimal(price)))
            site.exchange.by_chance.add(symbol)
    return site


def _keeper(file: Path, exchange: LocalExchange) -> Keeper:
    with _told_of(file):
        return Keeper(file, exchange)


@contextlib.contextmanager
def _told_of(file: Path | None) -> Iterator[None]:
    """Name the file with which something is wrong."""
    name = "" if file is None else file.name
    try:
        yield
    except JournalInUse as wrong:
        raise CannotOpen(f"{name}: another exchange has this file") from wrong
    except OSError as wrong:
        raise CannotOpen(f"{name}: {wrong.strerror or wrong}") from wrong


def _list(exchange: LocalExchange, market: Market, price: Price) -> None:
    """Open a market at *price*; one that was kept stands where it stood."""
    if price % market.tick_size:
        raise CannotOpen(f"{price} is no price of {market.pair}: its tick size is {market.tick_size}")
    exchange.list_pair(market, price)


def _walk(exchange: LocalExchange, seed: int) -> Iterator[Point]:
    states = [exchange.venue.pair(symbol) for symbol in exchange.venue.pairs]
    return walk_points([Walk(state.market, state.price) for state in states if state.price is not None], seed)


def _live(exchange: LocalExchange, seed: int) -> LivePrices:
    return LivePrices(
        market=exchange.venue,
        symbols=exchange.venue.pairs,
        clock=SystemClock(),
        chance=Random(),  # noqa: S311  # it only spreads tries to connect
        walk=lambda: _walk(exchange, seed),
    )


def _follow(site: Site, opening: Opening) -> None:
    exchange, keeper = site.exchange, site.keeper
    site.told = lambda: Told(Source.CANDLES)
    series = [
        Series(known_or_made_up(symbol, opening.pairs.get(symbol, "")), read_candles(*files))
        for symbol, files in by_symbol(opening.candles, _only(opening.pairs))
    ]
    for one in series:
        _list(exchange, one.market, Price(int(one.ticks.open[0]) * one.market.tick_size))
    points = candle_points(series, after=None if keeper is None else keeper.position)
    if opening.steps:
        stepper = site.stepper = _stepper(exchange, points)
        where = lambda: None if stepper.behind is None else Position.of(stepper.behind)  # noqa: E731
    else:
        player = Player(exchange.venue, points, SystemClock(), opening.speed)
        site.drivers.append(player)
        where = lambda: None if player.last is None else Position.of(player.last)  # noqa: E731
    if keeper is not None:
        keeper.where = where


def _only(pairs: Mapping[str, str]) -> str | None:
    return next(iter(pairs)) if len(pairs) == 1 else None


def _stepper(exchange: LocalExchange, points: Iterator[Point]) -> Stepper:
    try:
        return Stepper(exchange.venue, exchange.clock.true, points)
    except ValueError as wrong:
        raise CannotOpen(str(wrong)) from wrong


def by_symbol(files: Iterable[str], otherwise: str | None = None) -> list[tuple[str, list[str]]]:
    """Return files by the symbol that their names begin with, such as BTCUSDT-1m-2021-04.zip or BTC_USDT-1m.feather.

    Args:
        files: candle files.
        otherwise: the symbol of those whose names begin with none.

    Raises:
        CannotOpen: a name begins with none, and there is no other.
    """
    named = []
    for file in files:
        symbol = symbol_in(Path(file).name) or otherwise
        if symbol is None:
            raise CannotOpen(f"{file}: name its pair with --pair, or let its name begin with it as BTCUSDT-1m.csv does")
        named.append((symbol, file))
    named.sort()
    return [(symbol, [file for _, file in rows]) for symbol, rows in itertools.groupby(named, key=lambda row: row[0])]


def symbol_in(name: str) -> str | None:
    """Return the symbol that a file's name begins with; None when it begins with none."""
    for written in (name.upper(), name.upper().replace("_", "", 1)):
        found = _SYMBOL.match(written)
        if found is not None and found["symbol"].endswith(QUOTES):
            return found["symbol"]
    return None


def known_or_made_up(symbol: str, price: str) -> Market:
    """Return the rules that are known of a market, or else such as a market of that price has.

    Raises:
        CannotOpen: nothing is known, and no price that rules could be made for.
    """
    known = known_markets()
    if symbol in known:
        return Market(pair=symbol, **known[symbol])
    try:
        return market_of(f"{symbol}={price}")[0]
    except ValueError as wrong:
        if price:
            raise CannotOpen(f"{symbol} does not end with what it is priced in, such as USDT") from wrong
        raise CannotOpen(f"no rules are known of {symbol}: say at what price it is, as in {symbol}=0.25") from wrong
