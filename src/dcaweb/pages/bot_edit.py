"""Other parameters for a bot, from its next deal on."""

from __future__ import annotations

import attrs
from litestar import Controller, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dcacore.application import accounts, editing
from dcacore.application.bots import find
from dcacore.application.going_live import LiveStep, live_step
from dcacore.application.live_start import confirm_and_edit
from dcacore.application.parameters import texts_of
from dcacore.application.refusals import NotConfirmed, NotFound
from dcacore.ports.errors import PortError
from dcaweb import forms, parameters
from dcaweb.drafting import EDITED, EMPTY_LOOK, USUAL, pairs_now_of, preview_of
from dcaweb.flash import redirect
from dcaweb.forms import Fields, Form, FormState
from dcaweb.pages.asked import sent
from dcaweb.pages.bot_actions import ANSWERED
from dcaweb.pages.bots import HOME
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me, signed_in


class BotEdit(Controller):
    """A bot's parameters as a form."""

    path = f"{HOME}/{{bot_id:str}}/edit"
    guards = (signed_in,)

    @get()
    async def form(self, request: WebRequest, bot_id: FromPath[str]) -> Template:
        """Show what it has."""
        return await self._form(request, bot_id, forms.EMPTY)

    @post()
    async def edit(self, request: WebRequest, bot_id: FromPath[str], data: Form) -> Template | Redirect:
        """Ask for what was typed; what costs more real money than was confirmed is confirmed first."""
        app, user = app_of(request), me(request)
        record = await find(app.store, user.id, bot_id)
        changes = changed(texts_of(record.bot.strategy), data)
        if not changes:
            return redirect(f"{HOME}/{record.bot.id}")
        try:
            if "shown" in data:
                one = await confirm_and_edit(
                    *app.means,
                    app.venues,
                    user_id=user.id,
                    named=bot_id,
                    changes=changes,
                    typed=data.get("confirmed_name", ""),
                    shown=data["shown"],
                )
            else:
                one = await editing.edit(*app.means, user_id=user.id, named=bot_id, changes=changes)
        except NotConfirmed as error:
            step = await live_step(app.store, app.venues, user_id=user.id, named=bot_id, changes=changes)
            return await self._form(request, bot_id, forms.refused(data, error), step)
        except NotFound:
            raise
        except (*ANSWERED, PortError) as error:
            return await self._form(request, bot_id, forms.refused(data, error))
        return await sent(request, [one], f"{HOME}/{record.bot.id}")

    @post("/preview", status_code=200)
    async def preview(self, request: WebRequest, bot_id: FromPath[str], data: Form) -> Template:
        """Show what the bot would do with what is typed."""
        app, user = app_of(request), me(request)
        record = await find(app.store, user.id, bot_id)
        account = await accounts.find(app.store, user.id, record.account_id)
        bot = record.bot
        now = await pairs_now_of(request).of(account, bot.market.pair, besides=bot.id)
        known = attrs.evolve(
            now, market=now.market or bot.market, fees=now.fees or bot.fees, price=now.price or bot.price
        )
        return await preview_of(request, data, known, EDITED)

    async def _form(self, request: WebRequest, bot_id: str, form: FormState, step: LiveStep | None = None) -> Template:
        record = await find(app_of(request).store, me(request).id, bot_id)
        return await page(
            request,
            "bots/edit.html",
            status=form.status,
            record=record,
            groups=parameters.GROUPS,
            quote_unit=parameters.QUOTE,
            values={**texts_of(record.bot.strategy), **form.values},
            usual_values=USUAL,
            form=form,
            step=step,
            **EMPTY_LOOK,
        )


def changed(now: Fields, data: Fields) -> dict[str, str]:
    """Return the parameters that were typed and are not as they are *now*; an empty text unsets one."""
    typed = {name: data[name].strip() for name in parameters.NAMES if name in data}
    return {name: text for name, text in typed.items() if text != now.get(name, "")}
