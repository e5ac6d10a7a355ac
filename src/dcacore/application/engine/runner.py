"""One running bot: what reaches it waits in an inbox, and each piece of it is a turn: decide, store, then act.

A turn's whole outcome is one transaction, and nothing goes out before it is stored. What the database did not take is
not taken here either: the runner breaks off, and a new one is brought up from what is stored.
"""

from __future__ import annotations

import asyncio
import datetime
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs

from dcacore.application.engine.accounting import Entry, write
from dcacore.application.engine.hindsight import Bought, Hindsight
from dcacore.application.engine.requests import event_of
from dcacore.application.engine.surroundings import Surroundings, Tasks, first_of, log
from dcacore.domain.bot import Bot
from dcacore.domain.commands import Command, Place
from dcacore.domain.engine import decide
from dcacore.domain.errors import DomainError
from dcacore.domain.events import Adopted, Event, Failed, PriceSeen, PricesSilent, Report, Reported
from dcacore.domain.evolving import evolve
from dcacore.domain.hearing import Declined, Found, Heard, Missed, News, Unanswered, hear
from dcacore.domain.ids import OrderId, ParsedOrderId, RequestId
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.market import Market
from dcacore.domain.money import Price
from dcacore.domain.orders import Order, OrderState, Role, Side
from dcacore.domain.story import NOTIFY, tell
from dcacore.domain.venue import VenueOrder
from dcacore.ports.errors import StoreError
from dcacore.ports.live import BotChanged, Notified
from dcacore.ports.records import BotRecord, Environment, Lease, Request


@attrs.frozen
class Adoption:
    """The exchange has an order that the deal does not know, and that its id says is the deal's."""

    order: VenueOrder
    parsed: ParsedOrderId


Item = Event | News | Request | Adoption
_NEWS: Final = (Found, Missed, Declined, Unanswered)
_MOST_PRICES: Final = 3
_MOST_ASKED: Final = 1000
RETRY_EVERY_S: Final = 60


class Ended(Exception):
    """The runner has broken off or been retired: it does nothing any more."""


