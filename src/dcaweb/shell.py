"""What stands around every page: who is signed in, where one can go, what kind of money is at stake."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import attrs
from litestar import Request
from litestar.datastructures import State

from dcacore.ports.records import Environment, User
from dcaweb import flash
from dcaweb.requests import signed_in_of

THEMES: Final = ("system", "light", "dark")
MIXED: Final = "mixed"


@attrs.frozen
class NavItem:
    """A place in the navigation.

    Attributes:
        key: names it.
        label: what it is called.
        icon: its symbol.
        href: where it is.
        is_current: whether the page shown belongs to it.
    """

    key: str
    label: str
    icon: str
    href: str
    is_current: bool = False


_PLACES: Final = (
    NavItem("dashboard", "Dashboard", "dashboard", "/dashboard"),
    NavItem("bots", "Bots", "smart-toy", "/bots"),
    NavItem("analytics", "Analytics", "query-stats", "/analytics"),
    NavItem("backtest", "Backtest", "history", "/backtest"),
    NavItem("exchange", "Exchange", "currency-exchange", "/exchange"),
    NavItem("activity", "Activity", "notifications", "/activity"),
    NavItem("subscription", "Subscription", "workspace-premium", "/subscription"),
    NavItem("settings", "Settings", "settings", "/settings"),
)
"""In the order of the drawer; on a phone the first four stand at the bottom, the others behind "More".

Only pages that are there: what leads nowhere is no place.
"""
_ADMINISTRATION: Final = NavItem("admin", "Administration", "admin-panel-settings", "/admin")
"""For administrators, behind all others."""


@attrs.frozen(kw_only=True)
class Shell:
    """What stands around a page.

    Attributes:
        user: who is signed in; None for a stranger.
        nav: where one can go.
        environment: what the user's accounts trade with: live, testnet, custom, paper, or mixed; None without one.
        flash: a word about what was just done.
        unread: how many notifications have not been seen.
        theme: system, light or dark.
        time_zone: in which times are shown; empty for a stranger, whose browser knows its own.
    """

    user: User | None = None
    nav: tuple[NavItem, ...] = ()
    environment: str | None = None
    flash: flash.Said | None = None
    unread: int = 0
    theme: str = THEMES[0]
    time_zone: str = ""


def shell_of(
    request: Request[Any, Any, State],
    *,
    environments: Iterable[Environment] = (),
    unread: int = 0,
    time_zone: str = "",
    theme: str = THEMES[0],
) -> Shell:
    """Return what stands around the page that *request* asks for.

    What was chosen in this browser wins over the *theme* that its user has chosen elsewhere.
    """
    signed_in = signed_in_of(request)
    kinds = {it.value for it in environments}
    chosen = request.cookies.get("theme", "")
    return Shell(
        user=None if signed_in is None else signed_in.user,
        nav=() if signed_in is None else _places(request.scope["path"], is_admin=signed_in.user.is_admin),
        environment=MIXED if len(kinds) > 1 else next(iter(kinds), None),
        flash=flash.said(request),
        unread=unread,
        theme=chosen if chosen in THEMES else theme,
        time_zone=time_zone,
    )


def _places(path: str, *, is_admin: bool) -> tuple[NavItem, ...]:
    places = (*_PLACES, _ADMINISTRATION) if is_admin else _PLACES
    return tuple(attrs.evolve(it, is_current=path == it.href or path.startswith(f"{it.href}/")) for it in places)
