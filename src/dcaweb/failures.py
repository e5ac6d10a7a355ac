"""What people see when something is refused or fails: a page of the same look, or a word on the page they are on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlsplit

import structlog
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from dcacore.application.identity.refusals import TooManyTries
from dcacore.application.refusals import NotFound, PlanLimitReached, UseCaseError
from dcacore.domain.errors import DcaError, InvalidParameter, NotNow
from dcacore.ports.errors import Conflict, PortError, StoreError
from dcaweb.flash import Flash, redirect
from dcaweb.rendering import framed
from dcaweb.requests import asked_of, is_htmx
from dcaweb.security.people import NotAdministrator, NotSignedIn
from dcaweb.shell import shell_of

log = structlog.get_logger("dcaweb")

AnyRequest = Request[Any, Any, State]

STATUSES: Final[Mapping[type[DcaError], HTTPStatus]] = {
    NotFound: HTTPStatus.NOT_FOUND,
    TooManyTries: HTTPStatus.TOO_MANY_REQUESTS,
    NotAdministrator: HTTPStatus.NOT_FOUND,
    PlanLimitReached: HTTPStatus.FORBIDDEN,
    UseCaseError: HTTPStatus.CONFLICT,
    NotNow: HTTPStatus.CONFLICT,
    InvalidParameter: HTTPStatus.UNPROCESSABLE_ENTITY,
    Conflict: HTTPStatus.CONFLICT,
    StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
    PortError: HTTPStatus.SERVICE_UNAVAILABLE,
    DcaError: HTTPStatus.BAD_REQUEST,
}
"""By kind of error the status; the nearest kind counts."""
_KEPT: Final = frozenset({"allow", "retry-after"})
"""What an answer says of a failure beside its page."""
_TITLES: Final = {
    HTTPStatus.FORBIDDEN: "This is not allowed",
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.METHOD_NOT_ALLOWED: "There is nothing here",
    HTTPStatus.CONFLICT: "Not now",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "That is too much",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not available at the moment",
}
_DETAILS: Final = {
    HTTPStatus.FORBIDDEN: "The form may have been open for too long. Go back, load the page again, and try once more.",
    HTTPStatus.NOT_FOUND: "The page does not exist, or it is not yours.",
    HTTPStatus.METHOD_NOT_ALLOWED: "The page does not exist, or it is not yours.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "It is in the log of the server. Bots and orders are not touched by it.",
}


def status_of(error: DcaError) -> HTTPStatus:
    """Return the status that tells of *error*."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def handlers() -> ExceptionHandlersMap:
    """Return what answers for each kind of failure."""
    return {NotSignedIn: sign_in_first, DcaError: refused, HTTPException: http_failed, Exception: broken}


def sign_in_first(request: AnyRequest, _: Exception) -> Response[Any]:
    """Lead a stranger to the sign-in page, and from there back."""
    asked = asked_of(request)
    if request.method != "GET" or is_htmx(request):
        asked = _page_of(request)
    where = f"/login?next={quote(asked, safe='')}"
    if is_htmx(request):
        return Response(None, status_code=HTTPStatus.OK, headers={"HX-Redirect": where})
    return redirect(where, Flash.SIGN_IN_FIRST)


def _page_of(request: AnyRequest) -> str:
    """Return the page of this site from where a form or a part was sent; the dashboard where no browser says so."""
    page = urlsplit(request.headers.get("hx-current-url") or request.headers.get("referer", ""))
    if page.netloc != request.url.netloc or not page.path:
        return "/dashboard"
    return page.path + (f"?{page.query}" if page.query else "")


def refused(request: AnyRequest, error: Exception) -> Response[Any]:
    """Say why a use case refused."""
    assert isinstance(error, DcaError)  # noqa: S101  # for the type checker
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request_failed", path=_place(request), reason=str(error))
    hidden = isinstance(error, NotAdministrator)
    wait = {"Retry-After": str(error.wait_s)} if isinstance(error, TooManyTries) else {}
    return _failed(request, status, None if hidden else sentence(str(error)), wait)


def http_failed(request: AnyRequest, error: Exception) -> Response[Any]:
    """Say that there is no such page, or that a request is not as it should be."""
    assert isinstance(error, HTTPException)  # noqa: S101  # for the type checker
    status = HTTPStatus(error.status_code)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request_broken", path=_place(request), exc_info=error)
    kept = {name: value for name, value in (error.headers or {}).items() if name.lower() in _KEPT}
    return _failed(request, status, None if status in _DETAILS else sentence(error.detail), kept)


def broken(request: AnyRequest, error: Exception) -> Response[Any]:
    """Say that something went wrong, log what, and show nothing of it."""
    log.error("request_broken", path=_place(request), exc_info=error)
    return _failed(request, HTTPStatus.INTERNAL_SERVER_ERROR, None)


def _place(request: AnyRequest) -> str:
    """Return which page was asked for, without what stands in its address: links that were mailed are keys."""
    return str(request.scope.get("path_template") or "")


def sentence(text: str) -> str:
    """Return *text* as a sentence."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


def _failed(
    request: AnyRequest, status: HTTPStatus, detail: str | None, headers: Mapping[str, str] | None = None
) -> Response[Any]:
    headers = dict(headers or {})
    detail = detail or _DETAILS.get(status, status.phrase)
    if is_htmx(request):
        told = {"snackbar": {"text": detail, "kind": "error"}}
        return Response(
            None, status_code=status, headers={"HX-Trigger": json.dumps(told), "HX-Reswap": "none", **headers}
        )
    title = _TITLES.get(status, status.phrase)
    answer = framed(shell_of(request), "error.html", status=status, title=title, detail=detail)
    answer.headers.update(headers)
    return answer
