"""What changes on an open page: patches for one user, from the words of engines here and from looks at the database.

Where the engine runs in another process nothing is heard of it: the newest numbers of the feed are looked at each
second, which costs next to nothing, and all bots are read again when they have moved, or now and then.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Iterator
from typing import Final

import attrs

from dcacore.application.bot_pages import BotCard, bot_card
from dcacore.application.deal_cards import DealCard
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import AccountId, BotId, UserId
from dcacore.domain.money import Price
from dcacore.ports.clock import Clock
from dcacore.ports.errors import StoreError
from dcacore.ports.live import BotChanged, Live, Market, Notified, PriceMoved, Word
from dcacore.ports.readings import Pulse
from dcacore.ports.records import Account, BotRecord, Environment, Notification
from dcacore.ports.store import Store, Work

LOOK_EVERY_S: Final = 1.0
READ_ALL_EVERY_S: Final = 10.0
HEARTBEAT_EVERY_S: Final = 15.0
_FEW: Final = 20


@attrs.frozen(kw_only=True)
class StatePatch:
    """A bot stands otherwise: its state, its sums, its open deal."""

    card: BotCard


@attrs.frozen(kw_only=True)
class BotGonePatch:
    """A bot is not there any more."""

    bot_id: BotId


@attrs.frozen(kw_only=True)
class PricePatch:
    """A market stands elsewhere, and with it the user's open deals there."""

    environment: Environment
    pair: str
    price: Price
    deals: tuple[DealCard, ...]


@attrs.frozen(kw_only=True)
class NotificationPatch:
    """Notifications have come, oldest first, or have been read."""

    notifications: tuple[Notification, ...]
    unread: int


@attrs.frozen(kw_only=True)
class LinesPatch:
    """There are other lines of activity than before.

    Attributes:
        newest: the number of the newest one; 0 where there is none.
    """

    newest: int


@attrs.frozen(kw_only=True)
class Heartbeat:
    """Nothing has changed for a while, and the stream is alive."""


Patch = StatePatch | BotGonePatch | PricePatch | NotificationPatch | LinesPatch | Heartbeat


async def patches(store: Store, live: Live, clock: Clock, user_id: UserId) -> AsyncGenerator[Patch, None]:
    """Yield what changes for this user, for ever; first how everything stands. Close it when the page has gone.

    A database that fails is asked again: until then nothing changes but prices, and heartbeats go on.
    """
    with live.listen(user_id) as listening:
        page = _Page(store, user_id)
        told_at = clock.monotonic()
        for patch in await page.read_all(clock.monotonic()):
            yield patch
        while True:
            listening.watch(page.markets)
            words = await listening.heard(LOOK_EVERY_S)
            found = [*page.moved(words), *await page.look(words, clock.monotonic())]
            now = clock.monotonic()
            if not found and now - told_at >= HEARTBEAT_EVERY_S:
                found = [Heartbeat()]
            for patch in found:
                told_at = now
                yield patch


async def standing(store: Store, user_id: UserId) -> list[Patch]:
    """Return how everything stands for this user, as `patches` tells it first.

    Raises:
        StoreError: it cannot be read.
    """
    return await _Page(store, user_id).read_all(0)


