"""python-binance's client, held to four things that it leaves to chance.

A request bears the very time and deadline that it is given (the library puts its own in their place), goes to the very
address that it is given, is not sent on to another one, and its answer comes back with its own status and headers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import attrs

from dcacore.adapters.binance.library import AsyncClient
from dcacore.ports.secrets import ApiKey

ANSWERS_WITHIN_S: Final = 10


@attrs.frozen
class Reply:
    """An answer as it came.

    Attributes:
        status: HTTP's.
        headers: by name.
        text: the body.
    """

    status: int
    headers: Mapping[str, str]
    text: str


class NoSapi(Exception):
    """The library was about to send something to the live exchange's private part from another environment."""


class Client(AsyncClient):  # type: ignore[misc]  # the library has no types
    """Sends requests of one account, or of nobody."""

    REQUEST_RECVWINDOW = None

    def __init__(self, key: ApiKey | None, *, within_s: float = ANSWERS_WITHIN_S) -> None:
        super().__init__(None if key is None else key.key, None if key is None else key.secret)
        self._within = aiohttp.ClientTimeout(total=within_s)

    async def send(self, method: str, uri: str, params: Mapping[str, str], *, is_signed: bool) -> Reply:
        """Send a request and return the answer, whatever it is.

        Raises:
            aiohttp.ClientError, OSError, TimeoutError: there is none.
        """
        reply: Reply = await self._request(method, uri, is_signed, data=dict(params))
        return reply

    def _init_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(headers=self._get_headers(), cookie_jar=aiohttp.DummyCookieJar())

    def _get_request_kwargs(
        self,
        method: str,
        signed: bool,  # noqa: FBT001  # the library's own signature
        force_params: bool = False,  # noqa: ARG002, FBT001, FBT002
        **kwargs: Any,
    ) -> dict[str, object]:
        payload = urlencode(kwargs["data"])
        if signed:
            payload = f"{payload}&signature={self._hmac_signature(payload)}"
        # An order that is sent on by a redirection would be sent twice, and signed for another host.
        sent: dict[str, object] = {"timeout": self._within, "allow_redirects": False}
        if payload:
            sent["params" if method == "get" else "data"] = payload
        return sent

    async def _handle_response(self, response: aiohttp.ClientResponse) -> Reply:
        return Reply(response.status, dict(response.headers), await response.text(errors="replace"))

    def _create_margin_api_uri(self, path: str, version: int = 1) -> str:  # noqa: ARG002
        # The library's own methods for this part always ask the live exchange.
        raise NoSapi(path)
