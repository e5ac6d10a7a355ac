"""One websocket connection: what is read goes on at once, what is asked is answered by its number."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from dcacore.adapters.binance.pace import Pace
from dcacore.adapters.binance.reading import Row, Unreadable, parse, row_of

log = structlog.get_logger("dcacore.binance")

CLOSES_WITHIN_S: Final = 2
_LARGEST: Final = 8 * 1024 * 1024
_PINGS_EVERY_S: Final = 20


class Dead(Exception):
    """The connection is gone, or as good as gone; the text says why."""


class Turned(Dead):
    """The exchange did not let us connect.

    Attributes:
        status: HTTP's.
        retry_after: what it says of the next try.
    """

    def __init__(self, status: int, retry_after: str | None) -> None:
        self.status = status
        self.retry_after = retry_after
        super().__init__(f"the connection was refused (HTTP {status})")


class _Connect(connect):
    """Follows no redirection: what is said over the connection is signed, and meant for one host."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Link:
    """A connection that is open.

    Attributes:
        ended: done with the reason when the connection is gone.
        leaving: set when the exchange has said that it will close.
    """

    def __init__(self, socket: ClientConnection, pace: Pace, on_bad_frame: Callable[[], None]) -> None:
        self._socket = socket
        self._pace = pace
        self._on_bad_frame = on_bad_frame
        self._number = 0
        self._asked: dict[int, asyncio.Future[Row]] = {}
        self._reader: asyncio.Task[None] | None = None
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.leaving = asyncio.Event()

    @classmethod
    async def open(cls, url: str, pace: Pace, on_bad_frame: Callable[[], None]) -> Link:
        """Connect.

        Raises:
            Dead: that did not work.
        """
        try:
            socket = await _Connect(
                url,
                open_timeout=pace.opens_within,
                close_timeout=CLOSES_WITHIN_S,
                ping_interval=_PINGS_EVERY_S,
                ping_timeout=_PINGS_EVERY_S,
                max_size=_LARGEST,
                compression=None,
                proxy=None,
                logger=_silent(),
            )
        except InvalidStatus as exc:
            raise Turned(exc.response.status_code, exc.response.headers.get("Retry-After")) from None
        except (WebSocketException, OSError, TimeoutError) as exc:
            raise Dead(f"no connection ({type(exc).__name__})") from None
        return cls(socket, pace, on_bad_frame)

    def listen(self, hear: Callable[[Row], None]) -> None:
        """Let *hear* have every frame that is no answer; it must be quick."""
        self._reader = asyncio.create_task(self._read(hear), name="binance stream")
        self._reader.add_done_callback(self._reader_ended)

    async def _read(self, hear: Callable[[Row], None]) -> None:
        async for text in self._socket:
            try:
                frame = row_of(parse(text))
            except Unreadable:
                self._on_bad_frame()
                continue
            number = frame.get("id")
            answered = self._asked.get(number) if isinstance(number, int) else None
            if answered is None:
                hear(frame)
            elif not answered.done():
                answered.set_result(frame)

    def _reader_ended(self, reader: asyncio.Task[None]) -> None:
        if reader.cancelled():
            self.fail("hung up")
        elif isinstance(exc := reader.exception(), ConnectionClosed) or exc is None:
            code = self._socket.close_code
            self.fail(f"the connection was closed ({code})")
        else:
            log.error("stream_reader_failed", reason=str(exc), exc_info=exc)
            self.fail(f"reading failed ({type(exc).__name__})")

    def fail(self, reason: str) -> None:
        """Take the connection for gone."""
        if not self.ended.done():
            self.ended.set_result(reason)
        for answered in self._asked.values():
            if not answered.done():
                answered.set_exception(Dead(reason))

    async def ask(self, message: Mapping[str, object]) -> Row:
        """Send *message* under a number and return the answer.

        Raises:
            Dead: there is none.
        """
        if self.ended.done():
            raise Dead(self.ended.result())
        self._number += 1
        number = self._number
        answered = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._pace.answers_within):
                await self._socket.send(json.dumps({**message, "id": number}))
                answer: Row = await answered
        except TimeoutError:
            raise Dead(f"no answer within {self._pace.answers_within:g} seconds") from None
        except ConnectionClosed:
            raise Dead("the connection was closed") from None
        finally:
            del self._asked[number]
        return answer

    async def close(self) -> None:
        """Hang up; at once, if the other side does not answer."""
        if self._reader is not None:
            self._reader.cancel()
        self.fail("hung up")
        try:
            async with asyncio.timeout(2 * CLOSES_WITHIN_S):
                await self._socket.close()
        except (TimeoutError, OSError, WebSocketException):
            return


def _silent() -> logging.Logger:
    """Return a logger that says nothing of frames: the account's key is in one of them."""
    logger = logging.getLogger("dcacore.binance.frames")
    logger.setLevel(logging.CRITICAL)
    return logger
