"""What charts draw, as JSON: candles, a marker for each fill, a line for each price that matters."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from litestar import Controller, get
from litestar.params import FromPath

from dcacore.application.bot_pages import bot_page
from dcacore.application.charts import ChartCandles, LineKind, Marker, PriceLine, span_of
from dcacore.application.deal_pages import deal_page
from dcacore.bootstrap.charting import candles_of
from dcacore.domain.orders import Role, Side
from dcacore.ports.intervals import INTERVALS
from dcaweb.formats import price_text
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me, signed_in

WITHOUT_DEAL: Final = datetime.timedelta(days=1)
"""How much of the past is shown of a bot that has no deal."""
_LINES: Final = {
    LineKind.PRICE: "Price",
    LineKind.AVERAGE: "Average",
    LineKind.TARGET: "Target",
    LineKind.STOP: "Stop",
    LineKind.TRAIL: "Trail",
    LineKind.SAFETY: "SO",
}
_MARKERS: Final = {
    Role.BASE: "Base",
    Role.SAFETY: "SO",
    Role.TAKE_PROFIT: "TP",
    Role.STOP_LOSS: "SL",
    Role.CLOSE: "Close",
    Role.EXTRA: "Extra",
}


class Charts(Controller):
    """The data of charts; the numbers of candles are doubles, which is what a chart can draw."""

    guards = (signed_in,)

    @get("/bots/{bot_id:str}/chart")
    async def of_bot(self, request: WebRequest, bot_id: FromPath[str]) -> dict[str, Any]:
        """Return the chart of a bot: of its open deal, or of the last day."""
        app = app_of(request)
        found = await bot_page(app.store, me(request).id, bot_id, limit=1)
        bot, now = found.view.record.bot, app.clock.now()
        begin, end = (now - WITHOUT_DEAL, now) if bot.deal is None else span_of(bot.deal, now)
        candles = await candles_of(
            app, found.account.environment, bot.market.pair, begin, end, interval=_interval(request)
        )
        return drawn(candles, found.markers, found.lines)

    @get("/deals/{deal_id:str}/chart")
    async def of_deal(self, request: WebRequest, deal_id: FromPath[str]) -> dict[str, Any]:
        """Return the chart of a deal, a little before and after it."""
        app = app_of(request)
        found = await deal_page(app.store, app.clock, me(request).id, deal_id)
        deal = found.row.record.deal
        begin, end = span_of(deal, app.clock.now())
        candles = await candles_of(
            app, found.row.environment, deal.market.pair, begin, end, interval=_interval(request)
        )
        return drawn(candles, found.markers, found.lines)


def _interval(request: WebRequest) -> str | None:
    wanted = request.query_params.get("interval", "")
    return wanted if wanted in INTERVALS else None


def drawn(found: ChartCandles, markers: Iterable[Marker], lines: Iterable[PriceLine]) -> dict[str, Any]:
    """Return what a chart draws; times in seconds since 1970, as the chart wants them."""
    return {
        "pair": found.pair,
        "interval": found.interval,
        "candles": _candles(found),
        "markers": [_marker(it) for it in markers],
        "lines": [line(it) for it in lines],
        "reason": found.reason,
    }


def _candles(found: ChartCandles) -> list[dict[str, float]]:
    it = found.candles
    if it is None:
        return []
    times = (it.open_time // 1000).tolist()
    columns = zip(times, it.open.tolist(), it.high.tolist(), it.low.tolist(), it.close.tolist(), strict=True)
    return [dict(zip(("time", "open", "high", "low", "close"), row, strict=True)) for row in columns]


def _marker(it: Marker) -> dict[str, Any]:
    text = f"{_MARKERS[it.role]} {it.rung}" if it.role is Role.SAFETY else _MARKERS[it.role]
    return {
        "time": int(it.at.timestamp()),
        "side": "buy" if it.side is Side.BUY else "sell",
        "text": text,
        "price": drawn_price(it.price),
    }


def drawn_price(value: Decimal) -> str:
    """Return a price as a chart writes it beside a line: an average is rounded as it is on the page."""
    return price_text(value).replace(",", "")


def line(it: PriceLine) -> dict[str, Any]:
    """Return a price line as a chart draws it."""
    title = f"{_LINES[it.kind]} {it.rung}" if it.kind is LineKind.SAFETY else _LINES[it.kind]
    return {"kind": it.kind.value, "price": drawn_price(it.price), "title": title, "resting": it.is_resting}
