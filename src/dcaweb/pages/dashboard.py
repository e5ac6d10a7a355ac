"""The dashboard."""

from __future__ import annotations

from litestar import Controller, get
from litestar.response import Template

from dcaweb.rendering import page
from dcaweb.requests import WebRequest
from dcaweb.security.people import signed_in


class Dashboard(Controller):
    """How everything stands."""

    path = "/dashboard"
    guards = (signed_in,)

    @get()
    async def show(self, request: WebRequest) -> Template:
        """Show how everything stands."""
        return await page(request, "dashboard.html")
