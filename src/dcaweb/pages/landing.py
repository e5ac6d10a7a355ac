"""What strangers see first."""

from __future__ import annotations

from litestar import get
from litestar.response import Redirect, Template

from dcacore.ports.identity import Registration
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of, signed_in_of


@get("/")
async def landing(request: WebRequest) -> Template | Redirect:
    """Show what this is; who is signed in goes on to the dashboard."""
    if signed_in_of(request) is not None:
        return Redirect("/dashboard", status_code=303)
    may_register = app_of(request).settings.registration is Registration.OPEN
    return await page(request, "landing.html", may_register=may_register)
