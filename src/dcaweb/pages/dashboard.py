"""The dashboard: what the bots have come to, what they are doing, and what needs attention."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, get
from litestar.datastructures import State
from litestar.response import Template

from dcacore.application.funds import funds, together
from dcacore.application.identity.preferences import preferences_of
from dcacore.application.overview import overview
from dcacore.application.valuing import LastPrices, valued
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me, signed_in


class Dashboard(Controller):
    """How everything stands."""

    path = "/dashboard"
    guards = (signed_in,)

    @get()
    async def show(self, request: WebRequest) -> Template:
        """Show what is stored; what exchanges have to be asked for follows."""
        app, user = app_of(request), me(request)
        wishes = await preferences_of(app.identity, user.id)
        found = await overview(app.store, app.clock, user.id, zone=wishes.time_zone)
        return await page(request, "dashboard/show.html", overview=found)

    @get("/funds")
    async def funds(self, request: WebRequest) -> Template:
        """Show what the accounts hold, what may still be needed of it, and all of it in one currency."""
        app, user = app_of(request), me(request)
        wishes = await preferences_of(app.identity, user.id)
        prices, currency = prices_of(request), wishes.display_currency
        found = await overview(app.store, app.clock, user.id, zone=wishes.time_zone, lines=0)
        held = await funds(app.store, app.venues, prices, user.id, currency=currency)
        return await page(
            request,
            "dashboard/_funds.html",
            accounts=held,
            balances=together(held),
            currency=currency,
            sums=[
                ("Profit, all time", await valued(prices, found.realized, currency)),
                ("Profit today", await valued(prices, found.today, currency)),
                ("Unrealised", await valued(prices, found.unrealized, currency)),
            ],
            has_several_assets=any(it.quote_asset != currency for it in found.standings),
        )


def prices_of(request: Request[Any, Any, State]) -> LastPrices:
    """Return the last prices, which all users share."""
    prices: LastPrices = request.app.state.prices
    return prices
