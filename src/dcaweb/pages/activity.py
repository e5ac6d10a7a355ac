"""What happened: the feed with its filters, and the notifications with what has not been read."""

from __future__ import annotations

import datetime
from enum import Enum
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import attrs
from litestar import Controller, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dcacore.application import notices
from dcacore.application.identity.preferences import preferences_of
from dcacore.application.refusals import NotFound
from dcacore.application.zones import zone_of
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import BotId
from dcacore.domain.story import Level
from dcacore.ports.live import Notified
from dcacore.ports.readings import LineFilter
from dcacore.ports.records import Environment
from dcaweb import forms
from dcaweb.forms import FormState
from dcaweb.rendering import page, part
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me, signed_in

HOME: Final = "/activity"
NOTES: Final = f"{HOME}/notifications"
_FILTERS: Final = ("bot", "level", "kind", "environment", "first", "last")
_LONGEST_NUMBER: Final = 15
E = TypeVar("E", bound=Enum)


@attrs.frozen(kw_only=True)
class Chosen:
    """What the address says that is to be shown.

    Attributes:
        form: the filters as they are shown again, with what is wrong with them.
        wanted: what they come to; everything where they are wrong.
        query: the filters that are on, as they stand in an address.
    """

    form: FormState
    wanted: LineFilter
    query: dict[str, str]

    def href(self, path: str = HOME, **more: object) -> str:
        """Return the address of *path* with these filters, and *more*."""
        query = urlencode({**self.query, **more})
        return f"{path}?{query}" if query else path


class ActivityPages(Controller):
    """The feed, and the notifications."""

    path = HOME
    guards = (signed_in,)

    @get()
    async def show(self, request: WebRequest) -> Template:
        """Show what happened, newest first."""
        chosen, zone = await _chosen(request)
        app, user = app_of(request), me(request)
        newest = await notices.newest(app.store, user.id)  # asked first: a line in between is told as new once more
        found = await notices.activity(app.store, user.id, chosen.wanted)
        shown = await page(
            request,
            "activity/show.html",
            status=chosen.form.status,
            found=found,
            days=notices.by_day(found.lines, zone_of(zone)),
            chosen=chosen,
            newest=newest,
            come=0,
            shown_day=None,
            levels=tuple(Level),
            kinds=notices.KINDS,
        )
        if "hx-request" in request.headers:
            shown.headers["HX-Push-Url"] = chosen.href()  # without the filters that are not on
        return shown

    @get("/lines")
    async def lines(self, request: WebRequest) -> Template:
        """Show the lines behind the number `before`; `day` is the day of the last one that the page has."""
        chosen, zone = await _chosen(request)
        found = await notices.activity(
            app_of(request).store, me(request).id, chosen.wanted, before=_number(request, "before") or None
        )
        days = notices.by_day(found.lines, zone_of(zone))
        return part(
            "activity/_lines.html",
            found=found,
            days=days,
            chosen=chosen,
            shown_day=request.query_params.get("day"),
            formats=await _formats(request),
        )

    @get("/news")
    async def news(self, request: WebRequest) -> Template:
        """Say how many lines have come behind the number `after` that the page could show."""
        chosen, _ = await _chosen(request)
        after = _number(request, "after")
        come, newest = await notices.come_since(app_of(request).store, me(request).id, chosen.wanted, after)
        return part("activity/_news.html", chosen=chosen, after=after, come=come, newest=newest, most=notices.PAGE)

    @get("/notifications")
    async def notifications(self, request: WebRequest) -> Template:
        """Show the notifications, newest first."""
        found = await notices.notifications(
            app_of(request).store, me(request).id, before=_number(request, "before") or None
        )
        return await page(request, "activity/notifications.html", found=found)

    @post("/notifications/read")
    async def read_all(self, request: WebRequest) -> Redirect:
        """Note that all have been read."""
        await self._mark(request)
        return Redirect(NOTES, status_code=303)

    @post("/notifications/{number:int}/read", status_code=200)
    async def read(self, request: WebRequest, number: FromPath[int]) -> Template | Redirect:
        """Note that one has been read."""
        await self._mark(request, number)
        if "hx-request" not in request.headers:
            return Redirect(NOTES, status_code=303)
        app, user = app_of(request), me(request)
        found = await notices.notifications(app.store, user.id, limit=1, before=number + 1)
        if not found.notifications or found.notifications[0].number != number:
            raise NotFound("notification", str(number))
        return part("activity/_note.html", it=found.notifications[0], found=found, formats=await _formats(request))

    async def _mark(self, request: WebRequest, number: int | None = None) -> None:
        app, user = app_of(request), me(request)
        await notices.mark_read(app.store, app.clock, user.id, number=number)
        app.live.say(Notified(user.id))  # the badge goes down at once, on all pages of this user


async def _formats(request: WebRequest) -> Any:
    from dcaweb.formats import Formats

    return Formats.of(await preferences_of(app_of(request).identity, me(request).id))


async def _chosen(request: WebRequest) -> tuple[Chosen, str]:
    """Return what the address asks for, and by whose clocks; a filter that cannot be one filters nothing."""
    zone = (await preferences_of(app_of(request).identity, me(request).id)).time_zone
    typed = {name: request.query_params.get(name, "").strip()[:100] for name in _FILTERS}
    query = {name: text for name, text in typed.items() if text}
    level, environment = _one_of(Level, typed["level"]), _one_of(Environment, typed["environment"])
    plain = LineFilter(
        bot_id=BotId(typed["bot"]) if typed["bot"] else None,
        levels=frozenset() if level is None else frozenset({level}),
        kinds=frozenset({typed["kind"]}) & set(notices.KINDS),
        environment=environment,
    )
    try:
        wanted = notices.on_days(plain, _day("first", typed["first"]), _day("last", typed["last"]), zone)
    except InvalidParameter as error:
        field = error.name if error.name in _FILTERS else "last"
        return Chosen(form=forms.wrong_at(field, typed, error), wanted=plain, query=query), zone
    return Chosen(form=FormState(values=typed), wanted=wanted, query=query), zone


def _one_of(kind: type[E], text: str) -> E | None:
    return next((it for it in kind if it.value == text), None)


def _day(name: str, text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidParameter(name, None, "must be a day such as 2025-03-31") from None


def _number(request: WebRequest, name: str) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else 0
