"""What one's plan allows, and how much of it is used."""

from __future__ import annotations

from litestar import Controller, get
from litestar.response import Template

from dcacore.application import bots
from dcacore.application.overview import allowed
from dcacore.ports.records import Tier
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me, signed_in


class Subscription(Controller):
    """A user's plan."""

    path = "/subscription"
    guards = (signed_in,)

    @get()
    async def show(self, request: WebRequest) -> Template:
        """Show the plan, and what the others allow."""
        user = me(request)
        used = len(await bots.of(app_of(request).store, user.id))
        plans = [(tier, allowed(tier)) for tier in Tier]
        return await page(
            request, "subscription.html", tier=user.tier, used=used, allowed=allowed(user.tier), plans=plans
        )
