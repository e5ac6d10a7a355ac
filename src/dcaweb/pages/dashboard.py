"""The dashboard: what the bots have come to, what they are doing, and what needs attention."""

from __future__ import annotations

from typing import Any

import attrs
from litestar import Controller, Request, get
from litestar.datastructures import State
from litestar.response import Template

from dcacore.application.analytics import analytics
from dcacore.application.funds import funds, together
from dcacore.application.identity.preferences import preferences_of
from dcacore.application.overview import overview
from dcacore.application.valuing import LastPrices, valued
from dcacore.application.zones import day_of, zone_of
from dcaweb.choices import Text, choice_of, within
from dcaweb.plots import places_of, profit_so_far
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

    @get("/profit")
    async def profit(self, request: WebRequest, environment: Text, quote_asset: Text) -> dict[str, Any]:
        """Return what the plot of the last thirty days draws."""
        app, user = app_of(request), me(request)
        wishes = await preferences_of(app.identity, user.id)
        zone = zone_of(wishes.time_zone)
        choice = attrs.evolve(choice_of(environment=environment, quote_asset=quote_asset), zone=wishes.time_zone)
        within_days = within(choice, "30", day_of(app.clock.now(), zone))
        groups = (await analytics(app.store, app.clock, user.id, within_days)).groups
        days = groups[0].days if groups else ()
        return profit_so_far(days, quote_asset, zone, digits=places_of(wishes))


def prices_of(request: Request[Any, Any, State]) -> LastPrices:
    """Return the last prices, which all users share."""
    prices: LastPrices = request.app.state.prices
    return prices
