"""The bots: all of them, and one of them with everything that explains it."""

from __future__ import annotations

from typing import Final

from litestar import Controller, Response, get
from litestar.params import FromPath
from litestar.response import Template

from dcacore.application.bot_pages import PAGE, bot_cards, bot_page, exported
from dcacore.application.deal_pages import deal_row
from dcaweb import parameters
from dcaweb.pages import asked
from dcaweb.pages.asked import Refusal
from dcaweb.paging import Pages, page_number
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me, signed_in

HOME: Final = "/bots"


class BotPages(Controller):
    """What there is to see of bots."""

    path = HOME
    guards = (signed_in,)

    @get()
    async def index(self, request: WebRequest) -> Template:
        """Show all of them."""
        return await bots_page(request)

    @get("/{bot_id:str}")
    async def show(self, request: WebRequest, bot_id: FromPath[str]) -> Template:
        """Show one of them."""
        return await one_bot_page(request, bot_id)

    @get("/{bot_id:str}/export", media_type="application/toml")
    async def export(self, request: WebRequest, bot_id: FromPath[str]) -> Response[str]:
        """Send it as a bot file."""
        name, text = await exported(app_of(request).store, me(request).id, bot_id)
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(text, media_type="application/toml; charset=utf-8", headers=headers)


async def bots_page(request: WebRequest, refusal: Refusal | None = None) -> Template:
    """Return the list of the user's bots, with what came of what was asked last."""
    found = await bot_cards(app_of(request).store, me(request).id)
    status = 200 if refusal is None else refusal.status
    return await page(
        request, "bots/index.html", status=status, bots=found, refusal=refusal, **await asked.told(request)
    )


async def one_bot_page(request: WebRequest, bot_id: str, refusal: Refusal | None = None) -> Template:
    """Return the page of one of the user's bots, likewise.

    Raises:
        NotFound: the user has none of that id.
    """
    app = app_of(request)
    number = page_number(request)
    found = await bot_page(app.store, me(request).id, bot_id, limit=PAGE, skip=(number - 1) * PAGE)
    rows = [deal_row(it, found.card.name, found.account, app.clock.now()) for it in found.deals.deals]
    status = 200 if refusal is None else refusal.status
    return await page(
        request,
        "bots/show.html",
        status=status,
        it=found,
        rows=rows,
        pages=Pages(number=number, per_page=PAGE, total=found.deals.total),
        parameter_groups=parameters.shown(found.view.record.bot.strategy, found.card.quote_asset),
        refusal=refusal,
        **await asked.told(request),
    )
