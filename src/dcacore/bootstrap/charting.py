"""Candles for the charts of pages, from the exchange on which a bot trades."""

from __future__ import annotations

import datetime
from contextlib import AsyncExitStack
from typing import Final

from dcacore.adapters.binance import KNOWN
from dcacore.adapters.candles import ParquetCandleStore
from dcacore.adapters.candles.online import BinanceKlines, Patience, open_web
from dcacore.application import charts
from dcacore.application.charts import ChartCandles
from dcacore.bootstrap.app import App
from dcacore.ports.errors import PortError
from dcacore.ports.records import Environment

_IMPATIENT: Final = Patience(at_once=1, tries=1, connect_s=3, silence_s=5, whole_s=10, longest_pause_s=5)
"""Somebody is looking at the page."""


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
    async with AsyncExitStack() as stack:
        exchange = None
        if where:
            exchange = BinanceKlines(await stack.enter_async_context(open_web(where, app.clock, _IMPATIENT)), app.clock)
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
