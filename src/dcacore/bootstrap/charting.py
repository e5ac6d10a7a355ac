"""Candles for the charts of pages, from the exchange on which a bot trades."""

from __future__ import annotations

import datetime

from dcacore.adapters.binance import KNOWN
from dcacore.adapters.candles import ParquetCandleStore
from dcacore.adapters.candles.online import BinanceKlines
from dcacore.application import charts
from dcacore.application.charts import ChartCandles
from dcacore.bootstrap.app import App
from dcacore.ports.errors import PortError
from dcacore.ports.records import Environment


async def candles_of(
    app: App,
    environment: Environment,
    pair: str,
    begin: datetime.datetime,
    end: datetime.datetime,
    *,
    interval: str | None = None,
) -> ChartCandles:
    """Return the candles of *pair* where bots of *environment* trade it; where there are none, the reason is told.

    Args:
        app: the application.
        environment: whose market it is.
        pair: the market.
        begin: from when.
        end: to when.
        interval: how long each is; None chooses one that fits.
    """
    try:
        where = await rest_of(app, environment)
    except PortError as exc:
        return ChartCandles(pair=pair, interval=interval or "", candles=None, reason=str(exc))
    store = ParquetCandleStore(app.settings.data_dir) if has_stored(app, environment) else None
    exchange = BinanceKlines(await app.webs.at(where), app.clock) if where else None
    return await charts.candles(pair, begin, end, exchange=exchange, store=store, interval=interval)


async def rest_of(app: App, environment: Environment) -> str:
    """Return where the environment's REST interface is; empty where there is none.

    Raises:
        PortError: it is not running.
    """
    if environment is Environment.PAPER:
        return "" if app.paper is None else await app.paper.where()
    if environment is Environment.CUSTOM:
        return app.settings.binance_rest_url
    return KNOWN[environment].rest


def has_stored(app: App, environment: Environment) -> bool:
    """Say whether the local store's candles are of this market: Binance's own, or those of the paper exchange's own."""
    return environment is Environment.LIVE or (
        environment is Environment.PAPER and bool(app.settings.paper_exchange_url)
    )
