"""A new bot out of a bot file."""

from __future__ import annotations

from typing import Any, Final

from litestar import Controller, get, post
from litestar.datastructures import UploadFile
from litestar.response import Redirect, Template

from dcacore import bootstrap
from dcacore.application import accounts, bots
from dcacore.application.refusals import NotFound, PlanLimitReached
from dcacore.domain.errors import InvalidParameter
from dcacore.ports.errors import BadFile, Conflict
from dcaweb import forms
from dcaweb.flash import Flash, redirect
from dcaweb.forms import FormState
from dcaweb.pages.bot_new import HOME
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me, signed_in

_FILE: Final = "the bot file"
_LONGEST: Final = 20_000
_EXAMPLE: Final = """[bot]
name = "btc calm"
pair = "BTCUSDT"
base_order_size = "100"
safety_order_size = "100"
max_safety_orders = 8
safety_order_volume_scale = "1.4"
price_deviation = "1.0"
safety_order_step_scale = "1.2"
take_profit = "1.5"
"""


class BotImport(Controller):
    """The way to a bot that somebody has as a file."""

    path = f"{HOME}/import"
    guards = (signed_in,)

    @get()
    async def form(self, request: WebRequest) -> Template:
        """Show the form, with a calm bot in it."""
        return await self._form(request, FormState(values={"file": _EXAMPLE}))

    @post()
    async def create(self, request: WebRequest) -> Template | Redirect:
        """Make the bot; it does nothing until it is started."""
        app, data = app_of(request), await _sent(request)
        text = data.get("file", "")
        if len(text) > _LONGEST:
            too_long = InvalidParameter("file", None, f"must have {_LONGEST:,} characters at most")
            return await self._form(request, forms.refused(data, too_long))
        try:
            bot_file = bootstrap.bot_of_text(_FILE, text)
            record = await bots.create(
                *app.means,
                user_id=me(request).id,
                account=data.get("account", ""),
                bot_file=bot_file,
                market=bootstrap.market_of(bot_file),
            )
        except BadFile as error:
            return await self._form(request, forms.wrong_at("file", data, error))
        except (Conflict, InvalidParameter, NotFound, PlanLimitReached) as error:
            return await self._form(request, forms.refused(data, error))
        return redirect(f"/bots/{record.bot.id}", Flash.BOT_MADE)

    async def _form(self, request: WebRequest, form: FormState) -> Template:
        found = await accounts.of(app_of(request).store, me(request).id)
        return await page(request, "bots/import.html", status=form.status, form=form, accounts=found)


async def _sent(request: WebRequest) -> dict[str, str]:
    """Return the form; a file that was sent with it stands in the place of the text."""
    form = await request.form()
    sent: dict[str, Any] = {name: form[name] for name in form}
    upload = sent.pop("upload", None)
    texts = {name: value for name, value in sent.items() if isinstance(value, str)}
    if isinstance(upload, UploadFile) and upload.filename:
        data = await upload.read(4 * _LONGEST + 1)
        texts["file"] = data.decode("utf-8-sig", errors="replace")
    await form.close()
    return texts
