"""The exchange on a port, with uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

import structlog
import uvicorn
from websockets import http11

from dcacore.domain.errors import DcaError
from dcacore.local_exchange.addresses import LOOPBACK, CannotListen, Urls, bind, is_loopback
from dcacore.local_exchange.app import create_app
from dcacore.local_exchange.site import Site
from dcacore.local_exchange.transports import CuttableHttp, CuttableWebSocket

log = structlog.get_logger("dcacore.local_exchange")

PING_S: Final = 20.0
"""Seconds between pings (web-socket-streams.md)."""
PONG_S: Final = 60.0
"""Seconds for which the answer to a ping is waited for."""
KEPT_ALIVE_S: Final = 75
"""Seconds for which an idle connection stays open; with few, a request could meet its end."""
_PATIENCE_S: Final = 1
_LOOKS_EVERY_S: Final = 1.0
_LONGEST_LINE: Final = 2**16
"""Bytes of a request's first line: the names of 1,024 streams find room in it, and in websockets' own 8 KiB do not."""


class ControlNeedsLoopback(DcaError):
    """The control interface would be open to others than this machine."""

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__(f"--control is only for a server on the loopback interface, and {host} is not on it")


class _Embedded(uvicorn.Server):
    """A server inside another program, whose signals are none of its business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signals."""
        yield


def server_of(site: Site, host: str = LOOPBACK, *, has_control: bool = False) -> uvicorn.Server:
    """Return a server of *site* that can be given sockets.

    Raises:
        ControlNeedsLoopback: *host* is not on the loopback interface.
    """
    if (has_control or site.opens_pairs) and not is_loopback(host):
        raise ControlNeedsLoopback(host)
    http11.MAX_LINE_LENGTH = _LONGEST_LINE  # it has no other way to say so but the environment, before it is imported
    config = uvicorn.Config(
        create_app(site, has_control=has_control),
        http=CuttableHttp,
        ws=CuttableWebSocket,
        ws_per_message_deflate=False,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PONG_S,
        timeout_keep_alive=KEPT_ALIVE_S,
        timeout_graceful_shutdown=_PATIENCE_S,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # who is on this machine could call itself any address, and limits go by addresses
    )
    return uvicorn.Server(config)


@contextlib.asynccontextmanager
async def serving(site: Site, *, port: int = 0, has_control: bool = False) -> AsyncIterator[Urls]:
    """Serve on the loopback interface, in the running event loop, until the block ends."""
    server = _Embedded(server_of(site, has_control=has_control).config)
    listening = bind(LOOPBACK, port)
    urls = Urls.of(LOOPBACK, listening.getsockname()[1])
    running = asyncio.create_task(server.serve([listening]))
    try:
        while not server.started:
            if running.done():
                running.result()
            await asyncio.sleep(0.01)
        yield urls
    finally:
        server.should_exit = True
        await running
        listening.close()


async def run(
    site: Site,
    host: str,
    port: int,
    *,
    has_control: bool,
    tell: Callable[[Urls], object],
    idle_s: float | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; *tell* is told where, once clients can connect.

    With *idle_s* it ends by itself when nobody has been connected for so many seconds.

    Raises:
        CannotListen: the address or the port cannot be had.
        ControlNeedsLoopback: *host* is not on the loopback interface.
        KeyboardInterrupt: it was Ctrl-C.
    """
    server = _Embedded(server_of(site, host, has_control=has_control).config)
    try:
        listening = bind(host, port)
    except OSError as wrong:
        raise CannotListen(host, port, wrong.strerror or str(wrong)) from wrong
    interrupts: list[int] = []

    def stop(signal_number: int) -> None:
        interrupts.append(signal_number)
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    ending = None if idle_s is None else asyncio.create_task(_end_when_idle(server, idle_s))
    try:
        tell(Urls.of(host, listening.getsockname()[1]))  # it listens: who connects now is served in a moment
        await server.serve([listening])
    finally:
        if ending is not None:
            ending.cancel()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        listening.close()
    if signal.SIGINT in interrupts:
        raise KeyboardInterrupt


async def _end_when_idle(server: uvicorn.Server, idle_s: float) -> None:
    """End *server* when nobody has been connected, and nothing asked, for *idle_s* seconds."""
    loop, state = asyncio.get_running_loop(), server.server_state
    since, asked = loop.time(), state.total_requests
    while loop.time() - since < idle_s:
        await asyncio.sleep(min(_LOOKS_EVERY_S, idle_s))
        if state.connections or state.total_requests != asked:
            since, asked = loop.time(), state.total_requests
    log.info("nobody_is_connected", seconds=idle_s)
    server.should_exit = True
