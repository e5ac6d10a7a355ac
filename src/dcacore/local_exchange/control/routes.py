"""The routes of the control interface.

Whoever reaches them owns the exchange, and needs no key. A port on the loopback interface is no wall against pages in a
browser on this machine: they can send it requests, and under a host name of their own that points here (DNS rebinding)
read the answers, too. So what a browser says of such requests is looked at first.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response, get, post
from litestar.types import ControllerRouterHandler

from dcacore.domain.errors import DcaError
from dcacore.local_exchange.addresses import is_loopback
from dcacore.local_exchange.control.actions import POSTS
from dcacore.local_exchange.control.books import books_of
from dcacore.local_exchange.control.told import Told, read, text
from dcacore.local_exchange.errors import ApiError
from dcacore.local_exchange.faults.kinds import listed
from dcacore.local_exchange.site import Site


def control_handlers(site: Site) -> list[ControllerRouterHandler]:
    """Return the handlers of the control interface."""

    @get("/control/fault", before_request=_refuse_pages)
    async def faults() -> Response[Any]:
        waiting = [{"kind": one.kind, "match": one.match, "times": one.times} for one in site.desk.waiting]
        return Response({"kinds": listed(), "waiting": waiting, "struck": site.desk.struck})

    @get("/control/books", before_request=_refuse_pages)
    async def books(request: Request[Any, Any, Any]) -> Response[Any]:
        return _answered(lambda: books_of(site.exchange, text(request.query_params, "apiKey")))

    return [changing_handler(site, list(POSTS)), faults, books]


def changing_handler(site: Site, paths: list[str]) -> ControllerRouterHandler:
    """Return the handler of *paths*, some of `POSTS`."""

    @post(paths, status_code=HTTPStatus.OK, before_request=_refuse_pages)
    async def change(request: Request[Any, Any, Any]) -> Response[Any]:
        body = await request.body()
        return _answered(lambda: _done(site, request.scope["path"], read(body)))

    return change


def _refuse_pages(request: Request[Any, Any, Any]) -> Response[Any] | None:
    """Return what a page is told; None for a program, which names this machine and has no origin."""
    if "origin" not in request.headers and _is_here(request.headers.get("host", "")):
        return None
    why = "the control interface answers programs that connect to the loopback interface, and no web pages"
    return Response({"error": why}, status_code=HTTPStatus.FORBIDDEN)


def _is_here(host: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False


def _done(site: Site, path: str, told: Told) -> object:
    done = POSTS[path](site, told)
    site.keep()
    return done


def _answered(work: Callable[[], object]) -> Response[Any]:
    """Return what *work* says, or why it could not be done."""
    try:
        return Response(work())
    except ApiError as refusal:
        return Response(refusal.body, status_code=refusal.status)
    except (DcaError, ValueError) as wrong:
        return Response({"error": str(wrong)}, status_code=HTTPStatus.BAD_REQUEST)
