"""`/api/v1`: the same use cases as the pages, for programs. JSON, bearer tokens, problem details, and a schema."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

from litestar import Litestar, Router
from litestar.config.app import AppConfig
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from dcacore.application.pair_now import PairsNow
from dcacore.application.valuing import LastPrices
from dcacore.bootstrap import known_market
from dcacore.bootstrap.app import App
from dcacore.bootstrap.backtests import Backtests
from dcaweb.api.bearers import Bearers, may_do_it
from dcaweb.api.bots import BotApi
from dcaweb.api.deals import DealApi
from dcaweb.api.exchange import ExchangeApi
from dcaweb.api.pace import Pace
from dcaweb.api.published import Published
from dcaweb.api.reckoning import BacktestApi, LadderApi
from dcaweb.api.reports import ReportApi

PATH: Final = "/api/v1"
_OUTSIDE_CSRF: Final = {"exclude_from_csrf": True}
_SCHEME: Final = "token"


def install(app_config: AppConfig, app: App, *, largest_body: int) -> None:
    """Add the API to *app_config*, and what it keeps while the program runs."""
    app_config.state.prices = LastPrices(app.venues, app.clock)
    app_config.state.pairs_now = PairsNow(app.store, app.venues, app.clock, known_market)
    app_config.state.pace = Pace(app.clock)
    app_config.state.backtests = Backtests(app)
    app_config.on_shutdown.append(_end_backtests)
    app_config.route_handlers.append(_router(largest_body))
    app_config.openapi_config = _published()


async def _end_backtests(app: Litestar) -> None:
    backtests: Backtests = app.state.backtests
    await backtests.close()


def _router(largest_body: int) -> Router:
    return Router(
        PATH,
        route_handlers=[BotApi, DealApi, LadderApi, BacktestApi, ExchangeApi, ReportApi],
        middleware=[Bearers],
        guards=[may_do_it],
        opt=_OUTSIDE_CSRF,
        security=[{_SCHEME: []}],
        request_max_body_size=largest_body,
    )


def _published() -> OpenAPIConfig:
    """Return how the schema is published: to everybody, as it says nothing of anybody."""
    scheme = SecurityScheme(
        type="http",
        scheme="bearer",
        description="A token made in the settings: of the scope read, or trade, which may change things, too.",
    )
    return OpenAPIConfig(
        title="dcabot",
        version=version("dcabot"),
        description="Bots, deals, accounts and figures of one user. Numbers are decimal texts, times ISO 8601 in UTC.",
        openapi_router=Router(f"{PATH}/schema", route_handlers=[], opt=_OUTSIDE_CSRF, include_in_schema=False),
        render_plugins=[Published(path="/")],
        components=Components(security_schemes={_SCHEME: scheme}),
        use_handler_docstrings=True,
    )
