"""The exchange of paper trading: every account begins with 10,000 USDT, and nobody is held back by limits.

Markets that are known are open to whoever asks for them; others are opened by `POST /control/pair`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from pathlib import Path
from random import Random
from typing import Final

from dcacore.adapters.known_markets import known_markets
from dcacore.adapters.system import SystemClock
from dcacore.domain.market import Market
from dcacore.domain.money import Price
from dcacore.local_exchange.driving.live import HOST
from dcacore.local_exchange.driving.paper import PaperPrices
from dcacore.local_exchange.exchange import LocalExchange, Options
from dcacore.local_exchange.keeping import Keeper
from dcacore.local_exchange.site import Site

_USUAL_TICKS: Final = 3_000_000
"""Where a market begins of which nothing is known: at 30,000 where a tick is a cent."""
_FIRST_PRICES: Final[Mapping[str, str]] = {
    "BTC": "30000", "ETH": "2000", "BNB": "300", "SOL": "100", "XRP": "0.5", "ADA": "0.4", "DOGE": "0.1",
    "LTC": "80", "LINK": "15", "AVAX": "30", "DOT": "6", "TRX": "0.1",
}  # fmt: skip
"""About what a coin costs, in coins that are worth a dollar."""
_DOLLARS: Final = ("USDT", "USDC")


class PricesFrom(Enum):
    """What moves the markets."""

    BINANCE = "binance"  # and chance where that cannot be reached
    CHANCE = "chance"
    HAND = "hand"  # the control interface, and nothing else


def open_paper(
    books: Path | None,
    prices: PricesFrom = PricesFrom.BINANCE,
    *,
    options: Options | None = None,
    host: str = HOST,
    seed: int = 0,
) -> Site:
    """Return the exchange, ready to be served.

    Args:
        books: the file that keeps everything; None keeps nothing.
        prices: what moves its markets.
        options: its accounts; anybody's limits unless said otherwise.
        host: where Binance's market streams are.
        seed: how the markets wander; every start wanders anew.

    Raises:
        JournalInUse: another exchange has the file.
        BadState: it is something else.
        OSError: it cannot be read or written.
    """
    exchange, clock = LocalExchange(options or Options(has_limits=False)), SystemClock()
    exchange.offered = {symbol: Market(pair=symbol, **rules) for symbol, rules in known_markets().items()}
    exchange.price_of_new = first_price
    site = Site(exchange)
    site.is_paper = True
    if books is not None:
        site.keeper = Keeper(books, exchange)
    if prices is PricesFrom.HAND:
        return site
    driver = PaperPrices(
        venue=exchange.venue,
        by_chance=exchange.by_chance,
        first_price=first_price,
        clock=clock,
        chance=Random(f"{seed} {clock.now().isoformat()}"),  # noqa: S311  # nobody's secret
        host=host if prices is PricesFrom.BINANCE else None,
    )
    exchange.price_of_new = driver.price_of_new
    site.drivers.append(driver)
    site.told = driver.told
    return site


def first_price(market: Market) -> Price:
    """Return where a market begins of which nobody tells the price."""
    known = _FIRST_PRICES.get(market.base_asset) if market.quote_asset in _DOLLARS else None
    price = market.tick_size * _USUAL_TICKS if known is None else Decimal(known)
    return Price(price if not price % market.tick_size else market.tick_size * _USUAL_TICKS)
