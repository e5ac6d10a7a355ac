"""A request as the pages see it, and what they take from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from litestar import Request
from litestar.datastructures import State

from dcacore.application.identity.means import Client
from dcacore.application.identity.sessions import SignedIn
from dcacore.ports.records import User

if TYPE_CHECKING:
    from dcacore.bootstrap.app import App

WebRequest = Request[User | None, SignedIn | None, State]
"""A request, after it was found out who sends it."""


def app_of(request: Request[Any, Any, State]) -> App:
    """Return the application that the dashboard shows."""
    app: App = request.app.state.dca
    return app


def signed_in_of(request: Request[Any, Any, State]) -> SignedIn | None:
    """Return who is signed in; None for a stranger, and where a request has failed before it was looked at."""
    found: SignedIn | None = request.scope.get("auth")
    return found


def client_of(request: Request[Any, Any, State]) -> Client:
    """Return who asks: the address behind a proxy that is trusted, as the server has put it into the request."""
    address = "" if request.client is None else request.client.host
    return Client(address=address, agent=request.headers.get("user-agent", ""))


def asked_of(request: Request[Any, Any, State]) -> str:
    """Return the path and the query that are asked for; of what the browser calls this host nothing is read."""
    query = request.scope["query_string"].decode("latin-1")
    return quote(request.scope["path"]) + (f"?{query}" if query else "")


def is_htmx(request: Request[Any, Any, State]) -> bool:
    """Say whether a part of a page is asked for, and not a page."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-boosted") != "true"


def local_path(text: str | None, otherwise: str) -> str:
    """Return *text* if it leads to a page of this site, else *otherwise*: nobody must be led elsewhere by a link."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")) or not text.isprintable():
        return otherwise
    try:
        parts = urlsplit(text)
    except ValueError:
        return otherwise
    return otherwise if parts.scheme or parts.netloc or "\\" in text else text
