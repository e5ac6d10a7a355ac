"""Which program asks, for whom, and what it may do: by its token, and never by the cookie of a browser."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException, TooManyRequestsException
from litestar.handlers.base import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from dcacore.application.identity.api_tokens import Bearer, find_token
from dcacore.bootstrap.app import App
from dcacore.domain.ids import UserId
from dcacore.ports.identity import Scope
from dcacore.ports.records import User
from dcaweb.api.pace import Pace

ApiRequest = Request[User, Bearer, State]
"""A request of a program that has been let in."""
ONLY_READS: Final = "only_reads"
"""What marks a handler that changes nothing although it is asked by POST."""

_SCHEME: Final = "bearer"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_REALM: Final = 'Bearer realm="dca"'


class Bearers(AbstractAuthenticationMiddleware):
    """Finds out by the token which program asks, and how often it does."""

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        """Return the user and the token.

        Raises:
            NotAuthorizedException: there is no token, or one that lets nobody in.
            TooManyRequestsException: the program asks too often.
        """
        app: App = connection.app.state.dca
        secret = _token(connection.headers.get("authorization", ""))
        bearer = None if secret is None else await find_token(app.identity, secret)
        if bearer is None:
            raise _stranger(is_wrong=secret is not None)
        pace: Pace = connection.app.state.pace
        if wait_s := pace.wait_s(bearer.token.id):
            raise TooManyRequestsException(
                f"This token is used too often: wait {wait_s} s", headers={"Retry-After": str(wait_s)}
            )
        return AuthenticationResult(user=bearer.user, auth=bearer)


def _token(header: str) -> str | None:
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == _SCHEME and token.strip() else None


def _stranger(*, is_wrong: bool) -> NotAuthorizedException:
    if is_wrong:
        wrong = f'{_REALM}, error="invalid_token"'
        return NotAuthorizedException(
            "This token is unknown, expired or revoked: make another one in the settings",
            headers={"WWW-Authenticate": wrong},
        )
    return NotAuthorizedException(
        "A token is needed, as in `Authorization: Bearer dca_...`: make one in the settings",
        headers={"WWW-Authenticate": _REALM},
    )


def may_do_it(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let a token that may only read change nothing.

    Raises:
        PermissionDeniedException: it would.
    """
    scope: Any = connection.scope  # of a request: there are no web sockets
    if scope["method"] in _SAFE or handler.opt.get(ONLY_READS):  # OPTIONS comes without a token
        return
    bearer: Bearer = scope["auth"]
    if bearer.token.scope is not Scope.TRADE:
        told = f'{_REALM}, error="insufficient_scope", scope="{Scope.TRADE.value}"'
        raise PermissionDeniedException(
            "This token may only read: a token of the scope trade is needed", headers={"WWW-Authenticate": told}
        )


def user_id_of(request: ApiRequest) -> UserId:
    """Return for whom the program acts."""
    return request.user.id
