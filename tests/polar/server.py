"""Polar's HTTP interface on a loopback port, with faults, and its pages."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs
from aiohttp import web

from dcacore.domain.ids import UserId
from dcacore.ports.billing import PaymentState
from dcacore.ports.errors import Rejected
from tests.polar import shapes
from tests.polar.pages import page
from tests.polar.shapes import Json
from tests.polar.world import PRODUCT, Delivery, PolarWorld

TOKEN: Final = "polar_oat_canary-token"
HTML: Final = "<html><body>502 Bad Gateway canary-body</body></html>"


@attrs.frozen(kw_only=True)
class Fault:
    """What happens to a request instead of, or after, what should.

    Attributes:
        acts: whether what was asked for is done before.
        status: what is answered; 0 answers as always, 1 breaks the connection off, 2 never answers.
        headers: of the answer.
        body: of the answer.
        where: only a request whose path has this in it is met.
        reshaped: what becomes of the answer, where it is answered as always.
    """

    acts: bool = False
    status: int = 0
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: str = "{}"
    where: str = ""
    reshaped: Callable[[Any], Any] = lambda it: it


DROPS: Final = 1
HANGS: Final = 2
_UNKNOWN: Final = (404, {"error": "ResourceNotFound", "detail": "canary-body"})


@attrs.frozen(kw_only=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: Json


class PolarServer:
    """Polar on a loopback port.

    Attributes:
        world: what it is about.
        url: where it is; `/v1` follows.
        faults: what happens to the next requests, each once.
        asked: what came.
        told: what Polar has sent because of requests: nobody delivers it but the test.
        page: how many a page of a list has at most.
        is_behind: whether its lists do not show yet what was paid last.
        slow_invoices: payments whose invoice is not there at the next question.
    """

    def __init__(self, world: PolarWorld) -> None:
        self.world = world
        self.url = ""
        self.faults: deque[Fault] = deque()
        self.asked: list[Asked] = []
        self.told: list[Delivery] = []
        self.page = 100
        self.is_behind = False
        self.slow_invoices: set[str] = set()
        self._released = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request, or fail as the next fault says."""
        if not request.path.startswith("/v1/"):
            return page(self.world, request, self.told)
        text = await request.text()
        asked = Asked(
            method=request.method,
            path=request.raw_path.partition("?")[0],
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
            content=json.loads(text) if text else {},
        )
        self.asked.append(asked)
        fault = self._fault(asked)
        if fault is None:
            return _json(*self._said(asked))
        said = self._said(asked) if fault.acts or fault.status == 0 else (0, {})
        if fault.status == DROPS:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault.status == HANGS:
            await self._released.wait()
            return web.Response(status=500)
        if fault.status:
            return web.Response(status=fault.status, headers=dict(fault.headers), text=fault.body)
        return _json(said[0], fault.reshaped(said[1]))

    def release(self) -> None:
        """Let what hangs go."""
        self._released.set()

    def _fault(self, asked: Asked) -> Fault | None:
        for fault in self.faults:
            if fault.where in asked.path:
                self.faults.remove(fault)
                return fault
        return None

    def _said(self, asked: Asked) -> tuple[int, Any]:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"error": "invalid_token", "error_description": "canary-body"}
        if asked.headers.get("polar-version") != "2026-10" or "dcabot" not in asked.headers.get("user-agent", ""):
            return 400, {"error": "BadRequest", "detail": "canary-body"}
        place, *rest = asked.path.removeprefix("/v1/").split("/")
        what = self._routes.get((asked.method, place, len(rest)))
        return what(asked, rest[0]) if what else _UNKNOWN

    @property
    def _routes(self) -> Mapping[tuple[str, str, int], Callable[[Asked, str], tuple[int, Any]]]:
        return {
            ("POST", "checkouts", 1): self._begin,
            ("GET", "checkouts", 1): self._checkout,
            ("POST", "customer-sessions", 1): self._session,
            ("GET", "subscriptions", 1): self._subscriptions,
            ("PATCH", "subscriptions", 1): self._update,
            ("GET", "orders", 1): self._orders,
            ("GET", "orders", 2): self._invoice,
            ("POST", "orders", 2): self._invoice,
        }

    def _begin(self, asked: Asked, key: str) -> tuple[int, Any]:
        content = asked.content
        if content.get("products") != [PRODUCT]:
            return _invalid("products")
        if "@" not in content.get("customer_email", ""):
            return _invalid("customer_email")
        purchase = self.world.till.begin(
            UserId(content["external_customer_id"]),
            email=content["customer_email"],
            success_url=content["success_url"],
            return_url=content["return_url"],
            address=content.get("customer_ip_address", ""),
        )
        self.told += self.world.opened(purchase.checkout.id)
        return 201, self.world.checkout_shape(purchase.checkout.id)

    def _checkout(self, asked: Asked, key: str) -> tuple[int, Any]:
        if key.count("-") != 4:
            return _invalid("id")
        if key not in self.world.till.purchases:
            return _UNKNOWN
        return 200, self.world.checkout_shape(key)

    def _session(self, asked: Asked, key: str) -> tuple[int, Any]:
        content = asked.content
        user_id = UserId(content["external_customer_id"])
        found = self.world.till.customers.get(user_id)
        if found is None:
            return _invalid("external_customer_id")
        return 201, {
            "id": "session",
            "token": "polar_cst_canary",
            "return_url": content["return_url"],
            "customer_portal_url": f"{self.url}/portal/{found}",
            "customer_id": found,
            "customer": shapes.customer(found, user_id),
        }

    def _update(self, asked: Asked, key: str) -> tuple[int, Any]:
        if key not in self.world.till.holdings:
            return _UNKNOWN
        held = self.world.till.subscription(key)
        ends = asked.content["cancel_at_period_end"]
        if ends and held.ends_at is not None:
            return 403, {"error": "AlreadyCanceledSubscription", "detail": "canary-body"}
        try:
            self.told += self.world.set_ending(key, ends=ends)
        except Rejected:
            return 403, {"error": "AlreadyCanceledSubscription", "detail": "canary-body"}
        return 200, self.world.subscription_shape(key)

    def _invoice(self, asked: Asked, key: str) -> tuple[int, Any]:
        charge = self.world.till.charges.get(key)
        if charge is None:
            return _UNKNOWN
        no_invoice = (404, {"error": "InvoiceDoesNotExist", "detail": "canary-body"})
        if charge.payment.state is PaymentState.PENDING:
            return no_invoice if asked.method == "GET" else (422, {"error": "NotPaidOrder"})
        if charge.user_id in self.world.till.nameless:
            missing = {"error": "MissingInvoiceBillingDetails", "detail": "canary-body"}
            return no_invoice if asked.method == "GET" else (422, missing)
        if asked.method == "POST":
            is_made, charge.has_invoice = charge.has_invoice, True
            self.slow_invoices.add(key)
            return (409, {"error": "InvoiceAlreadyExists", "detail": "canary-body"}) if is_made else (202, None)
        if not charge.has_invoice or key in self.slow_invoices:
            self.slow_invoices.discard(key)
            return no_invoice
        return 200, {"url": f"{self.url}/invoice/{key}"}

    def _subscriptions(self, asked: Asked, key: str) -> tuple[int, Any]:
        if key:
            is_there = key in self.world.till.holdings
            return (200, self.world.subscription_shape(key)) if is_there else _UNKNOWN
        user_id = asked.query.get("external_customer_id")
        held = [it for it in self.world.till.holdings.values() if it.user_id == user_id and not self.is_behind]
        return self._listed(asked.query, [self.world.subscription_shape(it.subscription.id) for it in held])

    def _orders(self, asked: Asked, key: str) -> tuple[int, Any]:
        user_id = asked.query.get("external_customer_id")
        found = [it for it in self.world.till.charges.values() if it.user_id == user_id]
        return self._listed(asked.query, [self.world.order_shape(it) for it in reversed(found)])

    def _listed(self, query: Mapping[str, str], items: list[Json]) -> tuple[int, Any]:
        limit, page = min(int(query["limit"]), self.page), int(query["page"])
        if int(query["limit"]) > 100:
            return _invalid("limit")
        shown = items[(page - 1) * limit : page * limit]
        return 200, {"items": shown, "pagination": {"total_count": len(items), "max_page": -(-len(items) // limit)}}


def _invalid(field: str) -> tuple[int, Any]:
    said = {"type": "value_error", "loc": ["body", field], "msg": "canary-body", "input": "canary-body"}
    return 422, {"error": "RequestValidationError", "detail": [said]}


def _json(status: int, said: Any) -> web.Response:
    return web.json_response(said, status=status)


@asynccontextmanager
async def polar_server(world: PolarWorld) -> AsyncIterator[PolarServer]:
    """Yield Polar on a free loopback port; it ends with the block."""
    server = PolarServer(world)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    world.till.pages = server.url
    try:
        yield server
    finally:
        server.release()
        await runner.cleanup()
