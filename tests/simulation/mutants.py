"""The order protocol with one safeguard taken out: each of these must be found out."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import Any, Final
from unittest import mock

import attrs

from dcacore.application.engine import accounting, wire
from dcacore.application.engine import runner as runner_module
from dcacore.application.engine.bringing_up import BringingUp
from dcacore.application.engine.comparisons import Comparisons
from dcacore.application.engine.desk import Desk
from dcacore.application.engine.fleet import Fleet
from dcacore.application.engine.patience import PatientExchange
from dcacore.application.engine.runner import Ended, Runner
from dcacore.application.engine.wire import RECV_WINDOW, Wire
from dcacore.domain import hearing
from dcacore.domain.bot import Phase
from dcacore.domain.commands import Place
from dcacore.domain.deal import Deal
from dcacore.domain.events import Canceled, EngineStarted, Refusal
from dcacore.domain.hearing import Declined, Found, Heard
from dcacore.domain.ids import OrderId, TradeId
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.ladder import sellable
from dcacore.domain.market import Market
from dcacore.domain.money import BaseQty
from dcacore.domain.orders import Order
from dcacore.domain.venue import Trade, VenueOrder, VenueStatus
from dcacore.ports.errors import OutcomeUnknown, PortError, Rejected, StoreUnavailable

Mutant = Callable[[], AbstractContextManager[None]]


@contextmanager
def _swapped(*swaps: tuple[object, str, Any]) -> Iterator[None]:
    with ExitStack() as stack:
        for owner, name, new in swaps:
            stack.enter_context(mock.patch.object(owner, name, new))
        yield


def no_mark_before_the_wire() -> AbstractContextManager[None]:
    """What is being sent is known to the process only, and not stored."""

    async def mark(self: Runner, intent: Intent, _: datetime.datetime | None) -> bool:
        self.intents[intent.id] = intent
        return True

    return _swapped((Runner, "mark", mark), (Wire, "at_once", _later))


def _later(_: Wire, intent: Intent) -> Intent:
    return intent


def believed_at_once() -> AbstractContextManager[None]:
    """One "no such order" is a proof, whenever it comes."""

    def begins(intent: Intent) -> datetime.datetime | None:
        return None if intent.sent_at is None else intent.sent_at - datetime.timedelta(hours=1)

    return _swapped(
        (hearing, "PROOF_MISSES", 1),
        (hearing, "PROOF_SPREAD", datetime.timedelta(0)),
        (hearing, "proof_begins", begins),
        (Desk, "find", _find_by_name),
    )


async def _find_by_name(self: Desk, intent: Intent) -> VenueOrder | None:
    return await self.exchange.find(intent.pair, order_id=intent.id)


def ends_without_fills() -> AbstractContextManager[None]:
    """An order that the exchange calls over is over, whatever of it has been booked."""
    honest = hearing._found

    def found(intent: Intent, news: Found, market: Market) -> Heard:
        heard = honest(intent, news, market)
        status = news.order.status
        if not heard.lacks_fills or status in {VenueStatus.OPEN, VenueStatus.OTHER} or heard.intent.has_ended:
            return heard
        state = IntentState.CANCELED if status is VenueStatus.CANCELED else IntentState.EXPIRED
        end = Canceled(intent.id, heard.intent.order.filled)
        return attrs.evolve(heard, intent=heard.intent.moved(state), reports=(*heard.reports, end), lacks_fills=False)

    return _swapped((hearing, "_found", found))


def no_recovery() -> AbstractContextManager[None]:
    """What was being sent when the process died is taken for not sent."""

    async def begin(self: BringingUp, wire: Wire) -> None:
        runner = wire.runner
        try:
            if runner.bot.phase is not Phase.STOPPED:
                await runner.turn(EngineStarted(self.around.clock.now()))
            unsent = {IntentState.PLANNED, IntentState.SENDING, IntentState.UNKNOWN}
            news = [_not_placed(intent.id) for intent in runner.unsettled if intent.state in unsent]
            if news:
                await runner.turn(*news)
        except Ended:
            return

    return _swapped((BringingUp, "_begin", begin))


def _not_placed(order_id: OrderId) -> Declined:
    return Declined(order_id, Refusal.NOT_PLACED, "it was surely not placed")


def silence_is_a_no() -> AbstractContextManager[None]:
    """A time-out or a server's error means that the order was not placed."""
    return _swapped((wire, "Unanswered", _not_placed))


def silence_is_retried() -> AbstractContextManager[None]:
    """What was not answered is sent again, under the same id."""
    honest = PatientExchange.place

    async def place(self: PatientExchange, *args: Any, **named: Any) -> VenueOrder:
        try:
            return await honest(self, *args, **named)
        except OutcomeUnknown:
            return await honest(self, *args, **named)

    return _swapped((PatientExchange, "place", place))


def fills_count_twice() -> AbstractContextManager[None]:
    """Nobody looks whether a trade has been heard of before."""

    def every(_: Intent, trades: tuple[Trade, ...]) -> tuple[Trade, ...]:
        return trades

    def never(_: Order, __: TradeId) -> bool:
        return False

    return _swapped((hearing, "_new_trades", every), (Order, "has", never))


