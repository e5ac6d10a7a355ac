"""Analytics: what the closed deals have come to, over time, by bot, by pair and by day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import attrs
from litestar import Controller, get
from litestar.response import Template

from dcacore.application.analytics import Analytics, Choice, Group, OfBot, analytics
from dcacore.application.identity.preferences import preferences_of
from dcacore.application.refusals import NotFound
from dcacore.application.zones import day_of, zone_of
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.money import ZERO
from dcaweb.choices import PERIODS, choice_of, within
from dcaweb.failures import sentence, status_of
from dcaweb.plots import distribution, places_of, profit_by_day, profit_so_far
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me, signed_in

_FILTERS: Final = ("environment", "quote_asset", "bot", "pair", "first", "last")
_KEPT: Final = (*_FILTERS, "period", "sort")
_LONGEST: Final = 100
_SORTS: Final[Mapping[str, tuple[str, Callable[[OfBot], Any]]]] = {
    "profit": ("Profit", lambda it: it.figures.totals.profit),
    "deals": ("Deals", lambda it: it.figures.totals.deals),
    "won": ("Win rate", lambda it: _or_nothing(it.figures.win_rate)),
    "volume": ("Volume", lambda it: it.figures.totals.volume),
    "duration": ("Average duration", lambda it: it.figures.average_duration_s or 0),
}


@attrs.frozen
class Link:
    """A choice that is one press away.

    Attributes:
        text: what it is called.
        href: where it leads.
        is_current: whether it is what is shown.
    """

    text: str
    href: str
    is_current: bool


class AnalyticsPages(Controller):
    """What came of it all."""

    path = "/analytics"
    guards = (signed_in,)

    @get()
    async def show(self, request: WebRequest) -> Template:
        """Show the figures, plots and tables of the deals that the address chooses."""
        app, user = app_of(request), me(request)
        wishes = await preferences_of(app.identity, user.id)
        asked = {name: request.query_params.get(name, "")[:_LONGEST] for name in _KEPT}
        period = asked["period"] or "all"
        zone = zone_of(wishes.time_zone)
        error, status, chosen, kept = "", 200, Choice(zone=wishes.time_zone), asked  # what links go on from
        try:
            typed = attrs.evolve(choice_of(**{it: asked[it] for it in _FILTERS}), zone=wishes.time_zone)
            chosen = within(typed, period, day_of(app.clock.now(), zone))
            found = await analytics(app.store, app.clock, user.id, chosen)
        except (InvalidParameter, NotFound) as exc:
            error, status = sentence(str(exc)), status_of(exc)
            kept, period, chosen = dict.fromkeys(_KEPT, ""), "all", Choice(zone=wishes.time_zone)
            found = await analytics(app.store, app.clock, user.id, chosen)
        sort = kept["sort"] if kept["sort"] in _SORTS else "profit"
        return await page(
            request,
            "analytics/show.html",
            status=status,
            found=found,
            asked={**asked, "sort": kept["sort"], "period": kept["period"]},
            error=error,
            environments=[("", "All"), *[(it.value, it.value.upper()) for it in found.environments]],
            sections=[_section(it, zone, places_of(wishes), sort) for it in found.groups],
            periods=_periods(kept, period, is_own=bool(kept["first"] or kept["last"])),
            sorts=_sorts(kept, sort),
            files=_query_of(chosen),
            has_deals=any(it.figures.totals.deals for it in found.groups),
            has_filter=any(asked[it] for it in _FILTERS) or period != "all",
            bot_name=_bot_name(found, kept["bot"]),
        )


def _section(group: Group, zone: ZoneInfo, places: int, sort: str) -> dict[str, Any]:
    return {
        "group": group,
        "bots": sorted(group.by_bot, key=_SORTS[sort][1], reverse=True),
        "so_far": profit_so_far(group.days, group.quote_asset, zone, digits=places),
        "by_day": profit_by_day(group.days, group.quote_asset, zone, digits=places),
        "spread": distribution(group.spread),
    }


def _periods(asked: Mapping[str, str], period: str, *, is_own: bool) -> tuple[Link, ...]:
    without = {**asked, "first": "", "last": ""}
    return tuple(
        [
            Link(text, _href({**without, "period": key}), is_current=key == period and not is_own)
            for key, text in PERIODS.items()
        ]
    )


def _sorts(asked: Mapping[str, str], sort: str) -> dict[str, Link]:
    return {key: Link(text, _href({**asked, "sort": key}), is_current=key == sort) for key, (text, _) in _SORTS.items()}


def _href(asked: Mapping[str, str]) -> str:
    return f"/analytics?{urlencode({name: value for name, value in asked.items() if value})}"


def _query_of(choice: Choice) -> str:
    """Return what asks `/exports` for the deals that are shown."""
    days = {"first": choice.first, "last": choice.last}
    words: Iterable[tuple[str, str | None]] = (
        ("environment", None if choice.environment is None else choice.environment.value),
        ("quote_asset", choice.quote_asset),
        ("bot", choice.bot),
        ("pair", choice.pair),
        *[(name, None if day is None else day.isoformat()) for name, day in days.items()],
    )
    return urlencode({name: value for name, value in words if value})


def _bot_name(found: Analytics, asked: str) -> str:
    return next((name for bot_id, name in found.bots.items() if asked in {bot_id, name}), "")


def _or_nothing(value: Decimal | None) -> Decimal:
    return ZERO if value is None else value
