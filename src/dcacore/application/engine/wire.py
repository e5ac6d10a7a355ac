"""The way of one bot's orders to the exchange and back.

    PLANNED --(marked, synced to disk)--> SENDING --(sent once)--> accepted | refused | unknown

What sells at market, and has nothing to wait for, is stored as SENDING with its decision: the price does not wait.
Nothing below sends an order a second time. An answer that does not come makes the order UNKNOWN, and then the exchange
is asked about it until it has it or has surely never had it. A cancel is sent, and then the exchange is asked as well:
the order may have filled. Of every order there is one task at most that asks.
"""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from dcacore.application.engine.desk import Desk
from dcacore.application.engine.room import lacks_room
from dcacore.application.engine.runner import RETRY_EVERY_S, Adoption, Ended, Runner
from dcacore.application.engine.surroundings import log
from dcacore.domain.commands import Cancel, Command, Place
from dcacore.domain.events import Refusal
from dcacore.domain.evolving import evolve
from dcacore.domain.hearing import Declined, Found, Missed, Unanswered, proof_begins
from dcacore.domain.ids import OrderId, ParsedOrderId, parse_order_id
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.orders import Order, Side
from dcacore.domain.venue import Trade, VenueOrder, VenueStatus
from dcacore.ports.errors import (
    BadCredentials,
    FilterViolation,
    InsufficientBalance,
    PortError,
    RateLimited,
    Rejected,
    TooLate,
    TradingHalted,
)

RECV_WINDOW: Final = datetime.timedelta(seconds=5)
"""How long after it was sent the exchange may take an order."""
ASK_AFTER_S: Final = (0.5, 1, 2, 4, 8, 15)
"""When the exchange is asked about an order that was not answered, in seconds ..."""
ASK_FOR_PROOF_S: Final = (0.1, 2.7, 5.3)
"""... then so long after "no such order" has begun to count: three answers over five seconds prove it ..."""
ASK_EVERY_S: Final = 30
"""... and so often from then on."""
MOST_REFUSED: Final = 4
"""After so many refused orders within an hour the bot stops with an error: trying on would only be refused again."""
HOUR_S: Final = 3600
MOST_PATIENT_S: Final = 1200
JUDGED_ANEW_AFTER_S: Final = 5
"""An order that could not be sent for so long is decided on anew, at the price of then."""
BEFORE_ANOTHER_TRY_S: Final = 5
RESTS_S: Final = (0, 5, 15, 30, 60)
"""How long a bot rests whose orders get lost on their way, one after the other: the exchange is in trouble."""

_MEANS: Final[tuple[tuple[type[PortError], Refusal], ...]] = (
    (InsufficientBalance, Refusal.BALANCE),
    (TradingHalted, Refusal.HALTED),
    (TooLate, Refusal.NOT_PLACED),
    (RateLimited, Refusal.NOT_PLACED),
    (BadCredentials, Refusal.NOT_PLACED),
    (PortError, Refusal.RULE),
)
_TRIED_AGAIN: Final = frozenset({Refusal.HALTED, Refusal.NOT_PLACED, Refusal.HELD})
"""The refusals after which a bot goes on by itself sooner or later."""


