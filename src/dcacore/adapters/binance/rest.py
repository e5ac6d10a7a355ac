"""Requests, and what comes of them: one account's, or nobody's.

`act` sends once and never again; `ask` may be repeated by everybody below. No text of any error holds a key, a
signature or a request.
"""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import structlog

from dcacore.adapters.binance.calls import TIME, Call
from dcacore.adapters.binance.client import ANSWERS_WITHIN_S, Client, Reply
from dcacore.adapters.binance.limiter import Limiter
from dcacore.adapters.binance.reading import Unreadable, integer_in, milliseconds_of, parse, row_of, time_in
from dcacore.adapters.binance.refusals import (
    CLOCK_IS_OFF,
    TOO_MANY_ORDERS,
    WRONG_PAIR,
    NoAnswer,
    Refused,
    kind_of,
    of_acting,
    of_reading,
)
from dcacore.adapters.binance.urls import Where
from dcacore.adapters.binance.venue_clock import VenueClock
from dcacore.ports.errors import PortError, RateLimited, Unavailable
from dcacore.ports.secrets import ApiKey

log = structlog.get_logger("dcacore.binance")

Lister = Callable[[str], Awaitable[bool]]
"""Told of a pair that the exchange does not know; returns whether it lists it now, as only one's own exchange does."""
NOBODY: Final = ""
READ_WINDOW: Final = datetime.timedelta(seconds=5)
_MILLISECOND: Final = datetime.timedelta(milliseconds=1)
_LOOKS_SECRET: Final = re.compile(r"[0-9A-Za-z+/=%]{40,}")


class Rest:
    """Sends the requests of one account, or of nobody."""

    def __init__(
        self,
        where: Where,
        limiter: Limiter,
        time: VenueClock,
        *,
        key: ApiKey | None = None,
        who: str = NOBODY,
        within_s: float = ANSWERS_WITHIN_S,
        lister: Lister | None = None,
    ) -> None:
        self._where = where
        self._limiter = limiter
        self._time = time
        self._key = key
        self._who = who
        self._within_s = within_s
        self._lister = lister
        self._client: Client | None = None

    async def ask(self, call: Call, params: Mapping[str, str] | None = None, *, pair: str | None = None) -> object:
        """Return the answer to a question.

        Raises:
            Unavailable: there is none, or none of use.
            BadCredentials: the key is not accepted.
            UnknownPair: it was about *pair*, which the exchange does not trade.
        """
        try:
            return await self.ask_plainly(call, params)
        except (Refused, NoAnswer) as exc:
            raise of_reading(exc, pair) from None

    async def ask_plainly(self, call: Call, params: Mapping[str, str] | None = None) -> object:
        """Return the answer to a question; a refusal comes as the exchange put it.

        Raises:
            Refused: the answer is no.
            NoAnswer: there is none.
            Unavailable: nothing may be asked now.
        """
        try:
            return await self._asked(call, params)
        except Refused as exc:
            pair = (params or {}).get("symbol")
            if exc.code != WRONG_PAIR or pair is None or self._lister is None or not await self._lister(pair):
                raise
        return await self._asked(call, params)

    async def _asked(self, call: Call, params: Mapping[str, str] | None) -> object:
        if not call.is_signed:
            return await self._send(call, params or {})
        await self._time.refresh()
        try:
            return await self._send(call, params or {})
        except Refused as exc:
            if exc.code != CLOCK_IS_OFF:
                raise
        self._time.doubt()
        await self._time.refresh()
        return await self._send(call, params or {})

    async def act(
        self,
        call: Call,
        params: Mapping[str, str],
        *,
        sent_at: datetime.datetime | None = None,
        recv_window: datetime.timedelta = READ_WINDOW,
    ) -> object:
        """Send a request that does something, once, with the very time and deadline given; return the answer.

        Without a time it bears that of its going out.

        Raises:
            Rejected, RateLimited, BadCredentials: a definite no.
            OutcomeUnknown: anything else.
        """
        try:
            return await self._send(call, params, sent_at, recv_window)
        except (Refused, NoAnswer) as exc:
            if isinstance(exc, Refused) and exc.code == CLOCK_IS_OFF:
                await self._measure_anew()
            raise of_acting(exc) from None

    async def _measure_anew(self) -> None:
        """Set the clock before the next order takes its time from it."""
        self._time.doubt()
        with contextlib.suppress(PortError):
            await self._time.refresh()

    async def _send(
        self,
        call: Call,
        params: Mapping[str, str],
        sent_at: datetime.datetime | None = None,
        window: datetime.timedelta = READ_WINDOW,
    ) -> object:
        urls = self._where()
        host = urls.sapi if call.is_sapi else urls.rest
        if host is None:
            raise Unavailable("this environment has no such request")
        await self._limiter.admit(call, self._who)
        if call.is_signed:  # only now: it may have waited for longer than its deadline
            at = milliseconds_of(sent_at or self._time.now())
            params = {**params, "recvWindow": str(window // _MILLISECOND), "timestamp": str(at)}
        uri = f"{host}/sapi/v1/{call.path}" if call.is_sapi else f"{host}/api/v3/{call.path}"
        began = self._time.now()
        try:
            reply = await self._opened().send(call.method, uri, params, is_signed=call.is_signed)
        except TimeoutError:
            raise NoAnswer(f"no answer within {self._within_s:g} seconds") from None
        except aiohttp.ClientConnectorError:
            raise NoAnswer(f"the connection failed: {urlsplit(host).netloc} cannot be reached") from None
        except (aiohttp.ClientError, OSError) as exc:  # its text may hold the address, and that the signature
            raise NoAnswer(f"the connection failed ({type(exc).__name__})") from None
        self._limiter.note(reply.headers, self._who, began)
        if not 200 <= reply.status < 300:  # noqa: PLR2004
            raise self._refused(reply)
        try:
            return parse(reply.text)
        except Unreadable as exc:
            raise NoAnswer(f"the answer cannot be used: {exc}") from None

    def _opened(self) -> Client:
        if self._client is None:
            self._client = Client(self._key, within_s=self._within_s)
        return self._client

    def _refused(self, reply: Reply) -> Refused:
        code, text = 0, ""
        with contextlib.suppress(Unreadable):
            row = row_of(parse(reply.text))
            code = integer_in(row, "code")
            text = _LOOKS_SECRET.sub("...", str(row.get("msg") or ""))
        refused = Refused(reply.status, code, text)
        if code == TOO_MANY_ORDERS:
            refused.retry_at = self._limiter.orders_rest(self._who, text)
        elif kind_of(refused) is RateLimited:
            headers = {name.lower(): value for name, value in reply.headers.items()}
            refused.retry_at = self._limiter.punish(reply.status, text, headers.get("retry-after"))
        return refused

    async def refresh_time(self) -> None:
        """Measure the exchange's time if that is due.

        Raises:
            Unavailable: it does not say.
        """
        await self._time.refresh()

    async def time(self) -> datetime.datetime:
        """Return what time the exchange says it is.

        Raises:
            Unavailable: it does not say.
        """
        answer = await self.ask(TIME)
        try:
            return time_in(row_of(answer), "serverTime")
        except Unreadable as exc:
            raise Unavailable(f"the exchange does not say what time it is: {exc}") from None

    async def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close_connection()
