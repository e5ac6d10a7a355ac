"""What billing tells by itself: taken in, and dealt with afterwards."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from litestar import Request, Response, post
from litestar.datastructures import State

from dcacore.application.billing.keeping import receive
from dcacore.ports.errors import BadFile, BadSignature
from dcaweb.api.problems import MEDIA_TYPE, Problem
from dcaweb.failures import sentence
from dcaweb.requests import app_of

PATH: Final = "/webhooks/polar"
_LARGEST: Final = 64 * 1024


@post(PATH, request_max_body_size=_LARGEST, opt={"exclude_from_csrf": True}, include_in_schema=False)
async def take_polar_event(request: Request[Any, Any, State]) -> Response[Any]:
    """Answer 202 once what was told is stored: by its signature alone is it known to be billing's."""
    shop = app_of(request).shop
    if shop is None:
        return _problem(HTTPStatus.NOT_FOUND, "billing is off here")
    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        await receive(shop.means, shop.hooks, headers, body)
    except BadSignature as error:
        return _problem(HTTPStatus.UNAUTHORIZED, str(error))
    except BadFile as error:
        return _problem(HTTPStatus.BAD_REQUEST, error.reason)
    if shop.keeper is not None:
        shop.keeper.poke()
    return Response(None, status_code=HTTPStatus.ACCEPTED)


def _problem(status: HTTPStatus, text: str) -> Response[Problem]:
    told = Problem(title=status.phrase, status=status.value, detail=sentence(text))
    return Response(told, status_code=status, media_type=MEDIA_TYPE)
