"""What changes on an open page, as server-sent events: one stream a page, of nobody's data but the user's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

import attrs
from litestar import get
from litestar.exceptions import TooManyRequestsException
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.serialization import encode_json

from dcacore.application.identity.preferences import preferences_of
from dcacore.application.identity.sessions import SignedIn, is_open
from dcacore.application.live import (
    BotGonePatch,
    Heartbeat,
    LinesPatch,
    NotificationPatch,
    Patch,
    PricePatch,
    StatePatch,
    patches,
)
from dcacore.application.live_sums import OpenDeals
from dcacore.application.stamps import utc_stamp
from dcacore.bootstrap.app import App
from dcacore.domain.ids import UserId
from dcacore.domain.money import plain
from dcacore.ports.errors import StoreError
from dcacore.ports.records import Notification
from dcaweb.api.views.bots import bot_item
from dcaweb.api.views.deals import open_deal
from dcaweb.formats import Formats
from dcaweb.live_keys import Told, of_sums, values_of
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import signed_in

AT_ONCE: Final = 12
"""How many streams a user may have open."""
LOOK_EVERY_S: Final = 5.0
"""How often it is looked whether the session has ended."""
COMES_BACK_MS: Final = 3_000
"""After how long a page that has lost its stream asks for another one."""
_LONGEST_ID: Final = 15


@attrs.define
class Streams:
    """The streams that are open.

    Attributes:
        of: how many, by user.
    """

    of: Counter[UserId] = attrs.field(factory=Counter)


@get("/events", guards=(signed_in,))
async def events(request: WebRequest) -> ServerSentEvent:
    """Send what changes, after all as it stands: so a page that comes back misses nothing, whatever it saw last.

    The events: `values` (what nodes of pages show, by the names of `live_keys`), `bot` (a bot stands otherwise),
    `bot_gone`, `price`, `notifications`, and `heartbeat` after 15 s in which nothing else was said. Their numbers go on
    behind the one that the page names as its last.
    """
    assert request.auth is not None  # noqa: S101  # the guard has looked
    streams: Streams = request.app.state.streams
    if streams.of[request.auth.user.id] >= AT_ONCE:
        raise TooManyRequestsException("Too many pages are open", headers={"Retry-After": "30"})
    last = request.headers.get("last-event-id", "")
    number = int(last) if last.isascii() and last.isdigit() and len(last) <= _LONGEST_ID else 0
    return ServerSentEvent(messages(app_of(request), request.auth, streams, after=number))


async def messages(
    app: App, who: SignedIn, streams: Streams, *, after: int = 0
) -> AsyncGenerator[ServerSentEventMessage, None]:
    """Yield what a page is told until its session ends, or the database fails at once: then the page comes back.

    Args:
        app: what the page shows.
        who: who looks at it.
        streams: counts this one while it is open.
        after: the number of the last event that the page has seen.
    """
    user_id, number = who.user.id, after
    streams.of[user_id] += 1
    try:
        looked_at = app.clock.monotonic()
        formats, shown = Formats.of(await preferences_of(app.identity, user_id)), Told()
        deals = OpenDeals()
        async with aclosing(_patches(app, user_id)) as found:
            async for patch in found:
                if app.clock.monotonic() - looked_at >= LOOK_EVERY_S:
                    looked_at = app.clock.monotonic()
                    if not await is_open(app.identity, who.session):
                        return
                deals.heed(patch)
                values = shown.news({**values_of(patch, formats), **of_sums(deals.unrealized(), formats)})
                for name, data in [*told(patch), *([("values", values)] if values else [])]:
                    number += 1
                    yield ServerSentEventMessage(
                        data=encode_json(data).decode(), event=name, id=number, retry=COMES_BACK_MS
                    )
    except StoreError:
        return
    finally:
        streams.of[user_id] -= 1
        if not streams.of[user_id]:
            del streams.of[user_id]


async def _patches(app: App, user_id: UserId) -> AsyncGenerator[Patch, None]:
    async for patch in patches(app.store, app.live, app.clock, user_id):
        yield patch


def told(patch: Patch) -> list[tuple[str, Any]]:
    """Return the event that tells programs of *patch*, as its name and its data; nothing for what only pages show."""
    match patch:
        case StatePatch(card=card):
            return [("bot", bot_item(card))]
        case BotGonePatch(bot_id=bot_id):
            return [("bot_gone", {"id": bot_id})]
        case PricePatch(environment=environment, pair=pair, price=price, deals=deals):
            cards = [open_deal(card) for card in deals]
            data = {"environment": environment.value, "pair": pair, "price": plain(price), "deals": cards}
            return [("price", data)]
        case NotificationPatch(notifications=new, unread=unread):
            return [("notifications", {"unread": unread, "new": [_note(it) for it in new]})]
        case LinesPatch():
            return []
        case Heartbeat():
            return [("heartbeat", {})]


def _note(note: Notification) -> dict[str, Any]:
    return {
        "number": note.number,
        "at": utc_stamp(note.at),
        "level": note.level.value,
        "kind": note.kind,
        "text": note.text,
        "bot_id": note.bot_id,
    }
