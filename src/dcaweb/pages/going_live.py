"""The step to real money: what a deal may cost, and the user's word that it may."""

from __future__ import annotations

from litestar import Controller, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dcacore.application.bots import find
from dcacore.application.going_live import live_step
from dcacore.application.live_start import confirm_and_start
from dcacore.ports.errors import PortError
from dcaweb.flash import redirect
from dcaweb.forms import Form
from dcaweb.pages.asked import Refusal, sent
from dcaweb.pages.bot_actions import ANSWERED
from dcaweb.pages.bots import HOME
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me, signed_in


class GoingLive(Controller):
    """A bot's first start on a live account."""

    path = f"{HOME}/{{bot_id:str}}/go-live"
    guards = (signed_in,)

    @get()
    async def show(self, request: WebRequest, bot_id: FromPath[str]) -> Template | Redirect:
        """Show what it may cost; where nothing has to be confirmed, there is nothing to see."""
        return await self._show(request, bot_id)

    @post()
    async def confirm(self, request: WebRequest, bot_id: FromPath[str], data: Form) -> Template | Redirect:
        """Take the user's word, and ask the bot to start."""
        app = app_of(request)
        try:
            one = await confirm_and_start(
                *app.means,
                app.venues,
                user_id=me(request).id,
                named=bot_id,
                typed=data.get("name", ""),
                shown=data.get("shown", ""),
            )
        except (*ANSWERED, PortError) as error:
            return await self._show(request, bot_id, Refusal.of(error))
        return await sent(request, [one], f"{HOME}/{bot_id}")

    async def _show(self, request: WebRequest, bot_id: str, refusal: Refusal | None = None) -> Template | Redirect:
        app, user = app_of(request), me(request)
        record = await find(app.store, user.id, bot_id)
        try:
            step = await live_step(app.store, app.venues, user_id=user.id, named=bot_id)
        except PortError as error:
            step, refusal = None, refusal or Refusal.of(error)
        else:
            if step is None and refusal is None:
                return redirect(f"{HOME}/{record.bot.id}")
        status = 200 if refusal is None else refusal.status
        return await page(request, "bots/go_live.html", status=status, record=record, step=step, refusal=refusal)
