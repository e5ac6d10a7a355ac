"""What has been made, what has happened, and for whom the program acts."""

from __future__ import annotations

from litestar import Controller, get

from dcacore.application import analytics, notices
from dcacore.application.analytics import Choice
from dcacore.domain.ids import BotId
from dcacore.ports.readings import LineFilter
from dcaweb.api.bearers import ApiRequest, user_id_of
from dcaweb.api.bodies import named
from dcaweb.api.queries import Before, Day, Limit, Loudness, Name, Place, Zone
from dcaweb.api.views.reports import ActivityView, AnalyticsView, MeView, activity_view, analytics_view, me_view
from dcaweb.requests import app_of


class ReportApi(Controller):
    """Sums, activity, and oneself."""

    tags = ("Reports",)

    @get("/analytics", operation_id="GetAnalytics")
    async def analytics(
        self,
        request: ApiRequest,
        environment: Place = None,
        quote_asset: Name = None,
        bot: Name = None,
        pair: Name = None,
        first: Day = None,
        last: Day = None,
        zone: Zone = "UTC",
    ) -> AnalyticsView:
        """Show what closed deals have come to, by environment and quote asset, by bot, by pair and by day."""
        app = app_of(request)
        choice = Choice(
            environment=environment,
            quote_asset=quote_asset,
            bot=None if bot is None else named("bot", bot),
            pair=pair,
            first=first,
            last=last,
            zone=zone,
        )
        return analytics_view(await analytics.analytics(app.store, app.clock, user_id_of(request), choice))

    @get("/activity", operation_id="ListActivity")
    async def activity(
        self,
        request: ApiRequest,
        bot: Name = None,
        level: Loudness = None,
        environment: Place = None,
        limit: Limit = notices.PAGE,
        before: Before = None,
    ) -> ActivityView:
        """List what happened, newest first; `bot` is an id."""
        wanted = LineFilter(
            bot_id=None if bot is None else BotId(named("bot", bot)),
            levels=frozenset() if level is None else frozenset({level}),
            environment=environment,
        )
        found = await notices.activity(app_of(request).store, user_id_of(request), wanted, limit=limit, before=before)
        return activity_view(found)

    @get("/me", operation_id="GetMe")
    async def me(self, request: ApiRequest) -> MeView:
        """Show for whom the program acts, and what its token may do."""
        return me_view(request.auth)
