"""What browsers are told about every answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

from dcaweb.assets import URL

POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
"""Nothing that was not built with this package runs on a page, whatever somebody has got into its text."""
HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_HSTS: Final = "max-age=31536000"
_FOREVER: Final = "public, max-age=31536000, immutable"

BeforeSend = Callable[[Message, Scope], Awaitable[None]]


def teller(*, is_https: bool) -> BeforeSend:
    """Return what adds the headers to every answer, errors too.

    Args:
        is_https: whether people reach this over HTTPS; their browsers are told to use nothing else then.
    """
    headers = {**HEADERS, **({"strict-transport-security": _HSTS} if is_https else {})}

    async def tell(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        told = MutableScopeHeaders.from_message(message)
        for name, value in headers.items():
            told[name] = value
        if is_https:
            message["headers"] = [_secured(name, value) for name, value in message["headers"]]
        if scope["path"].startswith(f"{URL}/") and message["status"] == 200:  # noqa: PLR2004  # names bear a hash
            told["cache-control"] = _FOREVER
        elif "cache-control" not in told:
            told["cache-control"] = "no-store"

    return tell


def _secured(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Return a header; a cookie such that no browser sends it over anything but HTTPS."""
    if name.lower() != b"set-cookie" or any(it.strip().lower() == b"secure" for it in value.split(b";")):
        return name, value
    return name, value + b"; Secure"
