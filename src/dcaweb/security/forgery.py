"""Forms of other sites: what changes something is done only for pages that this site has given out.

A browser keeps a random token in a signed cookie, and brings it back a second time with each form. Pages hold it
masked, another way each time: how well a page can be compressed tells nobody what it is.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any, Final

from litestar import Request
from litestar.datastructures import Cookie, MutableScopeHeaders, State
from litestar.enums import ScopeType
from litestar.exceptions import NotFoundException, PermissionDeniedException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from litestar.utils.scope.state import ScopeState

from dcaweb.assets import URL
from dcaweb.security.bodies import read_form

FIELD: Final = "_csrf_token"
HEADER: Final = "x-csrftoken"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_BYTES: Final = 32
_DIGITS: Final = 2 * _BYTES
_NO_PAGES: Final = (f"{URL}/", "/api/", "/healthz", "/readyz", "/metrics", "/signals", "/webhooks/")
"""What shows no form, and may be kept by others than browsers: nobody's token must be kept with it."""


class Forgery(ASGIMiddleware):
    """Refuses what another site has made a browser send."""

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = "exclude_from_csrf"

    def __init__(self, secret: str, *, is_https: bool) -> None:
        """Take the secret that signs tokens, and whether people come over HTTPS."""
        self._secret = secret.encode()
        self._is_https = is_https
        self.cookie_name = "__Host-csrftoken" if is_https else "csrftoken"  # so that no neighbour can plant one

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Let through what shows something, and what comes from a page of this site."""
        if "\0" in scope["path"]:  # no file and no row is called that, and asking for it is an error
            raise NotFoundException
        if scope["path"].startswith(_NO_PAGES):
            await next_app(scope, receive, send)
            return
        request = Request[Any, Any, State](scope, receive)
        cookie = request.cookies.get(self.cookie_name, "")
        token = self._signed(cookie)
        if scope["method"] in _SAFE:  # type: ignore[typeddict-item]  # what is left is HTTP
            if token is None:  # none, or one of another server on this host, or of before the key was changed
                token = secrets.token_hex(_BYTES)
                send = self._giving(send, token)
        else:
            await read_form(request)
            form = await request.form()
            sent = request.headers.get(HEADER) or form.get(FIELD)
            if token is None or not isinstance(sent, str) or not _is_same(sent, token, cookie):
                await form.close()  # files that were sent with it
                raise PermissionDeniedException("CSRF token verification failed")
        ScopeState.from_scope(scope).csrf_token = masked(token)
        await next_app(scope, receive, send)

    def _signed(self, cookie: str) -> str | None:
        token, signature = cookie[:_DIGITS], cookie[_DIGITS:]
        is_ours = len(token) == _DIGITS and hmac.compare_digest(signature.encode(), self._signature(token).encode())
        return token if is_ours else None

    def _signature(self, token: str) -> str:
        return hmac.new(self._secret, token.encode(), hashlib.sha256).hexdigest()

    def _giving(self, send: Send, token: str) -> Send:
        value = token + self._signature(token)
        cookie = Cookie(key=self.cookie_name, value=value, secure=self._is_https, httponly=True, samesite="lax")

        async def give(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableScopeHeaders.from_message(message).add("set-cookie", cookie.to_header(header=""))
            await send(message)

        return give


def masked(token: str) -> str:
    """Return what stands for *token* on one page."""
    pad = secrets.token_bytes(_BYTES)
    return pad.hex() + _xor(pad, bytes.fromhex(token)).hex()


def _is_same(sent: str, token: str, cookie: str) -> bool:
    if hmac.compare_digest(sent.encode(), cookie.encode()):
        return True
    try:
        both = bytes.fromhex(sent)
        return hmac.compare_digest(_xor(both[:_BYTES], both[_BYTES:]), bytes.fromhex(token))
    except ValueError:
        return False


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
