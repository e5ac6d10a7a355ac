"""Pages and parts of pages from templates."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.datastructures import State
from litestar.response import Template

from dcacore.ports.identity import Preferences
from dcaweb import flash
from dcaweb.formats import Formats
from dcaweb.requests import app_of, signed_in_of
from dcaweb.shell import Shell, shell_of


async def page(request: Request[Any, Any, State], template: str, *, status: int = 200, **context: Any) -> Template:
    """Return a whole page.

    Args:
        request: what asks for it.
        template: its file.
        status: HTTP's.
        context: what the template shows.

    Raises:
        StoreError: the database cannot be read.
    """
    signed_in = signed_in_of(request)
    if signed_in is None:
        return framed(shell_of(request), template, status=status, **context)
    async with app_of(request).store.begin(reads_only=True) as work:
        accounts = await work.accounts.of(signed_in.user.id)
        unread = (await work.feed.pulse(signed_in.user.id)).unread
        wishes = await work.wishes.get(signed_in.user.id) or Preferences()
    shell = shell_of(
        request,
        environments=[it.environment for it in accounts],
        unread=unread,
        time_zone=wishes.time_zone,
        theme=wishes.theme.value,
    )
    return framed(shell, template, status=status, **{"formats": Formats.of(wishes), **context})


def framed(shell: Shell, template: str, *, status: int = 200, **context: Any) -> Template:
    """Return a page within *shell*."""
    waits = [wait for it in context.values() if (wait := getattr(it, "wait_s", 0))]  # of forms that are refused
    headers = {"Retry-After": str(max(waits))} if waits else {}
    cookies = [] if shell.flash is None else [flash.FORGOTTEN]
    shown = {"shell": shell, "status": status, **context}
    return Template(template_name=template, context=shown, status_code=status, cookies=cookies, headers=headers)


def part(template: str, **context: Any) -> Template:
    """Return a part of a page, for one that is open already."""
    return Template(template_name=template, context=context)