@attrs.define
class _Page:
    """What an open page knows."""

    store: Store
    user_id: UserId
    _records: dict[BotId, BotRecord] = attrs.field(factory=dict, init=False)
    _accounts: dict[AccountId, Account] = attrs.field(factory=dict, init=False)
    _told: dict[BotId, BotCard] = attrs.field(factory=dict, init=False)
    _prices: dict[Market, Price] = attrs.field(factory=dict, init=False)
    _pulse: Pulse | None = attrs.field(default=None, init=False)
    _read_at: float = attrs.field(default=0.0, init=False)
    _looked_at: float = attrs.field(default=0.0, init=False)

    @property
    def markets(self) -> Collection[Market]:
        """The markets of the user's bots."""
        return {self._market(record) for record in self._records.values()}

    def _market(self, record: BotRecord) -> Market:
        return self._accounts[record.account_id].environment, record.bot.market.pair

    def moved(self, words: Iterable[Word]) -> Iterator[Patch]:
        """Yield what follows from new prices."""
        for word in words:
            if isinstance(word, PriceMoved):
                market = word.environment, word.pair
                self._prices[market] = word.price
                theirs = [it for it in self._records.values() if self._market(it) == market]
                cards = [self._card(it).deal for it in theirs]
                deals = tuple([card for card in cards if card is not None])
                if theirs:
                    yield PricePatch(environment=word.environment, pair=word.pair, price=word.price, deals=deals)

    async def read_all(self, now: float) -> list[Patch]:
        """Return how everything stands, as far as it has changed."""
        async with self.store.begin(reads_only=True) as work:
            return await self._read_all(work, await work.feed.pulse(self.user_id), now)

    async def look(self, words: Iterable[Word], now: float) -> list[Patch]:
        """Return what has changed in the database, by the word of an engine or because it is time to look."""
        changed = {word.bot_id for word in words if isinstance(word, BotChanged) and word.user_id == self.user_id}
        is_notified = any(isinstance(word, Notified) for word in words)
        if not changed and not is_notified and now - self._looked_at < LOOK_EVERY_S:
            return []
        try:
            async with self.store.begin(reads_only=True) as work:
                pulse = await work.feed.pulse(self.user_id)
                self._looked_at = now
                has_moved = self._pulse is None or pulse.line != self._pulse.line
                if has_moved or now - self._read_at >= READ_ALL_EVERY_S:
                    return await self._read_all(work, pulse, now)
                found = self._put(await work.bots.load(changed)) if changed else []
                return [*found, *await self._notes(work, pulse)]
        except StoreError:
            return []

    async def _read_all(self, work: Work, pulse: Pulse, now: float) -> list[Patch]:
        self._accounts = {account.id: account for account in await work.accounts.of(self.user_id)}
        records = await work.bots.of(self.user_id)
        self._read_at = now
        gone = self._records.keys() - {record.bot.id for record in records}
        for bot_id in gone:
            del self._records[bot_id], self._told[bot_id]
        found: list[Patch] = [BotGonePatch(bot_id=bot_id) for bot_id in sorted(gone)]
        return [*found, *self._put(records), *await self._notes(work, pulse)]

    def _put(self, records: Iterable[BotRecord]) -> list[Patch]:
        found: list[Patch] = []
        for record in records:
            if record.user_id != self.user_id or record.account_id not in self._accounts:
                continue  # another user's, or on an account that is read with all the rest
            self._records[record.bot.id] = record
            card = self._card(record)
            if self._told.get(record.bot.id) != card:
                self._told[record.bot.id] = card
                found.append(StatePatch(card=card))
        return found

    def _card(self, record: BotRecord) -> BotCard:
        """Return the bot where its market stands, by the last word on it."""
        price = self._prices.get(self._market(record))
        at_price = record if price is None else attrs.evolve(record, bot=evolve(record.bot, price=price))
        return bot_card(at_price, self._accounts[record.account_id])

    async def _notes(self, work: Work, pulse: Pulse) -> list[Patch]:
        before, self._pulse = self._pulse, pulse
        if before is None:
            return [NotificationPatch(notifications=(), unread=pulse.unread), LinesPatch(newest=pulse.line)]
        lines: list[Patch] = [] if before.line == pulse.line else [LinesPatch(newest=pulse.line)]
        if (before.notification, before.unread) == (pulse.notification, pulse.unread):
            return lines
        newest = (
            await work.feed.notifications(self.user_id, limit=_FEW) if pulse.notification != before.notification else ()
        )
        new = tuple(reversed([it for it in newest if it.number > before.notification]))
        return [NotificationPatch(notifications=new, unread=pulse.unread), *lines]
