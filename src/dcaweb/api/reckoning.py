"""What a bot would do, and would have done: ladders and backtests. Nothing of the user's changes by them."""

from __future__ import annotations

from typing import Final

from litestar import Controller, get, post

from dcacore.bootstrap.backtests import Backtests, Order
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.preview import ladder
from dcacore.ports.candle_store import known_pair
from dcacore.ports.intervals import interval_ms
from dcaweb.api import operations
from dcaweb.api.bearers import ONLY_READS, ApiRequest, user_id_of
from dcaweb.api.bodies import Body, body_of, bot_of, named, number_of, text_of, whole_of
from dcaweb.api.queries import Named
from dcaweb.api.views.reckoning import BacktestView, LadderView, backtest_view, ladder_view
from dcaweb.requests import app_of

_YEAR_10000_MS: Final = 253_402_300_799_999
_TERMS: Final = ("interval", "from_ms", "to_ms", "path", "slippage", "balance")
_MOST_CANDLES: Final = 1_100_000
_PATHS: Final = ("nearest", "high_first", "low_first")


class LadderApi(Controller):
    """Ladders."""

    path = "/ladder"
    tags = ("Reckoning",)

    @post(operation_id="ReckonLadder", operation_class=operations.LadderFrom, status_code=200, opt={ONLY_READS: True})
    async def reckon(self, request: ApiRequest) -> LadderView:
        """Show every order that a bot would place from a price on, and how the deal stands after each."""
        body = await body_of(request)
        price = number_of(body, "price")
        if price is None:
            raise InvalidParameter("price", None, "is missing")
        bot, market = bot_of(body, beside=("price",))
        return ladder_view(ladder(bot.strategy, price, market, bot.fees))


class BacktestApi(Controller):
    """Backtests."""

    path = "/backtests"
    tags = ("Reckoning",)

    @post(
        operation_id="BeginBacktest",
        operation_class=operations.NewBacktest,
        status_code=202,
        opt={ONLY_READS: True},
    )
    async def begin(self, request: ApiRequest) -> BacktestView:
        """Play a bot over candles of the local store, in the background; two of a user may be under way."""
        order = _order(await body_of(request), app_of(request).settings.data_dir)
        backtests: Backtests = request.app.state.backtests
        return backtest_view(await backtests.begin(user_id_of(request), order), None)

    @get("/{backtest_id:str}", operation_id="GetBacktest")
    async def show(self, request: ApiRequest, backtest_id: Named) -> BacktestView:
        """Show how a backtest stands, and its report when it is done."""
        backtests: Backtests = request.app.state.backtests
        user_id, run_id = user_id_of(request), named("backtest", backtest_id)
        run = await backtests.of(user_id, run_id)
        return backtest_view(run, await backtests.report(user_id, run_id) if run.state.has_ended else None)


def _order(body: Body, data_dir: str) -> Order:
    bot, market = bot_of(body, beside=_TERMS)
    known_pair(bot.strategy.pair)
    interval, path = text_of(body, "interval"), text_of(body, "path", "nearest")
    length = interval_ms(interval)
    if path not in _PATHS:
        raise InvalidParameter("path", None, f"must be one of {', '.join(_PATHS)}")
    from_ms, to_ms = (whole_of(body, name, least=0, most=_YEAR_10000_MS) for name in ("from_ms", "to_ms"))
    if from_ms is not None and to_ms is not None and not from_ms < to_ms <= from_ms + length * _MOST_CANDLES:
        rule = f"must lie behind from_ms, with at most {_MOST_CANDLES} candles between them"
        raise InvalidParameter("to_ms", to_ms, rule)
    slippage, balance = number_of(body, "slippage") or 0, number_of(body, "balance")
    if not 0 <= slippage < 1:
        raise InvalidParameter("slippage", None, "must be a fraction, at least 0 and below 1")
    if balance is not None and balance < 0:
        raise InvalidParameter("balance", None, "must be 0 or more")
    return Order(
        bot=bot,
        market=market,
        data_dir=data_dir,
        interval=interval,
        from_ms=from_ms,
        to_ms=to_ms,
        path=path,
        slippage=slippage,
        balance=balance,
    )