def events_only() -> AbstractContextManager[None]:
    """The exchange is never asked what nobody has told."""

    async def never(self: Comparisons, _: Desk) -> None:
        await self.around.clock.sleep(1e9)

    def nothing(*_: object) -> None:
        pass

    return _swapped((Comparisons, "now_and_then", never), (Comparisons, "after_gap", nothing))


def gross_is_sold() -> AbstractContextManager[None]:
    """What was bought is sold, the fee that was taken from it as well."""

    def gross(deal: Deal) -> BaseQty:
        books = deal.books
        return sellable(deal.market, BaseQty(books.bought + books.carried.quantity - books.sold))

    return _swapped((Deal, "sellable", property(gross)))


def cancel_is_believed() -> AbstractContextManager[None]:
    """After a cancel nobody asks how much had filled: a no means as much as a yes."""

    async def cancel(self: Wire, intent: Intent) -> None:
        try:
            await self.desk.exchange.cancel(intent.pair, intent.id)
        except Rejected:
            pass
        except PortError:
            return
        order = intent.order
        if intent.venue_order_id is not None:
            gone = VenueOrder(
                order_id=intent.id,
                venue_order_id=intent.venue_order_id,
                side=order.side,
                quantity=order.quantity,
                price=order.price,
                status=VenueStatus.CANCELED,
                executed=order.filled,
            )
            await self.runner.turn(Found(gone))

    return _swapped((Wire, "_cancel", cancel))


def failed_commit_is_believed() -> AbstractContextManager[None]:
    """What the database did not take is taken for stored."""
    honest = accounting.write

    async def write(*args: Any) -> None:
        try:
            await honest(*args)
        except StoreUnavailable:
            return

    return _swapped((runner_module, "write", write))


def planned_is_sent_blindly() -> AbstractContextManager[None]:
    """What was planned before the process died goes out after it, whatever has become of it; and is planned anew."""
    honest = Fleet.arrived

    def arrived(self: Fleet, wire: Wire) -> None:
        honest(self, wire)
        planned = [
            Place(it.order) for it in wire.runner.unsettled if it.state in {IntentState.PLANNED, IntentState.SENDING}
        ]

        async def send() -> None:
            for place in planned:
                exchange = wire.desk.exchange
                await exchange.place(
                    wire.runner.market.pair, place.order, sent_at=exchange.now(), recv_window=RECV_WINDOW
                )

        if planned:
            wire.runner.tasks.start(send(), "blind")

    return _swapped((Fleet, "arrived", arrived))


def sent_before_stored() -> AbstractContextManager[None]:
    """Orders go out first, and what was decided is stored when their answers are there."""
    wires: dict[str, Wire] = {}
    answers: dict[OrderId, VenueOrder] = {}
    honest_write, honest_arrived = accounting.write, Fleet.arrived

    async def write(store: Any, lease: Any, entry: accounting.Entry, market: Market, *rest: Any) -> None:
        for command in entry.commands:
            if isinstance(command, Place):
                exchange = wires[entry.bot.id].desk.exchange
                with suppress(PortError):
                    answers[command.order.id] = await exchange.place(
                        market.pair, command.order, sent_at=exchange.now(), recv_window=RECV_WINDOW
                    )
        await honest_write(store, lease, entry, market, *rest)

    async def place(self: Wire, order: Order) -> Declined | None:
        await self._mark(order.id)
        if order.id in answers:
            await self.hear(answers.pop(order.id))
            return None
        return _not_placed(order.id)

    def arrived(self: Fleet, wire: Wire) -> None:
        wires[wire.runner.bot.id] = wire
        honest_arrived(self, wire)

    placing = ((Wire, "_place", place), (Wire, "at_once", _later))
    return _swapped((runner_module, "write", write), (Fleet, "arrived", arrived), *placing)


def troubles_stay() -> AbstractContextManager[None]:
    """Nobody looks whether what a bot's trouble waits for has come."""

    async def look(_: Desk) -> None:
        pass

    return _swapped((Desk, "look_after_troubles", look))


def buys_are_not_tried_again() -> AbstractContextManager[None]:
    """A bot that waits for balance waits until its user says retry."""

    async def retry(_: Desk, __: Runner) -> None:
        pass

    return _swapped((Desk, "retry_if_it_fits", retry))


MUTANTS: Final[Mapping[str, Mutant]] = {
    mutant.__name__: mutant
    for mutant in (
        no_mark_before_the_wire,
        believed_at_once,
        ends_without_fills,
        no_recovery,
        silence_is_a_no,
        silence_is_retried,
        fills_count_twice,
        events_only,
        gross_is_sold,
        cancel_is_believed,
        failed_commit_is_believed,
        planned_is_sent_blindly,
        sent_before_stored,
        troubles_stay,
        buys_are_not_tried_again,
    )
}
"""By name."""
