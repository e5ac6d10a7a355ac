"""Bots: made, looked at, changed, and told what to do."""

from __future__ import annotations

from typing import Any, Final

from litestar import Controller, Response, delete, get, patch, post
from litestar.openapi.datastructures import ResponseSpec

from dcacore.application import asking, bot_pages, bots, deal_pages, editing
from dcacore.application.analytics import Choice
from dcacore.domain.errors import InvalidParameter
from dcacore.ports.readings import DealState
from dcacore.ports.records import RequestKind
from dcaweb.api import operations
from dcaweb.api.bearers import ApiRequest, user_id_of
from dcaweb.api.bodies import body_of, bot_of, changes_of, named, text_of
from dcaweb.api.queries import Limit, Named, Skip, Standing
from dcaweb.api.settling import LATER, settled
from dcaweb.api.views.bots import BotDetail, BotPageView, bot_detail, bot_page
from dcaweb.api.views.deals import DealPage, deal_page
from dcaweb.api.views.reckoning import RequestView
from dcaweb.requests import app_of

_BESIDE: Final = ("account",)
_CHANGED: Final = {**LATER, 204: ResponseSpec(data_container=None, description="It has its new name")}


class BotApi(Controller):
    """Bots."""

    path = "/bots"
    tags = ("Bots",)

    @get(operation_id="ListBots")
    async def list_(self, request: ApiRequest) -> BotPageView:
        """List the user's bots, oldest first."""
        return bot_page(await bot_pages.bot_cards(app_of(request).store, user_id_of(request)))

    @post(operation_id="CreateBot", operation_class=operations.NewBot)
    async def create(self, request: ApiRequest) -> BotDetail:
        """Make a bot, by the names of the bot file. It does nothing until it is started."""
        body = await body_of(request)
        if "name" not in body:
            raise InvalidParameter("name", None, "is missing")
        bot_file, market = bot_of(body, beside=_BESIDE)
        app, user_id = app_of(request), user_id_of(request)
        account = text_of(body, "account")
        record = await bots.create(*app.means, user_id=user_id, account=account, bot_file=bot_file, market=market)
        return bot_detail(await bot_pages.bot_page(app.store, user_id, record.bot.id, limit=1))

    @get("/{bot_id:str}", operation_id="GetBot")
    async def show(self, request: ApiRequest, bot_id: Named) -> BotDetail:
        """Show the bot of that id or name with all that explains it."""
        return bot_detail(await bot_pages.bot_page(app_of(request).store, user_id_of(request), named("bot", bot_id)))

    @patch("/{bot_id:str}", operation_id="ChangeBot", operation_class=operations.BotChanges, responses=_CHANGED)
    async def change(self, request: ApiRequest, bot_id: Named) -> Response[RequestView | None]:
        """Give the bot other parameters from its next deal on; what is not given stays, null unsets.

        A new name is given by a request of its own, and is there at once.
        """
        body = await body_of(request, (*operations.PARAMETERS, "name"))
        if not body:
            raise InvalidParameter("body", None, "is empty: nothing would change")
        app, user_id, bot = app_of(request), user_id_of(request), named("bot", bot_id)
        if "name" in body:
            if len(body) > 1:
                raise InvalidParameter("name", None, "must be changed by a request of its own")
            await bots.rename(app.store, user_id=user_id, named=bot, name=text_of(body, "name"))
            return Response(None, status_code=204)
        asked = await editing.edit(*app.means, user_id=user_id, named=bot, changes=changes_of(body))
        answer: Response[Any] = await settled(request, asked)
        return answer

    @delete("/{bot_id:str}", operation_id="DeleteBot")
    async def remove(self, request: ApiRequest, bot_id: Named) -> None:
        """Delete a stopped bot with all its history; refused while anything of it is open."""
        await bots.delete(app_of(request).store, user_id=user_id_of(request), named=named("bot", bot_id))

    @post("/{bot_id:str}/start", operation_id="StartBot", status_code=200, responses=LATER)
    async def start(self, request: ApiRequest, bot_id: Named) -> Response[RequestView]:
        """Let the bot trade.

        With real money its user has to have confirmed what it may spend, which a program cannot do.
        """
        return await _ask(request, bot_id, RequestKind.START)

    @post("/{bot_id:str}/pause", operation_id="PauseBot", status_code=200, responses=LATER)
    async def pause(self, request: ApiRequest, bot_id: Named) -> Response[RequestView]:
        """Let the bot begin no new deal; an open one is managed to its end."""
        return await _ask(request, bot_id, RequestKind.PAUSE)

    @post("/{bot_id:str}/retry", operation_id="RetryBot", status_code=200, responses=LATER)
    async def retry(self, request: ApiRequest, bot_id: Named) -> Response[RequestView]:
        """Let a bot in trouble go on."""
        return await _ask(request, bot_id, RequestKind.RETRY)

    @post(
        "/{bot_id:str}/stop",
        operation_id="StopBot",
        status_code=200,
        responses=LATER,
        operation_class=operations.StopBot,
    )
    async def stop(self, request: ApiRequest, bot_id: Named) -> Response[RequestView]:
        """End the bot, and an open deal with it: then `sell` has to say what becomes of its coins."""
        sell = (await body_of(request, ("sell",), may_lack=True)).get("sell")
        if sell is not None and not isinstance(sell, bool):
            raise InvalidParameter("sell", None, "must be true or false")
        app, user_id = app_of(request), user_id_of(request)
        record = await bots.find(app.store, user_id, named("bot", bot_id))
        if record.bot.deal is not None and sell is None:
            rule = "must be said while a deal is open: true sells its coins at market, false keeps them"
            raise InvalidParameter("sell", None, rule)
        details = {"sell": "true" if sell else "false"}
        kind = RequestKind.STOP
        return await settled(
            request, await asking.ask(*app.means, user_id=user_id, bot=record.bot.id, kind=kind, details=details)
        )

    @get("/{bot_id:str}/deals", operation_id="ListDealsOfBot")
    async def deals(
        self,
        request: ApiRequest,
        bot_id: Named,
        *,
        standing: Standing = None,
        limit: Limit = deal_pages.PAGE,
        skip: Skip = 0,
    ) -> DealPage:
        """List the bot's deals, open ones first, then the one that closed last first."""
        app = app_of(request)
        found = await deal_pages.deal_list(
            app.store,
            app.clock,
            user_id_of(request),
            Choice(bot=named("bot", bot_id)),
            states=frozenset(DealState) if standing is None else frozenset({standing}),
            limit=limit,
            skip=skip,
        )
        return deal_page(found)


async def _ask(request: ApiRequest, bot: str, kind: RequestKind) -> Response[RequestView]:
    app = app_of(request)
    asked = await asking.ask(*app.means, user_id=user_id_of(request), bot=named("bot", bot), kind=kind)
    return await settled(request, asked)