@attrs.define
class Wire:
    """Sends what a runner's decisions want sent, and asks about what was not answered."""

    runner: Runner
    desk: Desk
    _minded: set[OrderId] = attrs.field(factory=set, init=False)
    _lacking: set[OrderId] = attrs.field(factory=set, init=False)
    _marked: dict[OrderId, Intent] = attrs.field(factory=dict, init=False)  # with their turn, and not sent yet
    _refusals: deque[float] = attrs.field(init=False)
    _lost: int = attrs.field(default=0, init=False)  # orders in a row that have never arrived
    _rests_until: float = attrs.field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self._refusals = self.desk.refusals.setdefault(self.runner.bot.id, deque(maxlen=MOST_REFUSED))

    def carry_out(self, commands: Sequence[Command]) -> None:
        """Carry out the commands of one decision beside everything else that goes on: what is marked goes out first."""
        places = [command for command in commands if isinstance(command, Place)]
        is_marked = bool(places) and places[0].order.id in self._marked
        if is_marked:
            self._start_placing(places)
        for command in commands:
            if isinstance(command, Cancel):
                self.mind(command.order_id)
        if places and not is_marked:
            self._start_placing(places)

    def _start_placing(self, places: Sequence[Place]) -> None:
        self.runner.tasks.start(self._place_all(places), f"orders of {self.runner.bot.id}")

    def mind(self, order_id: OrderId) -> None:
        """Ask about an order until its state is certain: one without an answer, or one that is to be taken off."""
        if order_id not in self._minded and not self.runner.is_closing:
            self._minded.add(order_id)
            self.runner.tasks.start(self._mind(order_id), f"asking for {order_id}")

    def mind_gone(self, order_id: OrderId) -> None:
        """Ask about an order that the exchange did not know when it should have, until that is certain."""
        self._lacking.add(order_id)
        self.mind(order_id)

    def mind_all(self) -> None:
        """Ask about every order that was not answered, or that is being taken off."""
        for intent in self.runner.unsettled:
            if intent.state is IntentState.UNKNOWN or intent.order.is_cancelling:
                self.mind(intent.id)

    async def adopt(self, order: VenueOrder, parsed: ParsedOrderId) -> bool:
        """Let the open deal have an order that its id says is its own; return whether it is known to the deal then.

        Raises:
            Ended: the runner is over.
        """
        deal = self.runner.bot.deal
        if deal is None or deal.id != parsed.deal_id:
            return False
        if order.order_id not in deal.orders:
            log.warning("order_adopted", bot=self.runner.bot.id, order=order.order_id)
            await self.runner.turn(Adoption(order, parsed))
        await self._hear_known(order)
        return True

    # ------------------------------------------------------------------------------------------------------- placing

    def at_once(self, intent: Intent) -> Intent:
        """Return *intent*, which is about to be stored, marked as being sent if it can go out right after that.

        That is what sells at market, for which nothing is asked first. All else is marked when its time has come.
        """
        order, runner = intent.order, self.runner
        has_to_wait = (
            order.side is Side.BUY
            or order.price is not None
            or intent.state is not IntentState.PLANNED
            or order.is_cancelling
            or runner.is_closing
            or not runner.is_reconciled
            or not self.desk.exchange.is_permitted
            or self._rests_until > self.desk.around.clock.monotonic()
        )
        if has_to_wait:
            return intent
        marked = self._marked[intent.id] = self._as_sending(intent)
        return marked

    def _as_sending(self, intent: Intent) -> Intent:
        return evolve(
            intent.moved(IntentState.SENDING),
            sent_at=self.desk.exchange.now(),
            recv_window_ms=int(RECV_WINDOW.total_seconds() * 1000),
        )

    async def _place_all(self, places: Sequence[Place]) -> None:
        """Send the orders of one decision; what could not be sent is told in one turn, so that it is judged once."""
        declined: list[Declined] = []
        no_buys = nothing = ""
        try:
            for place in places:
                marked = self._marked.pop(place.order.id, None)
                if marked is None and self.runner.is_closing:
                    return  # it stays planned, and is judged anew when the bot is taken up again
                reason = nothing or (no_buys if place.order.side is Side.BUY else "")
                if reason:
                    declined.append(Declined(place.order.id, Refusal.NOT_TRIED, reason))
                    continue
                refused = await (self._place(place.order) if marked is None else self._send(marked))
                if refused is None:
                    continue
                declined.append(refused)
                if refused.refusal is Refusal.BALANCE:
                    no_buys = "an order before it found too little balance"
                elif refused.refusal is Refusal.HELD:
                    no_buys = "an order before it is held back"
                elif refused.refusal is Refusal.RULE and place.order.side is Side.BUY:
                    no_buys = "an order before it was refused"  # what is held is sold all the same
                else:
                    nothing = "an order before it was refused"
            if declined:
                await self.runner.turn(*declined)
        except Ended:
            return

    async def _place(self, order: Order) -> Declined | None:
        """Send *order* when its time has come; return why it was not placed, None when it was or may have been."""
        clock = self.desk.around.clock
        began = clock.monotonic()
        await self._wait_until_it_may_go(order)
        declined = await self._lacks(order)
        if clock.monotonic() - began > JUDGED_ANEW_AFTER_S:
            return Declined(order.id, Refusal.NOT_PLACED, "it had to wait for too long, and is judged anew")
        if declined is not None:
            return declined
        intent = await self._mark(order.id)
        return await self._send(intent) if isinstance(intent, Intent) else intent

    async def _send(self, intent: Intent) -> Declined | None:
        """Send an order that is marked, once; return why it was not placed, None when it was or may have been."""
        order, sent_at = intent.order, intent.sent_at
        assert sent_at is not None  # noqa: S101 - it is marked
        self.desk.reserve(self.runner, order)
        try:
            answer = await self.desk.exchange.place(intent.pair, order, sent_at=sent_at, recv_window=RECV_WINDOW)
        except (Rejected, RateLimited, BadCredentials) as exc:
            self.desk.around.tally.refused += 1
            return await self._refused(order, exc)
        except PortError as exc:  # whatever else: it may exist
            self.desk.around.tally.unanswered += 1
            log.warning("order_unanswered", bot=self.runner.bot.id, order=order.id, reason=str(exc))
            await self.runner.turn(Unanswered(order.id))
            self.mind(order.id)
            return None
        self.desk.around.tally.placed += 1
        self._lost = 0
        if order.side is Side.BUY:
            self.runner.retry_after_s = RETRY_EVERY_S
        await self.hear(answer)
        return None

    async def _lacks(self, order: Order) -> Declined | None:
        """Return what *order* lacks to be sent: balance, or room among those that rest; None when it lacks nothing."""
        if (lack := await self.desk.lack_for(self.runner, order)) is not None:
            return Declined(order.id, Refusal.BALANCE, lack)
        if (lack := lacks_room(self.desk, self.runner, order)) is not None:
            return Declined(order.id, Refusal.HELD, lack)
        return None

    async def _wait_until_it_may_go(self, order: Order) -> None:
        """Return when the exchange takes orders, and a buy that the account has been compared.

        Raises:
            Ended: the runner ends first; the order stays planned, and is judged anew when the bot is taken up again.
        """
        runner, exchange = self.runner, self.desk.exchange
        if (rest := self._rests_until - self.desk.around.clock.monotonic()) > 0:
            await runner.pause(rest)
        if not exchange.is_permitted:
            await runner.wait_for(exchange.permission())
        if order.side is Side.BUY and not self.desk.is_sure.is_set():
            await runner.wait_for(self.desk.is_sure.wait())
        if runner.is_closing or runner.is_over:
            raise Ended

    async def _mark(self, order_id: OrderId) -> Intent | Declined | None:
        """Mark an order as being sent, on disk; return why it is not, None when somebody else sees to it."""
        async with self.runner.guard:
            if self.runner.is_over:
                raise Ended
            intent, deal = self.runner.intents.get(order_id), self.runner.bot.deal
            if intent is None or intent.state is not IntentState.PLANNED or self.runner.is_closing:
                return None
            if intent.order.is_cancelling:
                return None  # whoever minds the cancel sees that it was never sent
            if intent.order.side is Side.BUY and (deal is None or deal.exit is not None):
                return Declined(order_id, Refusal.NOT_PLACED, "the deal is ending")
            if intent.order.side is Side.BUY and intent.order.price is None and self.runner.price(self.runner) is None:
                return Declined(order_id, Refusal.NOT_PLACED, "the market's price is not known any more")
            marked = self._as_sending(intent)
            if not await self.runner.mark(marked, self.desk.account.keyed_at):
                return None  # the account is about to be opened anew: then it is judged anew
            return marked

    async def _refused(self, order: Order, exc: PortError) -> Declined:
        """Return what the exchange's no means for the bot."""
        log.warning("order_refused", bot=self.runner.bot.id, order=order.id, reason=str(exc))
        refusal = next(refusal for kind, refusal in _MEANS if isinstance(exc, kind))
        match exc:
            case FilterViolation():
                if await self.desk.reload_rules(self.runner):
                    refusal = Refusal.NOT_PLACED  # it followed the old rules; the next one follows the new
                elif self._passes(order, exc):
                    refusal = Refusal.HELD
            case BadCredentials():
                await self.runner.turn(self.desk.bad_key(str(exc)))  # first, so that nothing is planned again
            case _:
                self.desk.forget_funds()
        if isinstance(exc, RateLimited):  # the hold ends by itself, and nothing goes out before
            return Declined(order.id, refusal, str(exc))
        now = self.desk.around.clock.monotonic()
        self._refusals.append(now)
        lately = sum(now - at < HOUR_S for at in self._refusals)
        if refusal is Refusal.BALANCE:  # our own look at the balance was wrong: the next ones take their time
            self.runner.retry_after_s = min(MOST_PATIENT_S, RETRY_EVERY_S * 4 ** (lately - 1))
        elif lately == MOST_REFUSED and refusal in _TRIED_AGAIN:
            self._refusals.clear()
            reason = f"{MOST_REFUSED} orders were refused within an hour, the last: {exc}"
            return Declined(order.id, Refusal.RULE, reason)
        if isinstance(exc, TooLate) and lately > 1:
            await self.runner.pause(BEFORE_ANOTHER_TRY_S)
        return Declined(order.id, refusal, str(exc))

    def _passes(self, order: Order, exc: FilterViolation) -> bool:
        """Say whether the rule is one that the exchange lists, and that stops the order only for now."""
        limits = self.runner.bot.limits
        return order.price is not None and limits is not None and limits.passes(order.side, exc.rule)

    # -------------------------------------------------------------------------------------------------------- asking

    async def _mind(self, order_id: OrderId) -> None:
        is_fresh = True
        try:
            for pause in self._pauses(order_id):
                intent = self.runner.intents.get(order_id)
                if intent is None or self.runner.is_closing or self.runner.is_over:
                    return
                if not (is_fresh and intent.state is IntentState.UNKNOWN) and await self._is_certain(intent):
                    return
                is_fresh = False
                await self.runner.pause(pause)
        except Ended:
            return
        finally:
            self._minded.discard(order_id)

    async def _is_certain(self, intent: Intent) -> bool:
        """Do what brings certainty about the order one step nearer, and say whether there is nothing left to ask."""
        if intent.has_ended:
            return True
        if intent.state is IntentState.PLANNED and intent.order.is_cancelling:
            await self.runner.turn(Declined(intent.id, Refusal.NOT_PLACED, "it was taken back before it was sent"))
            return True
        if intent.state in {IntentState.PLANNED, IntentState.SENDING}:
            return False  # its answer is still to come
        if intent.state is IntentState.OPEN and intent.order.is_cancelling:
            await self._cancel(intent)
        await self.ask(intent)
        intent = self.runner.intents.get(intent.id, intent)
        if intent.state is IntentState.OPEN:
            return not intent.order.is_cancelling and intent.id not in self._lacking
        return intent.has_ended

    async def _cancel(self, intent: Intent) -> None:
        try:
            await self.desk.exchange.cancel(intent.pair, intent.id)
        except PortError as exc:  # a no and a silence alike: `find` says how the order stands
            log.info("cancel_unanswered", bot=self.runner.bot.id, order=intent.id, reason=str(exc))

    async def ask(self, intent: Intent) -> None:
        """Ask the exchange how the order stands, and let the bot hear it; a question that fails counts for nothing.

        Raises:
            Ended: the runner is over.
        """
        asked_at = self.desk.exchange.now()
        try:
            found = await self.desk.find(intent)
        except PortError as exc:
            log.info("question_failed", bot=self.runner.bot.id, order=intent.id, reason=str(exc))
        else:
            if found is None:
                await self.miss(intent.id, asked_at)
            else:
                await self.hear(found)

    async def miss(self, order_id: OrderId, asked_at: datetime.datetime) -> None:
        """Let the bot hear that the exchange did not know an order when it was asked at *asked_at*.

        Raises:
            Ended: the runner is over.
        """
        heard = await self.runner.turn(Missed(order_id, asked_at))
        if heard is not None and heard.intent.state is IntentState.NOT_PLACED:
            rest = RESTS_S[min(self._lost, len(RESTS_S) - 1)]
            self._rests_until = self.desk.around.clock.monotonic() + rest
            self._lost += 1

    async def hear(self, order: VenueOrder) -> None:
        """Let the bot hear how an order stands; where more has filled than is known, with all of its trades.

        One that was proven absent and exists all the same, or that the database does not know, is taken in first.

        Raises:
            Ended: the runner is over.
        """
        intent = self.runner.intents.get(order.order_id)
        if intent is None or intent.state is IntentState.NOT_PLACED:
            parsed = parse_order_id(order.order_id)
            if parsed is not None and (order.status is VenueStatus.OPEN or order.executed):
                await self.adopt(order, parsed)
            return
        await self._hear_known(order)

    async def _hear_known(self, order: VenueOrder) -> None:
        trades: tuple[Trade, ...] = ()
        self._lacking.discard(order.order_id)
        if order.status is VenueStatus.OTHER:
            log.error("order_status_unknown", bot=self.runner.bot.id, order=order.order_id)
        heard = await self.runner.turn(Found(order))
        if heard is None or not heard.lacks_fills:
            return
        try:
            trades = await self.desk.exchange.trades(heard.intent.pair, venue_order_id=order.venue_order_id)
        except PortError as exc:
            log.info("trades_not_read", bot=self.runner.bot.id, order=order.order_id, reason=str(exc))
        heard = await self.runner.turn(Found(order, trades))
        if heard is not None and heard.lacks_fills:
            self._lacking.add(order.order_id)
            self.mind(order.order_id)

    def _pauses(self, order_id: OrderId) -> Iterator[float]:
        """Yield how long to wait before each next look at the order."""
        clock = self.desk.around.clock
        began = clock.monotonic()
        for after in ASK_AFTER_S:
            yield max(0.0, began + after - clock.monotonic())
        intent = self.runner.intents.get(order_id)
        begins = None if intent is None else proof_begins(intent)
        if begins is not None:
            until = (begins - self.desk.exchange.now()).total_seconds()
            began = clock.monotonic()
            for after in ASK_FOR_PROOF_S:
                yield max(0.0, began + until + after - clock.monotonic())
        while True:
            yield ASK_EVERY_S
