"""Deals and orders as files for spreadsheets, of any range, however many there are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import attrs
from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.response import Stream

from dcacore.application import deal_exports
from dcacore.application.analytics import Choice
from dcacore.application.identity import preferences
from dcacore.ports.records import User
from dcaweb.choices import choice_of
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import signed_in

_PIECE: Final = 2**13
"""Characters that go out together."""


class Exports(Controller):
    """Files of deals and orders: `environment`, `quote_asset`, `bot`, `pair`, `first` and `last` choose of which."""

    path = "/exports"
    guards = (signed_in,)
    dependencies = {"choice": Provide(choice_of, sync_to_thread=False)}  # noqa: RUF012  # Litestar copies it

    @get("/deals.csv", media_type="text/csv")
    async def deals(self, request: WebRequest, choice: NamedDependency[Choice]) -> Stream:
        """Return a line for each deal; days are those of the user's time zone."""
        app, wanted = app_of(request), await _by_own_clocks(request, choice)
        return _file("deals.csv", await deal_exports.deals_csv(app.store, app.clock, _me(request).id, wanted))

    @get("/orders.csv", media_type="text/csv")
    async def orders(self, request: WebRequest, choice: NamedDependency[Choice]) -> Stream:
        """Return a line for each order of these deals."""
        app, wanted = app_of(request), await _by_own_clocks(request, choice)
        return _file("orders.csv", await deal_exports.orders_csv(app.store, app.clock, _me(request).id, wanted))


async def _by_own_clocks(request: WebRequest, choice: Choice) -> Choice:
    mine = await preferences.preferences_of(app_of(request).identity, _me(request).id)
    return attrs.evolve(choice, zone=mine.time_zone)


def _me(request: WebRequest) -> User:
    assert request.auth is not None  # noqa: S101  # the guard has looked
    return request.auth.user


async def pieces(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """Yield *lines* in pieces: to pack and to send each by itself costs more than to make it."""
    held, size = list[str](), 0
    async for line in lines:
        held.append(line)
        size += len(line)
        if size >= _PIECE:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


def _file(name: str, lines: AsyncIterator[str]) -> Stream:
    return Stream(
        pieces(lines),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
