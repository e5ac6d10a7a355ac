"""What one turn of a bot comes to, collected, and written in one transaction."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

import attrs

from dcacore.application.telling import News, Post, occasion_of, tell
from dcacore.domain.bot import Bot
from dcacore.domain.commands import Command, Forget, Place
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.engine import Decision
from dcacore.domain.evolving import evolve
from dcacore.domain.hearing import forget
from dcacore.domain.ids import OrderId
from dcacore.domain.intents import Intent
from dcacore.domain.market import Market
from dcacore.domain.orders import Order
from dcacore.domain.story import NOTIFY, Note
from dcacore.domain.venue import Trade
from dcacore.ports.records import Activity, BookedFill, BotRecord, Lease, Notification, Request
from dcacore.ports.store import Store


@attrs.define
class Entry:
    """What a turn changes.

    Attributes:
        at: when it is.
        record: whose bot.
        bot: the bot as it becomes.
        intents: orders that are new or changed.
        trades: fills to be booked, by the order that filled.
        notes: what is to be told.
        commands: what goes out once all this is stored.
        ended: deals that ended.
        settled: requests that have been dealt with, each with why it was refused, or nothing.
    """

    at: datetime.datetime
    record: BotRecord
    bot: Bot
    intents: dict[OrderId, Intent] = attrs.field(factory=dict)
    trades: list[tuple[OrderId, Trade]] = attrs.field(factory=list)
    notes: list[Note] = attrs.field(factory=list)
    commands: list[Command] = attrs.field(factory=list)
    ended: list[Deal] = attrs.field(factory=list)
    settled: list[tuple[Request, str]] = attrs.field(factory=list)

    def is_worth_storing(self, before: Bot) -> bool:
        """Say whether anything but what is told anew at every start has changed since *before*."""
        if self.intents or self.trades or self.notes or self.ended or self.settled:
            return True
        heard = {"price", "is_price_old", "limits", "holds"}  # what is not stored, but told anew
        return evolve(self.bot, **{name: getattr(before, name) for name in heard}) != before

    def add(self, decision: Decision, notes: Iterable[Note], known: dict[OrderId, Intent]) -> None:
        """Add what was decided; *known* are the bot's intents so far."""
        deal, now = self.bot.deal, decision.bot.deal
        if decision.ended is not None:
            self.ended.append(decision.ended)
        elif deal is not None and (now is None or now.id != deal.id):
            self.ended.append(evolve(deal, exit=Exit.CANCEL, closed_at=self.at))  # its base order never came to be
        self.bot = decision.bot
        self.notes.extend(notes)
        self.commands.extend(decision.commands)
        for command in decision.commands:
            if isinstance(command, Place):
                self.intents[command.order.id] = self._plan(command.order)
            elif isinstance(command, Forget):
                self.intents[command.order_id] = forget(self.intents.get(command.order_id) or known[command.order_id])
            elif command.order_id not in self.intents:
                self.intents[command.order_id] = known[command.order_id]
        for order_id, intent in self.intents.items():
            order = _order(order_id, now) or _order(order_id, decision.ended)
            if order is not None:
                self.intents[order_id] = evolve(intent, order=order)

    def _plan(self, order: Order) -> Intent:
        deal = self.bot.deal
        assert deal is not None  # noqa: S101 - only an open deal places orders
        return Intent(
            order=order,
            bot_id=self.bot.id,
            deal_id=deal.id,
            account_id=self.record.account_id,
            pair=deal.market.pair,
            planned_at=self.at,
        )


def _order(order_id: OrderId, deal: Deal | None) -> Order | None:
    return None if deal is None else deal.orders.get(order_id)


async def write(store: Store, lease: Lease | None, entry: Entry, market: Market, post: Post | None = None) -> None:
    """Store all of *entry*, or nothing; *post* writes what goes by mail.

    Raises:
        StoreError: it is not, or not surely, stored.
    """
    async with store.begin(lease) as work:
        for deal in entry.ended:
            await work.deals.end(entry.bot.id, deal)
        await work.bots.save(entry.bot)
        if entry.intents:
            await work.intents.save(tuple(entry.intents.values()))
        if entry.trades:
            await work.fills.add([_booked(entry, order_id, trade, market) for order_id, trade in entry.trades])
        if entry.notes:
            await work.feed.add_activity([_line(entry, note) for note in entry.notes])
        if news := [_news(entry, note) for note in entry.notes if note.kind in NOTIFY]:
            await tell(work, entry.record.user_id, entry.record.account_id, news, post)
        for request, refusal in entry.settled:
            await work.requests.settle(request.id, entry.at, refusal)
        await work.commit()


def _booked(entry: Entry, order_id: OrderId, trade: Trade, market: Market) -> BookedFill:
    return BookedFill(
        order_id=order_id,
        account_id=entry.record.account_id,
        pair=market.pair,
        fill=trade.fill(market),
        fee=trade.fee,
        fee_asset=trade.fee_asset,
        fee_rate=trade.fee_rate,
    )


def _line(entry: Entry, note: Note) -> Activity:
    return Activity(
        user_id=entry.record.user_id,
        at=entry.at,
        kind=note.kind,
        text=note.text,
        level=note.level,
        bot_id=entry.bot.id,
        deal_id=note.deal_id,
        order_id=note.order_id,
    )


def _news(entry: Entry, note: Note) -> News:
    notification = Notification(
        user_id=entry.record.user_id,
        at=entry.at,
        kind=note.kind,
        text=f"{entry.record.name}: {note.text}",
        level=note.level,
        bot_id=entry.bot.id,
    )
    return News(occasion_of(note, entry.ended), notification)
