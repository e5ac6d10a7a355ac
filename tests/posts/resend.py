"""What answers as Resend does: takes a mail once by its key, and fails as it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs

KEY: Final = "re_canary_of_the_tests"


@attrs.frozen(kw_only=True)
class Fault:
    """What happens in the place of an answer.

    Attributes:
        status: of the answer; None drops the connection.
        body: of the answer.
        headers: of the answer.
        takes: whether the mail is taken nevertheless.
        hangs: whether nothing is answered at all.
        trickles: whether the answer comes for ever, a byte at a time.
    """

    status: int | None = None
    body: str = ""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    takes: bool = False
    hangs: bool = False
    trickles: bool = False


def said(status: int, name: str, **headers: str) -> Fault:
    """Return an error as Resend words it; the message repeats what it has got, as some do."""
    body = json.dumps({"statusCode": status, "name": name, "message": f"canary: {KEY}"})
    return Fault(status=status, body=body, headers={key.replace("_", "-"): text for key, text in headers.items()})


@attrs.define
class Resend:
    """The service.

    Attributes:
        url: where it is.
        faults: what goes wrong, one request after the other; then nothing does.
        requests: the headers of all requests, in lower case.
        taken: the mails that it has taken, by their key, once each.
    """

    url: str = ""
    faults: deque[Fault] = attrs.field(factory=deque)
    requests: list[dict[str, str]] = attrs.field(factory=list)
    taken: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    _streams: set[asyncio.StreamWriter] = attrs.field(factory=set, init=False)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer on one connection until it ends."""
        self._streams.add(writer)
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self._streams.discard(writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(headers)
        fault = self.faults.popleft() if self.faults else None
        if fault is None:
            status, text = self._take(head[0], headers, body)
            await _write(writer, status, text, {})
            return True
        if fault.takes:
            self._take(head[0], headers, body)
        if fault.hangs:
            await reader.read()  # until the other side has had enough
            return False
        if fault.trickles:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
            while not reader.at_eof():
                writer.write(b" ")
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(), 0.01)
            return False
        if fault.status is None:
            return False
        await _write(writer, fault.status, fault.body, fault.headers)
        return True

    def _take(self, line: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        if line != "POST /emails HTTP/1.1":
            return 404, _error(404, "not_found")
        if "user-agent" not in headers or headers.get("authorization") != f"Bearer {KEY}":
            return 403, _error(403, "invalid_api_key")
        key, mail = headers["idempotency-key"], json.loads(body)
        if not 1 <= len(key) <= 256:
            return 400, _error(400, "invalid_idempotency_key")
        if self.taken.setdefault(key, mail) != mail:
            return 409, _error(409, "invalid_idempotent_request")
        return 200, json.dumps({"id": f"mail-{sorted(self.taken).index(key)}"})

    def close(self) -> None:
        """Drop what is open."""
        for writer in self._streams:
            writer.close()


def _error(status: int, name: str) -> str:
    return json.dumps({"statusCode": status, "name": name, "message": "canary"})


async def _write(writer: asyncio.StreamWriter, status: int, body: str, headers: Mapping[str, str]) -> None:
    more = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
    head = f"HTTP/1.1 {status} Word\r\nContent-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n"
    writer.write(f"{head}{more}\r\n{body}".encode())
    await writer.drain()


@asynccontextmanager
async def resend() -> AsyncIterator[Resend]:
    """Yield the service on a free port of this machine."""
    service = Resend()
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield service
    finally:
        server.close()
        service.close()
