"""What changes on an open page, as server-sent events: one stream a page, of nobody's data but the user's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from litestar import get
from litestar.exceptions import TooManyRequestsException
from litestar.response import ServerSentEventMessage, Stream
from litestar.serialization import encode_json

from dcacore.application.identity.preferences import preferences_of
from dcacore.application.identity.sessions import SignedIn
from dcacore.bootstrap.app import App
from dcacore.ports.errors import StoreError
from dcaweb.formats import Formats
from dcaweb.live_keys import Told
from dcaweb.pages.streams import Rendered, Streams
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import signed_in

AT_ONCE: Final = 12
"""How many streams a user may have open."""
COMES_BACK_MS: Final = 3_000
"""After how long a page that has lost its stream asks for another one."""
_LONGEST_ID: Final = 15


@get("/events", guards=(signed_in,))
async def events(request: WebRequest) -> Stream:
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
    sent = _sent(app_of(request), request.auth, streams, after=number)
    return Stream(
        sent, media_type="text/event-stream", headers={"cache-control": "no-cache", "x-accel-buffering": "no"}
    )


async def _sent(app: App, who: SignedIn, streams: Streams, *, after: int) -> AsyncGenerator[bytes, None]:
    """Yield what is there at a time in one piece: to send costs more than to make it."""
    piece = bytearray()
    async with aclosing(_events(app, who, streams, after=after)) as found:
        async for message, has_more in found:
            piece += message.encode()
            if not has_more:
                yield bytes(piece)
                piece.clear()


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
    async with aclosing(_events(app, who, streams, after=after)) as found:
        async for message, _ in found:
            yield message


async def _events(
    app: App, who: SignedIn, streams: Streams, *, after: int
) -> AsyncGenerator[tuple[ServerSentEventMessage, bool], None]:
    """Yield messages, each with whether the next one is there already."""
    user_id, number = who.user.id, after
    streams.opened(app, user_id, who.session)
    try:
        formats, shown = Formats.of(await preferences_of(app.identity, user_id)), Told()
        async with aclosing(streams.news(app, user_id, formats)) as found:
            async for news in found:
                for place, one in enumerate(news, 1):
                    if not await streams.still_open(app, user_id, who.session):
                        return
                    events = _told(one, shown)
                    for at, (name, data) in enumerate(events, 1):
                        number += 1
                        message = ServerSentEventMessage(data=data, event=name, id=number, retry=COMES_BACK_MS)
                        yield message, place < len(news) or at < len(events)
    except StoreError:
        return
    finally:
        streams.closed(user_id)


def _told(one: Rendered, shown: Told) -> list[tuple[str, str]]:
    """Return the names of events and their data; of values only those that the page does not show yet."""
    values = shown.news(one.values)
    if not values:
        return [(one.name, one.data)]
    data = one.values_data if len(values) == len(one.values) else encode_json(values).decode()
    return [(one.name, one.data), ("values", data)]
