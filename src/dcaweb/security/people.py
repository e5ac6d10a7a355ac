"""Who sends a request, and what only some may see."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.handlers.base import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from dcacore.application.identity.sessions import LONGEST, Opened, find
from dcacore.bootstrap.app import App
from dcacore.domain.errors import DcaError
from dcacore.ports.records import User

Connection = ASGIConnection[Any, Any, Any, Any]


class NotSignedIn(DcaError):
    """A page is for those who are signed in."""

    def __init__(self) -> None:
        super().__init__("please sign in first")


class NotAdministrator(DcaError):
    """A page is for administrators; to others it does not exist."""

    def __init__(self) -> None:
        super().__init__("there is no such page")


class People(AbstractAuthenticationMiddleware):
    """Finds out who sends a request by the session's cookie; nobody is refused here."""

    async def authenticate_request(self, connection: Connection) -> AuthenticationResult:
        """Return the user and the session; neither for a stranger."""
        app: App = connection.app.state.dca
        secret = connection.cookies.get(cookie_name(app))
        signed_in = await find(app.identity, secret) if secret else None
        return AuthenticationResult(user=None if signed_in is None else signed_in.user, auth=signed_in)


def cookie_name(app: App) -> str:
    """Return what the session's cookie is called: over HTTPS such that no other host or page can set it."""
    return "__Host-session" if is_https(app) else "session"


def is_https(app: App) -> bool:
    """Say whether people reach the dashboard over HTTPS."""
    return app.settings.base_url.startswith("https://")


def session_cookie(app: App, opened: Opened) -> Cookie:
    """Return the cookie of a session that has just begun."""
    return _cookie(app, opened.secret, int(LONGEST.total_seconds()))


def no_session(app: App) -> Cookie:
    """Return the cookie that makes a browser forget its session."""
    return _cookie(app, "", 0)


def _cookie(app: App, value: str, lives_s: int) -> Cookie:
    return Cookie(
        key=cookie_name(app),
        value=value,
        max_age=lives_s,
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_https(app),
    )


def me(request: Request[Any, Any, Any]) -> User:
    """Return who asks for a page that only those see who are signed in."""
    assert request.auth is not None  # noqa: S101  # the guard has looked
    found: User = request.auth.user
    return found


def signed_in(connection: Connection, _: BaseRouteHandler) -> None:
    """Let nobody through who is not signed in.

    Raises:
        NotSignedIn: nobody is.
    """
    if connection.scope.get("auth") is None:
        raise NotSignedIn


def administrator(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let nobody through but administrators.

    Raises:
        NotSignedIn: nobody is signed in.
        NotAdministrator: the user is none.
    """
    signed_in(connection, handler)
    if not connection.scope["auth"].user.is_admin:
        raise NotAdministrator
