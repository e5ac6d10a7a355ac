"""What a browser sees at Polar: a checkout with a button that pays, and pages that only say what they are."""

from __future__ import annotations

import html

from aiohttp import web

from dcacore.ports.errors import Rejected
from tests.polar.world import Delivery, PolarWorld


def page(world: PolarWorld, request: web.Request, told: list[Delivery]) -> web.Response:
    """Return a page; paying adds what Polar sends of it to *told*."""
    kind, _, key = request.path.strip("/").partition("/")
    if kind != "checkout":
        return _html(f"<h1>{html.escape(kind)}</h1><p>{html.escape(key)}</p>")
    purchase = world.till.purchases.get(key)
    if purchase is None:
        return _html("<h1>There is no such checkout</h1>", 404)
    if request.method != "POST":
        back = f'<a href="{html.escape(purchase.return_url)}">Back</a>'
        return _html(f'<h1>PRO, $10 a month</h1><form method="post"><button>Pay</button></form>{back}')
    try:
        told += world.pay(key)
    except Rejected as refused:
        return _html(f"<h1>{html.escape(str(refused))}</h1>", 403)
    return web.Response(status=303, headers={"location": purchase.success_url.replace("{CHECKOUT_ID}", key)})


def _html(body: str, status: int = 200) -> web.Response:
    text = f'<!doctype html><html lang="en"><title>Polar</title><body>{body}</body></html>'
    return web.Response(status=status, text=text, content_type="text/html")
