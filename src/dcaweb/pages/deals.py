"""One deal: how it stands and why, its orders and fills, and what a user may do with it while it is open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from litestar import Controller, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dcacore.application import deals
from dcacore.application.deal_pages import deal_page
from dcacore.application.deals import EDITABLE
from dcacore.application.parameters import texts_of
from dcacore.application.refusals import NotFound
from dcacore.domain.errors import DcaError
from dcacore.ports.records import Request
from dcaweb import forms, parameters
from dcaweb.forms import Form, FormState
from dcaweb.pages import asked
from dcaweb.pages.asked import Refusal, sent
from dcaweb.pages.bot_actions import ANSWERED
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me, signed_in

HOME: Final = "/deals"


class DealPages(Controller):
    """One deal."""

    path = f"{HOME}/{{deal_id:str}}"
    guards = (signed_in,)

    @get()
    async def show(self, request: WebRequest, deal_id: FromPath[str]) -> Template:
        """Show it."""
        return await self._show(request, deal_id)

    @post("/close")
    async def close(self, request: WebRequest, deal_id: FromPath[str], data: Form) -> Template | Redirect:
        """Ask for the sale of what it holds, at market."""
        return await self._ask(request, deal_id, data, deals.close)

    @post("/cancel")
    async def cancel(self, request: WebRequest, deal_id: FromPath[str], data: Form) -> Template | Redirect:
        """Ask for its end without a sale."""
        return await self._ask(request, deal_id, data, deals.cancel)

    @post("/sold")
    async def sold(self, request: WebRequest, deal_id: FromPath[str], data: Form) -> Template | Redirect:
        """Ask for its end, as the user has sold its coins himself."""
        return await self._ask(request, deal_id, data, deals.close_as_sold, sold_at=data.get("sold_at", ""))

    @post("/add-funds")
    async def add_funds(self, request: WebRequest, deal_id: FromPath[str], data: Form) -> Template | Redirect:
        """Ask for one more buy, at market."""
        return await self._ask(
            request, deal_id, data, deals.add_funds, amount=data.get("amount", ""), once=data.get("once", "")
        )

    @post("/edit")
    async def edit(self, request: WebRequest, deal_id: FromPath[str], data: Form) -> Template | Redirect:
        """Ask for other parameters of this deal alone."""
        _, record = await deals.find(app_of(request).store, me(request).id, deal_id)
        now = texts_of(record.deal.strategy)
        typed = {name: data[name].strip() for name in EDITABLE if data.get(name, "").strip()}
        changes = {name: text for name, text in typed.items() if text != now.get(name)}
        return await self._ask(request, deal_id, data, deals.edit, changes=changes)

    async def _ask(
        self,
        request: WebRequest,
        deal_id: str,
        data: Form,
        use_case: Callable[..., Awaitable[Request]],
        **more: Any,
    ) -> Template | Redirect:
        try:
            one = await use_case(*app_of(request).means, user_id=me(request).id, named=deal_id, **more)
        except ANSWERED as error:
            return await self._refused(request, deal_id, data, error)
        return await sent(request, [one], f"{HOME}/{deal_id}")

    async def _refused(self, request: WebRequest, deal_id: str, data: Form, error: DcaError) -> Template:
        if isinstance(error, NotFound):
            raise error
        return await self._show(request, deal_id, Refusal.of(error), forms.refused(data, error))

    async def _show(
        self, request: WebRequest, deal_id: str, refusal: Refusal | None = None, form: FormState = forms.EMPTY
    ) -> Template:
        app = app_of(request)
        found = await deal_page(app.store, app.clock, me(request).id, deal_id)
        deal = found.row.record.deal
        labels = {it.name: it for group in parameters.GROUPS for it in group.parameters}
        return await page(
            request,
            "deals/show.html",
            status=200 if refusal is None else refusal.status,
            it=found,
            deal=deal,
            quote=deal.market.quote_asset,
            base=deal.market.base_asset,
            parameter_groups=parameters.shown(deal.strategy, deal.market.quote_asset),
            editable=[labels[name] for name in EDITABLE],
            values={**texts_of(deal.strategy), **form.values},
            form=form,
            once=app.ids.new(),
            refusal=refusal,
            **await asked.told(request),
        )
