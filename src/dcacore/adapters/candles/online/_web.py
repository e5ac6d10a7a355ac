"""GET requests to a server, patiently and politely."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

import attrs
import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from dcacore.adapters.candles.online._patience import Patience, asked_pause
from dcacore.ports.clock import Clock
from dcacore.ports.errors import BadFile, RateLimited, Unavailable

_PAUSES: Final = frozenset({418, 429})
_ANSWERS: Final = frozenset({200, 400, 404})
_SERVER_FAILED: Final = 500


@attrs.frozen(kw_only=True)
class Answer:
    """What a server said.

    Attributes:
        status: 200, 400 or 404; any other status is an error.
        headers: the headers; names in lower case.
        body: the content.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Web:
    """A server that is asked for things."""

    def __init__(self, client: httpx.AsyncClient, clock: Clock, patience: Patience) -> None:
        """Ask through *client*; `open_web` makes one."""
        self._client = client
        self._clock = clock
        self._patience = patience
        self._places = asyncio.Semaphore(patience.at_once)
        self._free_at = 0.0

    async def get(self, path: str, params: Mapping[str, str | int] | None = None, *, most: int) -> Answer:
        """Return the answer to a GET request for *path*, of at most *most* bytes.

        Lost connections, silence and failures of the server are met with another try after a pause that grows and is
        drawn by chance. When the server asks for a pause (429, 418, `Retry-After`), no request goes out before its end.

        Raises:
            Unavailable: it went on failing, or refused.
            RateLimited: the pause would be longer than the patience.
            BadFile: the answer is longer than *most* bytes.
        """
        tries = AsyncRetrying(
            sleep=self._clock.sleep,
            wait=wait_random_exponential(multiplier=self._patience.first_pause_s, max=60),
            stop=stop_after_attempt(self._patience.tries),
            retry=retry_if_exception_type(_MayPass),
            reraise=True,
        )
        try:
            return await tries(self._once, path, params or {}, most)
        except _MayPass as exc:
            raise Unavailable(f"{exc}, {self._patience.tries} times") from exc

    def where(self, path: str) -> str:
        """Return the address of *path*, for messages."""
        return str(self._client.base_url.join(path))

    async def _once(self, path: str, params: Mapping[str, str | int], most: int) -> Answer:
        async with self._places:
            await self._let_pauses_end()
            url = self._client.base_url.join(path)
            try:
                async with (
                    asyncio.timeout(self._patience.whole_s),
                    self._client.stream("GET", url, params=params) as response,
                ):
                    self._refuse_failure(url, response)
                    headers = {name.lower(): value for name, value in response.headers.items()}
                    return Answer(status=response.status_code, headers=headers, body=await _body(url, response, most))
            except (TimeoutError, httpx.RequestError) as exc:
                raise _MayPass(f"{url} {_what_happened(exc)}") from exc

    async def _let_pauses_end(self) -> None:
        while (left := self._free_at - self._clock.monotonic()) > 0:
            await self._clock.sleep(left)

    def _refuse_failure(self, url: httpx.URL, response: httpx.Response) -> None:
        status = response.status_code
        if status in _ANSWERS:
            return
        if status not in _PAUSES and status < _SERVER_FAILED:
            raise Unavailable(f"{url} refuses to answer (HTTP {status})")
        now = self._clock.now()
        pause = asked_pause(status, response.headers.get("retry-after"), now)
        if pause is not None:
            self.pause(pause)
            if pause > self._patience.longest_pause_s:
                raise RateLimited(now + datetime.timedelta(seconds=pause))
        raise _MayPass(f"{url} fails (HTTP {status})")

    def pause(self, seconds: float) -> None:
        """Let no request go out for *seconds*."""
        self._free_at = max(self._free_at, self._clock.monotonic() + seconds)


@asynccontextmanager
async def open_web(base_url: str, clock: Clock, patience: Patience | None = None) -> AsyncIterator[Web]:
    """Yield the server at *base_url*; its connections end with the block.

    Proxies are taken from the environment (`HTTPS_PROXY` and so on), as httpx does by itself. Nothing is packed for the
    way (zips are already), so that a few bytes cannot become many.
    """
    patience = patience or Patience()
    async with httpx.AsyncClient(
        base_url=base_url.rstrip("/") + "/",
        headers={"User-Agent": f"dcabot/{version('dcabot')}", "Accept-Encoding": "identity"},
        timeout=httpx.Timeout(patience.silence_s, connect=patience.connect_s, pool=None),  # who has a place has a way
        limits=httpx.Limits(max_connections=patience.at_once, max_keepalive_connections=patience.at_once),
    ) as client:
        yield Web(client, clock, patience)


class _MayPass(Exception):
    """A failure after which another try makes sense."""


async def _body(url: httpx.URL, response: httpx.Response, most: int) -> bytes:
    taken = bytearray()
    async for chunk in response.aiter_bytes():
        taken += chunk
        if len(taken) > most:
            raise BadFile(str(url), f"is longer than {most:,} bytes, which it cannot rightly be")
    return bytes(taken)


def _what_happened(exc: Exception) -> str:
    match exc:
        case TimeoutError() | httpx.TimeoutException():
            return "does not answer in time"
        case httpx.ConnectError() | httpx.ProxyError():
            return "cannot be reached"
        case _:
            return "breaks off its answer"
