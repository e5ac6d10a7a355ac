"""A new bot, in steps: where it trades, what it buys, when it sells, and all of it once more before it is made."""

from __future__ import annotations

from typing import Any, Final

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from dcacore.application import accounts, asking, bots, drafts, pairs
from dcacore.application.bot_pages import name_for_copy
from dcacore.application.drafts import Draft
from dcacore.application.editing import bot_text
from dcacore.application.overview import allowed
from dcacore.application.parameters import texts_of
from dcacore.application.refusals import NotConfirmed, NotFound, PlanLimitReached
from dcacore.bootstrap import known_market
from dcacore.domain.errors import DcaError, InvalidParameter
from dcacore.domain.market import Market
from dcacore.ports.errors import Conflict, PortError
from dcacore.ports.records import BotRecord, RequestKind
from dcaweb import parameters
from dcaweb.drafting import EMPTY_LOOK, LONGEST_PAIR, PRESETS, USUAL, look, now_of, preview_of, refused
from dcaweb.failures import sentence, status_of
from dcaweb.flash import Flash, redirect
from dcaweb.forms import Form, FormState
from dcaweb.pages.asked import sent
from dcaweb.pages.bot_actions import ANSWERED, answered
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me, signed_in

HOME: Final = "/bots/new"
_OPTIONS: Final = 12
STEPS: Final = (("pair", "Pair"), ("orders", "Orders"), ("exits", "Exits"), ("review", "Review"))


class BotNew(Controller):
    """The way to another bot."""

    path = HOME
    guards = (signed_in,)

    @get()
    async def form(self, request: WebRequest) -> Template:
        """Show the form, with a calm bot in it, or one like another of the user's bots."""
        return await self._form(request, FormState(values=await _first(request)))

    @post()
    async def create(self, request: WebRequest, data: Form) -> Template | Redirect:
        """Make the bot, and start it if that was asked for; without script, perhaps only show its ladder."""
        app, user = app_of(request), me(request)
        try:
            now = await now_of(request, data)
            if data.get("then") == "show":
                return await self._form(request, FormState(values=data), **look(data, now))
            draft = drafts.read({**data, "price": ""}, now)  # the price of now counts, from wherever one has looked
            if draft.wrong:
                return await self._form(request, refused(data, draft.wrong))
            name = await drafts.name_of(app.store, user.id, data.get("name", ""), now.pair)
            record = await drafts.make(*app.means, user_id=user.id, name=name, draft=draft)
        except (Conflict, InvalidParameter, NotFound, PlanLimitReached, PortError) as error:
            return await self._form(request, _at_its_field(data, error))
        if data.get("then") == "start":
            return await _start(request, record, data)
        return redirect(f"/bots/{record.bot.id}", Flash.BOT_MADE)

    @get("/pairs")
    async def pairs(self, request: WebRequest) -> Template:
        """Show the pairs that fit what is typed, as options."""
        app, text = app_of(request), request.query_params.get("pair", "")[:LONGEST_PAIR]
        found: tuple[Market, ...] = ()
        failure = ""
        try:
            account = request.query_params.get("account", "")
            found = await pairs.search(
                app.store, app.venues, user_id=me(request).id, named=account, text=text, limit=_OPTIONS
            )
        except (NotFound, PortError) as error:
            failure = sentence(str(error))
        return await page(request, "bots/_pair_options.html", found=found, text=text, failure=failure)

    @get("/pair")
    async def pair(self, request: WebRequest) -> Template:
        """Show the rules of the pair that was chosen, and its price."""
        try:
            now = await now_of(request, dict(request.query_params.items()))
        except NotFound as error:
            return await page(request, "bots/_pair_now.html", now=None, failure=sentence(str(error)))
        return await page(request, "bots/_pair_now.html", now=now, failure="")

    @post("/preview", status_code=200)
    async def preview(self, request: WebRequest, data: Form) -> Template:
        """Show what the bot would do."""
        return await preview_of(request, data, await now_of(request, data))

    @post("/review", status_code=200)
    async def review(self, request: WebRequest, data: Form) -> Template:
        """Show all of the bot once more, as it would be made."""
        app, user = app_of(request), me(request)
        now = await now_of(request, data)
        shown = look(data, now)
        draft: Draft = shown["draft"]
        name = await drafts.name_of(app.store, user.id, data.get("name", ""), now.pair)
        more: dict[str, Any] = {}
        if draft.strategy is not None:
            market = now.market
            more["parameter_groups"] = parameters.shown(draft.strategy, "" if market is None else market.quote_asset)
            if market is not None:
                more["bot_file"] = bot_text(name, draft.strategy, market, draft.fees)
        return await page(request, "bots/_review.html", name=name, **shown, **more)

    async def _form(self, request: WebRequest, form: FormState, **context: Any) -> Template:
        app, user = app_of(request), me(request)
        found = await accounts.of(app.store, user.id)
        pair = form.value("pair")
        market = known_market(pairs.spelt(pair))
        return await page(
            request,
            "bots/new.html",
            status=form.status,
            form=form,
            accounts=found,
            account=form.value("account") or (found[0].id if found else ""),
            values={**USUAL, **form.values},
            usual_values=USUAL,
            steps=STEPS,
            presets=PRESETS,
            groups=(parameters.ORDERS, parameters.EXITS, parameters.NEXT_DEALS, parameters.FEES),
            unit_quote=parameters.QUOTE,
            quote_asset="quote" if market is None else market.quote_asset,
            used=len(await bots.of(app.store, user.id)),
            allowed=allowed(user.tier),
            **{**EMPTY_LOOK, **context},
        )


async def _first(request: WebRequest) -> dict[str, str]:
    """Return what the form begins with."""
    app, user, asked = app_of(request), me(request), request.query_params
    values = dict(PRESETS.get(asked.get("preset", ""), {}))
    if named := asked.get("from"):
        record, name = await name_for_copy(app.store, user.id, named)
        values = {**texts_of(record.bot.strategy), "name": name, "account": record.account_id}
    return {**values, **{key: asked[key] for key in ("account", "pair") if key in asked}}


async def _start(request: WebRequest, record: BotRecord, data: Form) -> Template | Redirect:
    """Ask the new bot to start; where real money is at stake, that is confirmed first."""
    app, bot_id = app_of(request), record.bot.id
    try:
        one = await asking.ask(*app.means, user_id=me(request).id, bot=bot_id, kind=RequestKind.START)
    except NotConfirmed:
        return redirect(f"/bots/{bot_id}/go-live", Flash.BOT_MADE)
    except ANSWERED as error:  # the bot is there all the same
        return await answered(request, bot_id, data, error)
    return await sent(request, [one], f"/bots/{bot_id}")


def _at_its_field(data: Form, error: DcaError) -> FormState:
    """Return the form with what a use case says, at the field that it is about."""
    if isinstance(error, InvalidParameter):
        return refused(data, {error.name: error})
    field = {Conflict: "name", NotFound: "account"}.get(type(error), "")
    return FormState(values=data, errors={field: sentence(str(error))}, status=status_of(error))
