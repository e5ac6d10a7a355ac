"""Signals from outside, and the secrets by which bots know them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dcacore.application import bots, signals
from dcacore.application.identity.refusals import TooManyTries
from dcacore.application.refusals import UseCaseError
from dcacore.application.signals import NewSecret, SignalAction, UnknownSignal
from dcacore.domain.errors import DcaError, NotNow
from dcaweb.api.problems import MEDIA_TYPE, Problem
from dcaweb.failures import sentence, status_of
from dcaweb.flash import Flash, redirect
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of, client_of
from dcaweb.security.people import me, signed_in

_LARGEST: Final = 64 * 1024
_LONGEST_SECRET: Final = 200
_PATIENCE_S: Final = 5.0
_ACTIONS: Final = {it.value: it for it in SignalAction}


@post("/signals", request_max_body_size=_LARGEST, opt={"exclude_from_csrf": True}, include_in_schema=False)
async def take_signal(request: Request[Any, Any, State]) -> Response[Any]:
    """Do what a signal asks for: 200 when it is done, 202 while it waits for an engine.

    The body is JSON whatever it is called: those who send signals do not always say so.
    """
    app = app_of(request)
    said = _read(await request.body())
    if said is None:
        text = 'the body must be JSON such as {"secret": "dcs_...", "action": "start"}; the action is start or close'
        return _problem(HTTPStatus.BAD_REQUEST, text)
    secret, action = said
    try:
        asked = await signals.signal(app.identity, secret=secret, action=action, client=client_of(request))
    except UnknownSignal as error:
        return _problem(HTTPStatus.NOT_FOUND, str(error))
    except TooManyTries as error:
        return _problem(HTTPStatus.TOO_MANY_REQUESTS, str(error), {"Retry-After": str(error.wait_s)})
    except (UseCaseError, NotNow) as error:
        return _problem(_refusal(error), str(error))
    outcome = await app.wait_for(asked, timeout_s=_PATIENCE_S)
    if outcome.is_settled and outcome.request.refusal:
        return _problem(HTTPStatus.CONFLICT, outcome.request.refusal)
    status = HTTPStatus.OK if outcome.is_settled else HTTPStatus.ACCEPTED
    told = {"request": asked.id, "status": "done" if outcome.is_settled else "waiting"}
    return Response(told, status_code=status)


def _read(body: bytes) -> tuple[str, SignalAction] | None:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    secret, action = said.get("secret"), said.get("action")
    if not isinstance(secret, str) or len(secret) > _LONGEST_SECRET or not isinstance(action, str):
        return None
    return (secret, _ACTIONS[action]) if action in _ACTIONS else None


def _refusal(error: DcaError) -> HTTPStatus:
    status = status_of(error)
    return HTTPStatus.CONFLICT if status is HTTPStatus.NOT_FOUND else status


def _problem(status: HTTPStatus, text: str, headers: dict[str, str] | None = None) -> Response[Problem]:
    told = Problem(title=status.phrase, status=status.value, detail=sentence(text))
    return Response(told, status_code=status, media_type=MEDIA_TYPE, headers=headers or {})


class SignalPages(Controller):
    """A bot's secret: made, shown this once, made anew, revoked."""

    path = "/bots/{bot_id:str}/signals"
    guards = (signed_in,)

    @get()
    async def show(self, request: WebRequest, bot_id: FromPath[str]) -> Template:
        """Show whether there is one, and how signals are sent."""
        return await self._show(request, bot_id)

    @post(status_code=200)
    async def make(self, request: WebRequest, bot_id: FromPath[str]) -> Template:
        """Make one, in the place of the one before, and show it."""
        made = await signals.make_secret(app_of(request).identity, me(request).id, bot_id)
        return await self._show(request, bot_id, made)

    @post("/revoke")
    async def revoke(self, request: WebRequest, bot_id: FromPath[str]) -> Redirect:
        """Let the bot hear none any more."""
        await signals.revoke_secret(app_of(request).identity, me(request).id, bot_id)
        return redirect(f"/bots/{bot_id}/signals", Flash.SAVED)

    async def _show(self, request: WebRequest, bot_id: str, made: NewSecret | None = None) -> Template:
        app, user = app_of(request), me(request)
        bot = await bots.find(app.store, user.id, bot_id)
        known = await signals.secret_of(app.identity, user.id, bot_id)
        address = f"{app.settings.base_url}/signals"
        return await page(request, "bots/signals.html", bot=bot, known=known, made=made, address=address)
