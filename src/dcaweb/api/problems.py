"""What programs are told when something is refused or fails: problem details, as RFC 9457 has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final, cast

import attrs
import structlog
from litestar import Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from dcacore.application.refusals import NotConfirmed, PlanLimitReached
from dcacore.domain.errors import DcaError, InvalidParameter
from dcaweb.failures import AnyRequest, sentence, status_of

log = structlog.get_logger("dcaweb")

PLACES: Final = ("/api/", "/signals", "/webhooks/")
"""Where programs ask, and no people."""
MEDIA_TYPE: Final = "application/problem+json"
_LONGEST: Final = 200
_CODES: Final[Mapping[type[DcaError], str]] = {
    NotConfirmed: "not_confirmed",
    PlanLimitReached: "plan_limit_reached",
    InvalidParameter: "invalid_parameter",
}
_HOW: Final = (
    "A program cannot confirm this: start the bot once on its page, or by `dca bot start`, where you are told what a"
    " deal may cost at most, and type the bot's name"
)
_NAMES: Final = {
    "standing": "state",
    "time zone": "zone",
    "last day": "last",
    "day": "first",
    "display_currency": "currency",
}
"""What some fields are called in requests that have another name inside."""
_DETAILS: Final = {
    HTTPStatus.NOT_FOUND: "There is no such thing here, or it is not yours.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take this method.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "It is in the log of the server. Bots and orders are not touched by it.",
}


@attrs.frozen(kw_only=True)
class FieldError:
    """What is wrong with one field.

    Attributes:
        field: its name in the body or the query.
        detail: the rule that it breaks.
    """

    field: str
    detail: str


@attrs.frozen(kw_only=True)
class Problem:
    """Why a request was not carried out.

    Attributes:
        type: about:blank, as the status tells the kind.
        title: the status in words.
        status: the status.
        detail: one or two sentences.
        code: the kind in one word, where programs may want to tell it from others; empty otherwise.
        errors: the fields that are wrong.
    """

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    code: str = ""
    errors: tuple[FieldError, ...] = ()


def by_place(pages: ExceptionHandlersMap) -> ExceptionHandlersMap:
    """Return what answers programs by problem details, and anywhere else as *pages* do."""
    return {kind: _chosen(cast("_Handler", handler)) for kind, handler in pages.items()}


_Handler = Callable[[AnyRequest, Exception], Response[Any]]


def _chosen(page: _Handler) -> _Handler:
    def answer(request: AnyRequest, error: Exception) -> Response[Any]:
        return problem(request, error) if request.scope["path"].startswith(PLACES) else page(request, error)

    return answer


def problem(request: AnyRequest, error: Exception) -> Response[Problem]:
    """Return *error* as problem details; of what is not meant for users nothing but the status."""
    match error:
        case DcaError():
            status, told = status_of(error), _refused(error)
        case HTTPException():
            status = HTTPStatus(error.status_code)
            status, told = _http(status, error)
        case _:
            status, told = HTTPStatus.INTERNAL_SERVER_ERROR, _plain(HTTPStatus.INTERNAL_SERVER_ERROR)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request_broken", path=request.scope["path"], exc_info=error)
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request_failed", path=request.scope["path"], reason=str(error))
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return Response(told, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _refused(error: DcaError) -> Problem:
    status = status_of(error)
    code = next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), "")
    if isinstance(error, InvalidParameter):
        field, rule = _field(error.name), _short(error.rule)
        told = field if error.value is None else f"{field} = {_short(error.value)}"
        errors = (FieldError(field=field, detail=rule),)
        return _plain(status, f"{told}: {rule}.", code=code, errors=errors)
    detail = sentence(_short(str(error)))
    return _plain(status, f"{detail} {sentence(_HOW)}" if isinstance(error, NotConfirmed) else detail, code=code)


def _http(status: HTTPStatus, error: HTTPException) -> tuple[HTTPStatus, Problem]:
    if isinstance(error, ValidationException):
        errors = tuple(_fields(error))
        detail = "; ".join(f"{it.field}: {it.detail}" for it in errors) or _short(error.detail)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return status, _plain(status, detail, code="invalid_parameter", errors=errors)
    return status, _plain(status, None if status in _DETAILS else _short(error.detail))


def _fields(error: ValidationException) -> Iterator[FieldError]:
    for one in error.extra or ():
        if isinstance(one, Mapping):
            yield FieldError(field=_field(str(one.get("key", ""))), detail=_short(str(one.get("message", ""))))


def _plain(
    status: HTTPStatus, detail: str | None = None, *, code: str = "", errors: tuple[FieldError, ...] = ()
) -> Problem:
    detail = detail or _DETAILS.get(status, status.phrase)
    detail = detail if errors else sentence(detail)  # a field keeps its name
    return Problem(title=status.phrase, status=status.value, detail=detail, code=code, errors=errors)


def _field(name: str) -> str:
    return _NAMES.get(name, _short(name))


def _short(text: str) -> str:
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
