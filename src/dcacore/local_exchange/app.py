"""The exchange as a web application: REST, streams, WebSocket API and control, on one port."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from litestar import Litestar, Response, WebSocket, get, route, websocket
from litestar import Request as HttpRequest
from litestar.config.app import AppConfig
from litestar.enums import HttpMethod
from litestar.types import ControllerRouterHandler

from dcacore.local_exchange.control import PAIR, changing_handler, control_handlers
from dcacore.local_exchange.faults.requests import Dropped
from dcacore.local_exchange.rest import Request, answer
from dcacore.local_exchange.site import Site
from dcacore.local_exchange.streams.connection import POLICY, converse
from dcacore.local_exchange.streams.hub import Subscriber
from dcacore.local_exchange.streams.names import parse_name
from dcacore.local_exchange.streams.requests import answer as answer_stream
from dcacore.local_exchange.transports import cut
from dcacore.local_exchange.ws_api.requests import answer as answer_session
from dcacore.local_exchange.ws_api.users import Session

_METHODS: Final = [HttpMethod.GET, HttpMethod.POST, HttpMethod.PUT, HttpMethod.DELETE]
Socket = WebSocket[Any, Any, Any]


def create_app(site: Site, *, has_control: bool = False) -> Litestar:
    """Return the application.

    Args:
        site: what answers.
        has_control: whether the control interface is served; only for a server that nobody else can reach.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with site.running():
            yield

    handlers: list[ControllerRouterHandler] = [_rest(site), _streams(site), _ws_api(site), _about(site)]
    if has_control:
        handlers += control_handlers(site)
    elif site.opens_pairs:
        handlers.append(changing_handler(site, [PAIR]))
    return Litestar(handlers, lifespan=[lifespan], openapi_config=None, on_app_init=[_plain])


def _plain(config: AppConfig) -> AppConfig:
    config.logging_config = None  # whoever runs the application sets up logging
    return config


def _rest(site: Site) -> ControllerRouterHandler:
    @route(["/api/{tail:path}", "/sapi/{tail:path}"], http_method=_METHODS, include_in_schema=False)
    async def rest(request: HttpRequest[Any, Any, Any]) -> Response[bytes]:
        asked = Request(
            method=request.method,
            path=request.scope["path"],
            query=request.scope["query_string"],
            body=await request.body(),
            key=request.headers.get("x-mbx-apikey", ""),
            address=_address(request),
        )
        try:
            told = await answer(site, asked)
        except Dropped:
            cut(request.scope)
            return Response(b"")
        return Response(told.body, status_code=told.status, headers=dict(told.headers), media_type=told.media_type)

    return rest


def _about(site: Site) -> ControllerRouterHandler:
    @get("/about", include_in_schema=False)
    async def about() -> dict[str, Any]:
        told = site.told()
        return {
            "mark": site.mark,
            "is_paper": site.is_paper,
            "prices": told.source.value,
            "reason": told.reason,
            "by_chance": list(told.by_chance),
        }

    return about


def _streams(site: Site) -> ControllerRouterHandler:
    @websocket(["/ws", "/ws/{tail:path}", "/stream"])
    async def streams(socket: Socket) -> None:
        if not await _accepted(site, socket):
            return
        path = socket.scope["path"]
        subscriber = Subscriber(_address(socket), _cutter(socket), is_combined=path == "/stream")
        names = path.removeprefix("/ws").strip("/") if path != "/stream" else socket.query_params.get("streams", "")
        named = [name for name in map(parse_name, str(names).split("/")) if name is not None]
        site.hub.join(subscriber)
        site.hub.subscribe(subscriber, named)
        site.broadcast.greet(subscriber, named)

        def heard(text: str) -> None:
            if subscriber.is_too_fast(time.monotonic()) and site.exchange.limits.are_on:
                subscriber.close(POLICY)
            else:
                answer_stream(text, subscriber, site.hub, site.broadcast)

        try:
            await converse(subscriber, socket.receive, socket.send, heard, site.life)
        finally:
            site.hub.leave(subscriber)

    return streams


def _ws_api(site: Site) -> ControllerRouterHandler:
    under_way: set[asyncio.Task[None]] = set()

    @websocket(["/ws-api/v3"])
    async def ws_api(socket: Socket) -> None:
        if not await _accepted(site, socket):
            return
        session = Session(_address(socket), _cutter(socket), since=site.exchange.clock.ms())
        site.users.sessions.add(session)

        async def answered(text: str) -> None:
            try:
                await answer_session(site, session, text)
            except Dropped:
                session.abort()

        def heard(text: str) -> None:
            # One that is held up holds up no other; and it is carried out even when nobody waits for it any more.
            task = asyncio.create_task(answered(text))
            under_way.add(task)
            task.add_done_callback(under_way.discard)

        try:
            await converse(session, socket.receive, socket.send, heard, site.life)
        finally:
            site.users.sessions.discard(session)

    return ws_api


async def _accepted(site: Site, socket: Socket) -> bool:
    if not site.exchange.limits.may_connect(_address(socket), site.exchange.clock.ms()):
        await socket.close()
        return False
    await socket.accept()
    return True


def _address(connection: HttpRequest[Any, Any, Any] | Socket) -> str:
    return connection.client.host if connection.client is not None else ""


def _cutter(socket: Socket) -> Callable[[], None]:
    return lambda: cut(socket.scope)
