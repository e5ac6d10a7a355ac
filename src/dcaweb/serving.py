"""The dashboard on a port, with an engine beside it unless that runs elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final

import attrs
import structlog
import uvicorn
from litestar import Litestar

from dcacore.bootstrap import garbage
from dcacore.bootstrap.app import App, delivering, open_app, running
from dcacore.bootstrap.demo import Demo, DemoOptions, Tell, run_demo
from dcacore.bootstrap.programs import run_program
from dcacore.domain.errors import DcaError
from dcacore.settings import Settings
from dcaweb.app import create_app

log = structlog.get_logger("dcaweb")

_PATIENCE_S: Final = 1
"""How long open streams are waited for at the end."""
_BACKLOG: Final = 2048


class CannotListen(DcaError):
    """A port cannot be listened on."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        self.host = host
        self.port = port
        super().__init__(f"cannot listen on {host}:{port}: {reason}")


class NoKey(DcaError):
    """ENCRYPTION_KEY is not set, and exchange keys could not be kept."""

    def __init__(self) -> None:
        super().__init__("ENCRYPTION_KEY is not set: `dca keys generate` makes one; put it into the file .env")


@attrs.frozen
class _Server:
    """A server inside a program that has its own way to be stopped."""

    server: uvicorn.Server
    listening: socket.socket

    async def run(self) -> None:
        """Serve until `stop`."""
        await self.server.serve(sockets=[self.listening])

    def stop(self) -> None:
        """Take no more, and end soon."""
        self.server.should_exit = True


class _Quiet(uvicorn.Server):
    """A server whose signals are the program's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


def serve(settings: Settings, *, host: str, port: int, has_engine: bool, tell: Callable[[str], None]) -> None:
    """Serve the dashboard until SIGTERM or SIGINT.

    Args:
        settings: the settings.
        host: the address to listen on.
        port: the port; 0 for any that is free.
        has_engine: whether an engine runs in this process.
        tell: is given the address once pages can be asked for.

    Raises:
        NoKey: ENCRYPTION_KEY is not set.
        CannotListen: the port cannot be listened on.
        AssetsMissing: the front end has not been built.
        EngineRunning: another engine runs over the same SQLite database.
        DcaError: it could not start.
    """
    if not settings.encryption_key:
        raise NoKey

    async def work(stopping: asyncio.Event) -> None:
        with listening(host, port) as taken:
            await _serve(settings, taken, stopping, has_engine=has_engine, tell=tell)

    run_program(settings, work)


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Yield a socket that listens.

    Raises:
        CannotListen: it cannot.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, proto)
    except OSError as exc:
        raise CannotListen(host, port, exc.strerror or str(exc)) from None
    except UnicodeError:
        raise CannotListen(host, port, "that is no name of a host") from None
    with made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind(address)
            made.listen(_BACKLOG)
        except OSError as exc:
            raise CannotListen(host, port, exc.strerror or str(exc)) from None
        yield made


async def _serve(
    settings: Settings,
    taken: socket.socket,
    stopping: asyncio.Event,
    *,
    has_engine: bool,
    tell: Callable[[str], None],
) -> None:
    if settings.base_url == Settings().base_url:  # nobody has said where people find this: here
        settings = attrs.evolve(settings, base_url=address_of(taken))
    async with open_app(settings, may_create=True) as app, _equipped(app, has_engine=has_engine) as equipped:
        garbage.settle()
        await serve_app(equipped, taken, stopping, tell)


@asynccontextmanager
async def _equipped(app: App, *, has_engine: bool) -> AsyncIterator[App]:
    async with contextlib.AsyncExitStack() as stack:
        if has_engine:
            app = await stack.enter_async_context(running(app))
        yield await stack.enter_async_context(delivering(app))


async def serve_app(app: App, taken: socket.socket, stopping: asyncio.Event, tell: Callable[[str], None]) -> None:
    """Serve the dashboard over *app* until *stopping* is set, or its engine has ended.

    Args:
        app: what the pages show.
        taken: the socket, which listens already.
        stopping: ends it; it is set here when the engine has ended, or serving failed.
        tell: is given the address once pages can be asked for.
    """
    web = create_app(app)
    server, streams = _server(web, app.settings, taken), web.state.streams
    serving = asyncio.create_task(server.run(), name="dashboard")
    told = asyncio.create_task(stopping.wait())
    ends = {serving, told, *([] if app.engine_task is None else [app.engine_task])}
    try:
        tell(address_of(taken))
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.set()
        streams.end()
        server.stop()
        await asyncio.wait({serving, told})
    if serving.exception() is not None:
        serving.result()


def _server(app: Litestar, settings: Settings, taken: socket.socket) -> _Server:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies.split(","),
        timeout_graceful_shutdown=_PATIENCE_S,
        lifespan="on",
        ws="none",
    )
    return _Server(_Quiet(config), taken)


def address_of(taken: socket.socket) -> str:
    """Return where a browser on this machine finds what listens on *taken*."""
    host, port = taken.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def show_demo(options: DemoOptions, *, host: str, port: int, tell: Tell, ready: Callable[[Demo, str], None]) -> None:
    """Run a demo and serve its dashboard until SIGTERM or Ctrl-C.

    Args:
        options: what it is to be like.
        host: the address to listen on.
        port: the port; 0 for any that is free.
        tell: told which share of the history has been played.
        ready: is given the demo, and the address, once pages can be asked for.

    Raises:
        CannotListen: the port cannot be listened on.
        AssetsMissing: the front end has not been built.
        DcaError: the engine could not start.
    """
    with listening(host, port) as taken:
        address = address_of(taken)

        async def show(it: Demo) -> None:
            async with delivering(it.app) as app:
                garbage.settle()
                await serve_app(app, taken, asyncio.Event(), lambda _: ready(it, address))

        settings = attrs.evolve(options.settings, base_url=address)
        run_demo(attrs.evolve(options, settings=settings), tell=tell, ready=lambda _: None, show=show)
