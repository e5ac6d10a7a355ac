"""Requests to Polar: each ends within seconds, by JSON or by an error of ours."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, Final

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from dcacore.adapters.polar._access import Patience, PolarAccess
from dcacore.adapters.polar._answers import SERVER_FAILED, TOO_MANY, TOO_SLOW, PolarLimited, pause_s, refusal
from dcacore.adapters.polar._reading import Unreadable, parsed
from dcacore.ports.clock import Clock
from dcacore.ports.errors import Unavailable

_VERSION: Final = "2026-10"
_MOST: Final = 8 * 1024 * 1024
_OK: Final = range(200, 300)

Values = Mapping[str, str | int]


class _MayPass(Exception):
    """A failure after which another try makes sense."""


class Wire:
    """A way to Polar."""

    def __init__(self, access: PolarAccess, clock: Clock, patience: Patience) -> None:
        """Make one; nothing is sent yet. Proxies of the environment are not taken: they would see the token's use."""
        self._clock = clock
        self._patience = patience
        self._closed_until = clock.monotonic()  # not by a clock that may be set back a day
        self._client = httpx.AsyncClient(
            base_url=f"{access.server_url}/v1/",
            headers={
                "Authorization": f"Bearer {access.token}",
                "Polar-Version": _VERSION,
                "User-Agent": f"dcabot/{version('dcabot')}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # so that a few bytes cannot become many
            },
            timeout=httpx.Timeout(patience.silence_s, connect=patience.connect_s),
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """End the connections."""
        await self._client.aclose()

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Bound what happens inside, however many requests that takes.

        Raises:
            Unavailable: it takes too long, or what is needed could not be read.
        """
        try:
            async with asyncio.timeout(self._patience.whole_s):
                yield
        except TimeoutError as exc:
            raise Unavailable("Polar does not answer in time") from exc
        except Unreadable as exc:
            raise Unavailable(f"Polar's answer cannot be read: {exc}") from exc

    async def ask(self, path: str, params: Values | None = None) -> Any:
        """Return the answer to a question; it is asked again when that may help."""
        tries = AsyncRetrying(
            sleep=self._clock.sleep,
            wait=wait_random_exponential(multiplier=self._patience.first_pause_s, max=2),
            stop=stop_after_attempt(self._patience.tries),
            retry=retry_if_exception_type(_MayPass),
            reraise=True,
        )
        try:
            return await tries(self._once, "GET", path, params, None)
        except _MayPass as exc:
            raise Unavailable(str(exc)) from exc

    async def tell(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> Any:
        """Return the answer to what changes something: it goes out once, since it may have been done unanswered."""
        try:
            return await self._once(method, path, None, content)
        except _MayPass as exc:
            raise Unavailable(str(exc)) from exc

    async def _once(self, method: str, path: str, params: Values | None, content: Mapping[str, Any] | None) -> Any:
        left = self._closed_until - self._clock.monotonic()
        if left > 0:
            raise self._limited(left)
        try:
            async with self._client.stream(method, path, params=params, json=content) as response:
                body = await _body(response)
        except httpx.TimeoutException as exc:
            raise _MayPass("Polar does not answer in time") from exc
        except httpx.ConnectError as exc:
            raise _MayPass("Polar cannot be reached") from exc
        except httpx.RequestError as exc:
            raise _MayPass("Polar breaks off its answer") from exc
        return self._said(response, body)

    def _said(self, response: httpx.Response, body: bytes) -> Any:
        status = response.status_code
        if status == TOO_MANY:
            pause = pause_s(response.headers.get("retry-after"), self._clock.now())
            self._closed_until = self._clock.monotonic() + pause
            raise self._limited(pause)
        if status >= SERVER_FAILED or status == TOO_SLOW:
            raise _MayPass(f"Polar fails (HTTP {status})")
        try:
            answer = parsed(body) if body else None
        except Unreadable as exc:
            if status in _OK:
                raise _MayPass(f"Polar's answer cannot be read: {exc}") from exc
            answer = None
        if status in _OK:
            return answer
        raise refusal(status, answer)

    def _limited(self, seconds: float) -> PolarLimited:
        return PolarLimited(self._clock.now() + datetime.timedelta(seconds=seconds))


async def _body(response: httpx.Response) -> bytes:
    taken = bytearray()
    async for chunk in response.aiter_bytes():
        taken += chunk
        if len(taken) > _MOST:
            raise Unavailable(f"Polar's answer is longer than {_MOST:,} bytes, which it cannot rightly be")
    return bytes(taken)
