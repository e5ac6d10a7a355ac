"""Deals: looked at, and ended."""

from __future__ import annotations

from litestar import Controller, Response, get, post

from dcacore.application import deal_pages, deals
from dcaweb.api.bearers import ApiRequest, user_id_of
from dcaweb.api.bodies import named
from dcaweb.api.queries import Named
from dcaweb.api.settling import LATER, settled
from dcaweb.api.views.deals import DealDetail, deal_detail
from dcaweb.api.views.reckoning import RequestView
from dcaweb.requests import app_of


class DealApi(Controller):
    """Deals."""

    path = "/deals"
    tags = ("Deals",)

    @get("/{deal_id:str}", operation_id="GetDeal")
    async def show(self, request: ApiRequest, deal_id: Named) -> DealDetail:
        """Show a deal with its orders and fills, and what happens next while it is open."""
        app = app_of(request)
        found = await deal_pages.deal_page(app.store, app.clock, user_id_of(request), named("deal", deal_id))
        return deal_detail(found)

    @post("/{deal_id:str}/close", operation_id="CloseDeal", status_code=200, responses=LATER)
    async def close(self, request: ApiRequest, deal_id: Named) -> Response[RequestView]:
        """Sell what the deal holds, at market."""
        app = app_of(request)
        asked = await deals.close(*app.means, user_id=user_id_of(request), named=named("deal", deal_id))
        return await settled(request, asked)

    @post("/{deal_id:str}/cancel", operation_id="CancelDeal", status_code=200, responses=LATER)
    async def cancel(self, request: ApiRequest, deal_id: Named) -> Response[RequestView]:
        """End the deal without a sale: the user keeps its coins."""
        app = app_of(request)
        asked = await deals.cancel(*app.means, user_id=user_id_of(request), named=named("deal", deal_id))
        return await settled(request, asked)
