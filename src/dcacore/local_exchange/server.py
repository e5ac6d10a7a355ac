"""The exchange on a port, with uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

import attrs
import uvicorn

from dcacore.domain.errors import DcaError
from dcacore.local_exchange.app import create_app
from dcacore.local_exchange.site import Site
from dcacore.local_exchange.transports import CuttableHttp, CuttableWebSocket

LOOPBACK: Final = "127.0.0.1"
PING_S: Final = 20.0
"""Seconds between pings (web-socket-streams.md)."""
PONG_S: Final = 60.0
"""Seconds for which the answer to a ping is waited for."""
KEPT_ALIVE_S: Final = 75
"""Seconds for which an idle connection stays open; with few, a request could meet its end."""
_PATIENCE_S: Final = 1
_BACKLOG: Final = 256


class ControlNeedsLoopback(DcaError):
    """The control interface would be open to others than this machine."""

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__(f"--control is only for a server on the loopback interface, and {host} is not on it")


class CannotListen(DcaError):
    """Somebody else has the port, or there is no such address here."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        self.host, self.port = host, port
        super().__init__(f"cannot listen on {host}, port {port}: {reason}")


@attrs.frozen
class Urls:
    """What clients are told to connect to.

    Attributes:
        rest: the base of REST, without a path.
        stream: the base of market streams, without a path.
        ws_api: the WebSocket API.
    """

    rest: str
    stream: str
    ws_api: str

    @classmethod
    def of(cls, host: str, port: int) -> Urls:
        """Return those of a server."""
        at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return cls(f"http://{at}", f"ws://{at}", f"ws://{at}/ws-api/v3")


class _Embedded(uvicorn.Server):
    """A server inside another program, whose signals are none of its business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signals."""
        yield


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach *host*."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 is any that is free.

    Raises:
        OSError: the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def server_of(site: Site, host: str = LOOPBACK, *, has_control: bool = False) -> uvicorn.Server:
    """Return a server of *site* that can be given sockets.

    Raises:
        ControlNeedsLoopback: *host* is not on the loopback interface.
    """
    if has_control and not is_loopback(host):
        raise ControlNeedsLoopback(host)
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


async def run(site: Site, host: str, port: int, *, has_control: bool, tell: Callable[[Urls], object]) -> None:
    """Serve until SIGTERM or Ctrl-C; *tell* is told where, once clients can connect.

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
    try:
        tell(Urls.of(host, listening.getsockname()[1]))  # it listens: who connects now is served in a moment
        await server.serve([listening])
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        listening.close()
    if signal.SIGINT in interrupts:
        raise KeyboardInterrupt
