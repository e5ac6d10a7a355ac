"""The event streams that are open: what all pages of a user are told is looked for, and rendered, once."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any, Final

import attrs
from litestar.serialization import encode_json

from dcacore.application import live
from dcacore.application.bot_pages import BotCard
from dcacore.application.identity.sessions import is_open
from dcacore.application.live import (
    BotGonePatch,
    Heartbeat,
    LinesPatch,
    NotificationPatch,
    Patch,
    PricePatch,
    StatePatch,
)
from dcacore.application.live_sums import OpenDeals
from dcacore.application.stamps import utc_stamp
from dcacore.bootstrap.app import App
from dcacore.domain.ids import UserId
from dcacore.domain.money import plain
from dcacore.ports.identity import UserSession
from dcacore.ports.records import Notification
from dcaweb.api.views.bots import bot_item
from dcaweb.api.views.deals import open_deal
from dcaweb.formats import Formats
from dcaweb.live_keys import Values, of_sums, values_of

LOOK_EVERY_S: Final = 5.0
"""How often it is looked whether a session has ended."""
MOST_WAITING: Final = 500
"""How many things a page may be behind with; one that reads no faster is let go, and asks for all anew."""


@attrs.frozen
class Rendered:
    """What a page is told of a patch.

    Attributes:
        kind: of what it tells; a newer one of the same kind takes the place of one that a page has not read yet.
        name: the name of the event.
        data: its data, as JSON.
        values: what it changes on pages.
        values_data: that as JSON.
    """

    kind: object
    name: str
    data: str
    values: Values
    values_data: str


@attrs.define
class Renderer:
    """Renders the patches for one user, in order.

    Attributes:
        formats: how the user wants to see numbers.
    """

    formats: Formats
    _deals: OpenDeals = attrs.field(factory=OpenDeals, init=False)
    _numbers: Iterator[int] = attrs.field(factory=itertools.count, init=False)

    def render(self, patch: Patch) -> Rendered:
        """Return what a page is told of *patch*."""
        self._deals.heed(patch)
        name, data = told(patch)
        values = {**values_of(patch, self.formats), **of_sums(self._deals.unrealized(), self.formats)}
        return Rendered(self._kind(patch), name, encode_json(data).decode(), values, encode_json(values).decode())

    def _kind(self, patch: Patch) -> object:
        match patch:
            case StatePatch(card=BotCard(bot_id=bot_id)) | BotGonePatch(bot_id=bot_id):
                return bot_id
            case PricePatch(environment=environment, pair=pair):
                return environment, pair
            case NotificationPatch():
                return next(self._numbers)  # each tells of others
            case LinesPatch():
                return LinesPatch
            case Heartbeat():
                return None


@attrs.define(eq=False)
class _Page:
    """What one open page has not read yet."""

    _waiting: dict[object, Rendered] = attrs.field(factory=dict, init=False)
    _news: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    is_over: bool = attrs.field(default=False, init=False)

    def put(self, one: Rendered) -> None:
        self._waiting.pop(one.kind, None)
        self._waiting[one.kind] = one
        if len(self._waiting) > MOST_WAITING:
            self._waiting.clear()
            self.is_over = True
        self._news.set()

    def end(self) -> None:
        self.is_over = True
        self._news.set()

    async def read(self) -> list[Rendered]:
        """Return what there is, as soon as there is any; nothing more comes once `is_over`."""
        await self._news.wait()
        found = list(self._waiting.values())
        self._waiting.clear()
        self._news.clear()
        return found


@attrs.define(eq=False)
class _Group:
    """The open pages of a user that show numbers alike, and the task that looks for what they are told."""

    pages: set[_Page] = attrs.field(factory=set, init=False)
    task: asyncio.Task[None] | None = attrs.field(default=None, init=False)

    def begin(self, app: App, user_id: UserId, renderer: Renderer) -> None:
        self.task = asyncio.create_task(self._look(app, user_id, renderer), name=f"pages of {user_id}")

    async def _look(self, app: App, user_id: UserId, renderer: Renderer) -> None:
        try:
            async with aclosing(live.patches(app.store, app.live, app.clock, user_id)) as found:
                async for patch in found:
                    one = renderer.render(patch)
                    for page in self.pages:
                        page.put(one)
        finally:
            for page in self.pages:
                page.end()

    async def end(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait({self.task})
            if not self.task.cancelled():
                self.task.exception()  # whoever was still there has heard of it


@attrs.define
class Streams:
    """The streams that are open.

    Attributes:
        of: how many, by user.
    """

    of: Counter[UserId] = attrs.field(factory=Counter)
    _is_over: bool = attrs.field(default=False, init=False)
    _groups: dict[tuple[UserId, Formats], _Group] = attrs.field(factory=dict, init=False)
    _seen: defaultdict[UserId, dict[str, tuple[float, bool]]] = attrs.field(
        factory=lambda: defaultdict(dict), init=False
    )

    async def news(self, app: App, user_id: UserId, formats: Formats) -> AsyncGenerator[list[Rendered], None]:
        """Yield what a page of this user is told, as much as there is at a time; first how everything stands.

        Raises:
            StoreError: the database failed when it was asked how everything stands.
        """
        if self._is_over:
            return
        page, key = _Page(), (user_id, formats)
        group = self._groups.get(key)
        is_first = group is None or group.task is None or group.task.done()
        if group is None or is_first:
            group = self._groups[key] = _Group()
            group.begin(app, user_id, Renderer(formats))
        group.pages.add(page)
        try:
            if not is_first:
                renderer = Renderer(formats)
                yield [renderer.render(patch) for patch in await live.standing(app.store, user_id)]
            while not page.is_over:
                yield await page.read()
            if group.task is not None and group.task.done():
                group.task.result()
        finally:
            group.pages.discard(page)
            if not group.pages:
                if self._groups.get(key) is group:
                    del self._groups[key]
                await group.end()

    def end(self) -> None:
        """End all streams, and each that is asked for from now on: a server that is to end waits for them."""
        self._is_over = True
        for group in self._groups.values():
            for page in group.pages:
                page.end()

    def opened(self, app: App, user_id: UserId, session: UserSession) -> None:
        """Count one more of this user's streams; its session has just been looked at."""
        self.of[user_id] += 1
        self._seen[user_id][session.key] = app.clock.monotonic(), True

    def closed(self, user_id: UserId) -> None:
        """Count one less."""
        self.of[user_id] -= 1
        if not self.of[user_id]:
            del self.of[user_id], self._seen[user_id]

    async def still_open(self, app: App, user_id: UserId, session: UserSession) -> bool:
        """Say whether the session still lets its user in; looked at now and then, for all its pages together.

        Raises:
            StoreError: the database cannot be asked.
        """
        theirs, now = self._seen[user_id], app.clock.monotonic()
        at, is_so = theirs.get(session.key, (now - LOOK_EVERY_S, True))
        if is_so and now - at >= LOOK_EVERY_S:
            theirs[session.key] = now, True  # the others need not look as well
            is_so = await is_open(app.identity, session)
            theirs[session.key] = now, is_so
        return is_so


def told(patch: Patch) -> tuple[str, Any]:
    """Return the name of the event that tells of *patch*, and its data."""
    match patch:
        case StatePatch(card=card):
            return "bot", bot_item(card)
        case BotGonePatch(bot_id=bot_id):
            return "bot_gone", {"id": bot_id}
        case PricePatch(environment=environment, pair=pair, price=price, deals=deals):
            cards = [open_deal(card) for card in deals]
            return "price", {"environment": environment.value, "pair": pair, "price": plain(price), "deals": cards}
        case NotificationPatch(notifications=new, unread=unread):
            return "notifications", {"unread": unread, "new": [_note(it) for it in new]}
        case LinesPatch(newest=newest):
            return "lines", {"newest": newest}
        case Heartbeat():
            return "heartbeat", {}


def _note(note: Notification) -> dict[str, Any]:
    return {
        "number": note.number,
        "at": utc_stamp(note.at),
        "level": note.level.value,
        "kind": note.kind,
        "text": note.text,
        "bot_id": note.bot_id,
    }