@attrs.define(eq=False)
class Runner:
    """One bot at work.

    Attributes:
        record: the bot as it was loaded, with its owner.
        environment: where it trades.
        intents: its orders that have not ended, and the open deal's that have, by id.
        lease: the right to act for it; None where this engine is the only one.
        price: says where the bot's market stands now; None when that is not known.
        at_once: marks a planned order as being sent, where nothing has to be waited for before it goes out.
        on_turn: called after each turn, with what is to go out.
        on_break: called once, when the database has failed in the middle of a turn, or one of its tasks has failed.
        bot: the bot as it stands, and as the database has it but for the price.
        tasks: what goes on for this bot.
        busy_since: when the turn that is going on began, by the monotonic clock; None between turns.
        is_reconciled: whether it has been compared with the exchange since it was loaded.
        asked: the requests that were put into its inbox last.
        retry_after_s: how long it waits before a buy that lacked balance is tried again.
        told_at: the last time it watched for and has been told.
        hindsight: which prices its newest buy has left behind.
        is_closing: whether it only waits for what is on the wire.
        is_over: whether it does nothing any more.
    """

    around: Surroundings
    record: BotRecord
    environment: Environment
    intents: dict[OrderId, Intent]
    lease: Lease | None
    price: Callable[[Runner], Price | None]
    at_once: Callable[[Runner, Intent], Intent]
    on_turn: Callable[[Runner, Sequence[Command]], None]
    on_break: Callable[[Runner, Exception], None]
    bot: Bot = attrs.field(init=False)
    tasks: Tasks = attrs.field(init=False)
    busy_since: float | None = attrs.field(default=None, init=False)
    is_reconciled: bool = attrs.field(default=False, init=False)
    asked: deque[RequestId] = attrs.field(factory=lambda: deque(maxlen=_MOST_ASKED), init=False)
    retry_after_s: float = attrs.field(default=RETRY_EVERY_S, init=False)
    told_at: datetime.datetime | None = attrs.field(default=None, init=False)
    hindsight: Hindsight = attrs.field(factory=Hindsight, init=False)
    is_closing: bool = attrs.field(default=False, init=False)
    is_over: bool = attrs.field(default=False, init=False)
    _inbox: deque[Item] | None = attrs.field(default=None, init=False)  # None while nothing waits: most bots idle
    _ending: asyncio.Event | None = attrs.field(default=None, init=False)  # most bots never wait for anything
    _lock: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)

    def __attrs_post_init__(self) -> None:
        self.bot = self.record.bot
        deal = self.bot.deal  # another runner may have heard of its buys a moment ago, and this one of no price since
        if deal is not None:
            buys = [
                Bought(it.price, it.at)
                for order in deal.orders.values()
                if order.side is Side.BUY
                for it in order.fills
            ]
            self.hindsight.learn(sorted(buys, key=lambda buy: buy.at), self.around.clock.monotonic())
        # What a task that fails has left undone nobody else would do: the bot is taken up anew.
        self.tasks = Tasks(self.environment, self.break_off)

    @property
    def market(self) -> Market:
        """The rules of the pair it trades."""
        return self.bot.market if self.bot.deal is None else self.bot.deal.market

    @property
    def unsettled(self) -> tuple[Intent, ...]:
        """Its orders that have not ended."""
        return tuple(intent for intent in self.intents.values() if not intent.has_ended)

    def post(self, item: Item) -> None:
        """Let *item* be dealt with after all that waits; of prices in a row the extremes and the last are kept."""
        if self.is_over or self.is_closing:
            return
        if self._inbox is None:
            self._inbox = deque()
            self.tasks.start(self._drain(self._inbox), f"inbox of {self.bot.id}")
        if isinstance(item, PriceSeen):
            _add_price(self._inbox, item)
        else:
            self._inbox.append(item)

    def is_overtaken(self, price: Price, made_at: datetime.datetime) -> bool:
        """Say whether a price, made at that time of the exchange, is one of before the bot's newest buy."""
        return self.hindsight.overtakes(price, made_at, self.around.clock.monotonic())

    async def _drain(self, inbox: deque[Item]) -> None:
        try:
            while inbox:
                await self.turn(inbox.popleft())
        except Ended:
            inbox.clear()
        self._inbox = None

    async def turn(self, *items: Item) -> Heard | None:
        """Deal with *items* in one transaction, news first; return what came of the last piece of news.

        Raises:
            Ended: the runner is over, or is from now on because the database failed, or nothing of it could be decided.
        """
        async with self._lock:
            if self.is_over:
                raise Ended
            self.busy_since = self.around.clock.monotonic()
            try:
                return await self._decide_and_store(items)
            except StoreError as exc:
                self.break_off(exc)
                raise Ended from exc
            except Exception as exc:  # not even its failure could be noted: it is brought up anew
                log.error("bot_broken", bot=self.bot.id, reason=repr(exc), exc_info=True)
                self.break_off(exc)
                raise Ended from exc
            finally:
                self.busy_since = None

    async def mark(self, intent: Intent, keyed_at: datetime.datetime | None) -> bool:
        """Store that an order is being sent; no decision comes of it. Say whether it may go out.

        A base order may not when the account has another key than that of *keyed_at*: it may be another account's, as
        no deal was open when it was stored, and the order would lie where nobody looks for it.

        Raises:
            Ended: as for `turn`.
        """
        # The caller holds the lock by way of `guard`.
        try:
            async with self.around.store.begin(self.lease) as work:
                if intent.order.role is Role.BASE:
                    account = await work.accounts.hold(intent.account_id)
                    if account is None or account.keyed_at != keyed_at:
                        return False
                await work.intents.mark(intent)
                await work.commit()
        except StoreError as exc:
            self.break_off(exc)
            raise Ended from exc
        self.intents[intent.id] = intent
        return True

    @property
    def guard(self) -> asyncio.Lock:
        """What a turn holds; whoever holds it sees the bot between two turns."""
        return self._lock

    async def pause(self, seconds: float) -> None:
        """Return after *seconds*, or at once when the runner ends."""
        await self.wait_for(self.around.clock.sleep(seconds))

    async def wait_for(self, wait: Coroutine[Any, Any, object]) -> None:
        """Return when *wait* does, or at once when the runner ends: what it waits for may never come then."""
        if self._ending is None:
            self._ending = asyncio.Event()
        if self.is_over or self.is_closing:
            wait.close()
        else:
            await first_of(asyncio.ensure_future(wait), asyncio.ensure_future(self._ending.wait()))

    def _wake_up(self) -> None:
        if self._ending is not None:
            self._ending.set()

    def break_off(self, exc: Exception) -> None:
        """Do nothing any more: what is stored and what is known here may differ."""
        if not self.is_over:
            self.is_over = True
            self._wake_up()
            self.on_break(self, exc)

    async def retire(self) -> None:
        """Take nothing new in, and return when what is on the wire has been answered, stored, or given up."""
        self.is_closing = True
        self._wake_up()
        async with self._lock:  # a turn that is going on may have marked what it wants sent; no later one does
            pass
        await self.tasks.wait()
        async with self._lock:  # a turn that something else has begun is stored, too
            self.is_over = True

    # ------------------------------------------------------------------------------------------------------- a turn

    async def _decide_and_store(self, items: tuple[Item, ...]) -> Heard | None:
        entry, heard = self._entry(self.around.clock.now()), None
        is_news = False
        try:
            heard = self._decide(entry, items)
        except DomainError as exc:  # an event that the tables do not list: this bot stops, the others go on
            log.error("bot_failed", bot=self.bot.id, reason=str(exc), exc_info=True)
            entry = self._entry(entry.at)
            self._event(entry, Failed(entry.at, f"what the exchange reported cannot be: {exc}"))
        except Exception as exc:  # noqa: BLE001 - what nobody foresaw stops this bot, and none of the others
            log.error("bot_failed", bot=self.bot.id, reason=repr(exc), exc_info=True)
            entry = self._entry(entry.at)
            self._event(entry, Failed(entry.at, "something went wrong that nobody had foreseen: see the log"))
        if entry.is_worth_storing(self.bot):
            self._mark_at_once(entry)
            await write(self.around.store, self.lease, entry, self.market, self.around.post)
            self._note(entry)
            is_news = True
        self.bot = entry.bot
        self.on_turn(self, entry.commands)
        if is_news:  # a line of the log may take as long as an order: the orders go first, and pages come after
            asyncio.get_running_loop().call_soon(self._tell_everybody, entry)
        return heard

    def _entry(self, at: datetime.datetime) -> Entry:
        return Entry(at=at, record=self.record, bot=self.bot)

    def _tell_everybody(self, entry: Entry) -> None:
        for note in entry.notes:
            log.info(note.kind, bot=entry.bot.id, deal=note.deal_id, order=note.order_id, text=note.text)
        live, user_id = self.around.live, self.record.user_id
        live.say(BotChanged(user_id, entry.bot.id))
        if any(note.kind in NOTIFY for note in entry.notes):
            live.say(Notified(user_id))

    def _mark_at_once(self, entry: Entry) -> None:
        """Let the first order be stored as being sent, if it can go out at once: that spares a transaction."""
        first = next((command.order.id for command in entry.commands if isinstance(command, Place)), None)
        if first is not None:
            entry.intents[first] = self.at_once(self, entry.intents[first])

    def _decide(self, entry: Entry, items: tuple[Item, ...]) -> Heard | None:
        reports: list[Report] = []
        heard = None
        for news in items:
            if isinstance(news, _NEWS):
                heard = self._hear(entry, news, reports) or heard
        if heard is not None:
            self._look_back(entry)
        if reports:
            self._event(entry, Reported(entry.at, None, tuple(reports)))
        for item in items:
            if isinstance(item, Request):
                self._request(entry, item)
            elif isinstance(item, Adoption):
                self._adopt(entry, item)
            elif not isinstance(item, _NEWS):
                self._event(entry, item)
        return heard

    def _hear(self, entry: Entry, news: News, reports: list[Report]) -> Heard | None:
        intent = entry.intents.get(news.order_id) or self.intents.get(news.order_id)
        if intent is None:
            return None
        heard = hear(intent, news, self.market)
        if heard.intent != intent:
            entry.intents[intent.id] = heard.intent
        reports.extend(heard.reports)
        entry.trades.extend((intent.id, trade) for trade in heard.trades)
        return heard

    def _look_back(self, entry: Entry) -> None:
        """Let the bot stand where it has bought, as at an old price, if none is known of after that."""
        buys = (Bought(trade.price, trade.at) for _, trade in entry.trades if trade.side is Side.BUY)
        bought_at = self.hindsight.learn(buys, self.around.clock.monotonic())
        if bought_at is not None and entry.bot.price is not None and self.price(self) is None:
            entry.bot = evolve(entry.bot, price=bought_at, is_price_old=True)

    def _request(self, entry: Entry, request: Request) -> None:
        try:
            self._event(entry, event_of(request, entry.at))
        except DomainError as exc:
            entry.settled.append((request, str(exc)))
        else:
            entry.settled.append((request, ""))

    def _adopt(self, entry: Entry, item: Adoption) -> None:
        venue, parsed, deal = item.order, item.parsed, self.bot.deal
        if deal is None or deal.id != parsed.deal_id or venue.order_id in deal.orders:
            return
        order = Order(
            id=venue.order_id,
            side=venue.side,
            role=parsed.role,
            rung=parsed.rung,
            quantity=venue.quantity,
            price=venue.price,
            state=OrderState.OPEN,
        )
        entry.intents[order.id] = Intent(
            order=order,
            bot_id=self.bot.id,
            deal_id=deal.id,
            account_id=self.record.account_id,
            pair=deal.market.pair,
            state=IntentState.OPEN,
            planned_at=entry.at,
            venue_order_id=venue.venue_order_id,
            reason="found on the exchange",
        )
        self._event(entry, Reported(entry.at, None, (Adopted(order),)))

    def _event(self, entry: Entry, event: Event) -> None:
        if isinstance(event, PriceSeen) and event.made_at and self.is_overtaken(event.price, event.made_at):
            return
        if event.price is None and not isinstance(event, PricesSilent):  # it is judged where the market stands
            price = self.price(self)
            if price is not None:
                event = attrs.evolve(event, price=price)
            elif entry.bot.price is not None and not entry.bot.is_price_old:
                entry.bot = evolve(entry.bot, is_price_old=True)
        decision = decide(entry.bot, event)
        entry.add(decision, tell(entry.bot, event, decision), self.intents)

    def _note(self, entry: Entry) -> None:
        self.intents.update(entry.intents)
        if entry.ended:
            deal = None if entry.bot.deal is None else entry.bot.deal.id
            for intent in tuple(self.intents.values()):
                if intent.has_ended and intent.deal_id != deal:
                    del self.intents[intent.id]


def _add_price(inbox: deque[Item], seen: PriceSeen) -> None:
    """Append *seen*; of the prices at the end of *inbox* the highest, the lowest and the last stay, in their order."""
    inbox.append(seen)
    prices: list[PriceSeen] = []
    while inbox and isinstance(last := inbox[-1], PriceSeen):
        prices.insert(0, last)
        inbox.pop()
    if len(prices) > _MOST_PRICES:
        kept = {max(prices, key=_price).price, min(prices, key=_price).price}
        prices = [at for at in prices[:-1] if at.price in kept] + prices[-1:]
        prices = prices[-_MOST_PRICES:]
    inbox.extend(prices)


def _price(seen: PriceSeen) -> Decimal:
    return seen.price
