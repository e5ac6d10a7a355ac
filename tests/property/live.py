"""An exchange as a live bot meets it: answers come late, twice, out of order or not at all.

`Live` stands between a bot and the matching core. What the bot asks for waits in `outbox` until it is sent; what the
exchange says of it waits in `inbox` until it is delivered. A test decides when, which and how often.
"""

from __future__ import annotations

import contextlib
import datetime
from collections import deque
from decimal import Decimal

import attrs

from dcacore.adapters.simulated import MatchingCore, Wallet
from dcacore.domain.bot import Bot, Phase
from dcacore.domain.commands import Cancel, Command, Place
from dcacore.domain.deal import Deal
from dcacore.domain.engine import Decision, decide
from dcacore.domain.errors import NotNow
from dcacore.domain.events import (
    Accepted,
    Adopted,
    EngineStarted,
    Event,
    Expired,
    Filled,
    Lost,
    PriceSeen,
    Ready,
    Refusal,
    Refused,
    Report,
    Reported,
    RulesRead,
    TimePassed,
)
from dcacore.domain.explain import explain
from dcacore.domain.ids import DealId, OrderId
from dcacore.domain.limits import Limits
from dcacore.domain.market import Market
from dcacore.domain.money import NO_BASE, BaseQty, Price
from dcacore.domain.orders import Order, Side
from dcacore.domain.story import tell
from dcacore.domain.watch import watches
from tests.strategies import NOON, Setting, new_bot


@attrs.define
class Batch:
    """The commands of one decision that have not been sent yet."""

    commands: deque[Command]
    is_short: bool = False


@attrs.define
class Live:
    """One bot on one exchange.

    Attributes:
        bot: as it stands.
        core: the exchange.
        began_with: quote in the account at first.
        outbox: what has been asked for and not been sent.
        inbox: what has been said and not been delivered.
        delivered: what may be delivered once more.
        unanswered: orders whose answer was lost; True when the exchange has them.
        ended: the deals that ended, oldest first.
        placed: every order ever asked for, by id.
        backup: the bot as it once was, to be restored.
        was_other: the deals some of whose orders were placed under other parameters, other rules, limits, or in a time
            that a restored backup knows nothing of.
    """

    bot: Bot
    core: MatchingCore
    began_with: Decimal
    outbox: deque[Batch] = attrs.field(factory=deque)
    inbox: list[Report] = attrs.field(factory=list)
    delivered: list[Report] = attrs.field(factory=list)
    unanswered: dict[OrderId, bool] = attrs.field(factory=dict)
    ended: list[Deal] = attrs.field(factory=list)
    placed: dict[OrderId, Order] = attrs.field(factory=dict)
    backup: Bot | None = None
    was_other: set[DealId] = attrs.field(factory=set)

    @classmethod
    def of(cls, setting: Setting, balance: Decimal) -> Live:
        """Return a bot that has never run, with *balance* quote on the exchange."""
        market = setting.market
        core = MatchingCore(
            market=market,
            fees=setting.fees,
            wallet=Wallet.holding({market.quote_asset: balance}),
            at=NOON,
            price=setting.price,
        )
        return cls(new_bot(setting.strategy, market, setting.fees), core, balance)

    @property
    def price(self) -> Price:
        """Where the market stands."""
        assert self.core.price is not None
        return self.core.price

    @property
    def is_limited(self) -> bool:
        """Whether the bot may not place every order now."""
        return self.bot.limits not in (None, Limits()) or bool(self.bot.holds)

    @property
    def cancels(self) -> tuple[OrderId, ...]:
        """The resting orders whose cancel has been asked for and not been sent."""
        resting = {order.id for order in self.core.resting}
        waiting = (command for batch in self.outbox for command in batch.commands)
        return tuple(
            command.order_id for command in waiting if isinstance(command, Cancel) and command.order_id in resting
        )

    # ------------------------------------------------------------------------------------------------- the bot's side

    def tell(self, event: Event) -> Decision:
        """Let the bot decide, twice over, and note what it asks for."""
        decision = decide(self.bot, event)
        with contextlib.suppress(NotNow):  # what a user asks for twice may be refused the second time
            again = decide(decision.bot, event)
            assert again.bot == decision.bot, event
            assert again.commands == (), event
        assert decide(self.bot, event) == decision, event
        assert all(note.text for note in tell(self.bot, event, decision))
        assert all(sentence.endswith((".", "?")) for sentence in explain(decision.bot))
        self.bot = decision.bot
        if self.is_limited and self.bot.deal is not None:
            self.was_other.add(self.bot.deal.id)
        if decision.ended is not None:
            self.ended.append(decision.ended)
        for command in decision.commands:
            if isinstance(command, Place):
                assert command.order.id not in self.placed, f"{command.order.id} was used before"
                self.placed[command.order.id] = command.order
        if decision.commands:
            self.outbox.append(Batch(deque(decision.commands)))
        return decision

    def tell_price(self) -> None:
        """The bot hears where the market stands."""
        self.tell(PriceSeen(self.core.at, self.price))

    def pass_time(self, seconds: int) -> None:
        """Time passes, and the bot is woken if it asked for that."""
        self.core.at += datetime.timedelta(seconds=seconds)
        due = watches(self.bot).at
        if due is not None and self.core.at >= due:
            self.tell(TimePassed(self.core.at, self.price))

    def restart_engine(self) -> None:
        """The engine comes up again: what was asked for and not sent is found not to exist, and said so."""
        for batch in self.outbox:
            for command in batch.commands:
                if isinstance(command, Place):
                    self.inbox.append(Refused(command.order.id, Refusal.NOT_PLACED, "never sent"))
                else:
                    self.inbox.extend(self.core.cancel(command.order_id))
        self.outbox.clear()
        self.tell(EngineStarted(self.core.at, self.price))

    def may_restore(self) -> bool:
        """Say whether the backup is of the deal that is open."""
        old, new = self.backup, self.bot
        return old is not None and old.deal is not None and new.deal is not None and old.deal.id == new.deal.id

    def restore(self) -> None:
        """The backup comes back, and with it a time in which some of the exchange's orders did not exist yet."""
        assert self.backup is not None
        assert self.backup.deal is not None
        while self.outbox:
            self.send_next()
        for order_id in tuple(self.unanswered):
            self.resolve(order_id)
        self.bot, deal = self.backup, self.backup.deal
        self.was_other.add(deal.id)
        reports = tuple(self.delivered + self.inbox)
        self.inbox = []
        here = {report.order_id for report in reports if not isinstance(report, Lost | Refused)}
        for order_id, order in tuple(self.placed.items()):
            if not order_id.startswith(f"{deal.id}-") or order_id in deal.orders:
                continue
            if order_id in here:
                reports = (Adopted(order), *reports)
            else:
                del self.placed[order_id]  # it was refused: nothing tells that its id has been given out
        reports = tuple(
            report for report in reports if report.order_id in deal.orders or not isinstance(report, Lost | Refused)
        )
        self.delivered = [report for report in reports if report.order_id in self.placed]
        self.tell(EngineStarted(self.core.at, self.price))
        self.tell(Reported(self.core.at, self.price, reports))

    def change_rules(self, market: Market) -> None:
        """The exchange changes the pair's rules, and the bot reads them."""
        self.core.market = market
        if self.bot.deal is not None and self.bot.deal.market != market:
            self.was_other.add(self.bot.deal.id)
        self.tell(
            RulesRead(at=self.core.at, price=self.price, market=market, fees=self.bot.fees, limits=self.bot.limits)
        )

    def limit(self, limits: Limits | None) -> None:
        """The exchange lets orders go so far from now on; it takes what is beyond that all the same."""
        self.tell(
            RulesRead(at=self.core.at, price=self.price, market=self.core.market, fees=self.bot.fees, limits=limits)
        )

    # -------------------------------------------------------------------------------------------- the exchange's side

    def move_to(self, price: Price) -> None:
        """The market goes to *price*; the bot hears of it, and of its fills only when they are delivered."""
        self.inbox.extend(self.core.move_to(price))
        self.tell_price()

    def send_next(self) -> None:
        """The oldest command goes out, and is answered."""
        batch = self.outbox[0]
        command = batch.commands.popleft()
        if not batch.commands:
            self.outbox.popleft()
        match command:
            case Cancel(order_id):
                self.inbox.extend(self.core.cancel(order_id))
            case Place(order) if batch.is_short and order.side is Side.BUY:
                self.inbox.append(Refused(order.id, Refusal.NOT_TRIED, "a buy before it did not fit"))
            case Place(order):
                answer = self.core.place(order)
                match answer:
                    case (Refused(refusal=Refusal.BALANCE),):
                        assert order.side is Side.BUY, f"{order} sells more than is held: {answer}"
                        batch.is_short = True
                    case _:
                        pass
                self.inbox.extend(answer)

    def lose_next(self, *, arrives: bool) -> None:
        """The oldest command goes out if it is an order, and no answer comes; it *arrives* or it does not."""
        command = self.outbox[0].commands[0]
        if not isinstance(command, Place):
            self.send_next()
            return
        if arrives:
            before = len(self.inbox)
            self.send_next()
            answer = self.inbox.pop(before)
            if isinstance(answer, Refused):
                arrives = False  # as good as never sent
            elif isinstance(answer, Filled):
                self.inbox.append(answer)  # the stream tells of it all the same
        else:
            self.outbox[0].commands.popleft()
            if not self.outbox[0].commands:
                self.outbox.popleft()
        self.unanswered[command.order.id] = arrives
        self.inbox.append(Lost(command.order.id))

    def resolve(self, order_id: OrderId) -> None:
        """The exchange is asked about an order whose answer was lost."""
        exists = self.unanswered.pop(order_id)
        told = Accepted(order_id) if exists else Refused(order_id, Refusal.NOT_PLACED, "the exchange has no such order")
        self.inbox.append(told)

    def refuse_next(self, refusal: Refusal) -> None:
        """The oldest command goes out, and is refused if it is an order."""
        command = self.outbox[0].commands[0]
        if not isinstance(command, Place) or (refusal is Refusal.BALANCE and command.order.side is Side.SELL):
            self.send_next()
            return
        batch = self.outbox[0]
        batch.commands.popleft()
        batch.is_short |= refusal is Refusal.BALANCE
        if not batch.commands:
            self.outbox.popleft()
        self.inbox.append(Refused(command.order.id, refusal, "on a whim"))

    def expire_next(self, share: Decimal) -> None:
        """The oldest command goes out; if it is a market order it finds only *share* of what it wants."""
        command = self.outbox[0].commands[0]
        if not isinstance(command, Place) or command.order.price is not None:
            self.send_next()
            return
        order, market = command.order, self.core.market
        executed = BaseQty(order.quantity * share // market.step_size * market.step_size)
        if executed == order.quantity or not market.allows(self.price, executed):
            executed = NO_BASE
        self.outbox[0].commands.popleft()
        if not self.outbox[0].commands:
            self.outbox.popleft()
        if executed:
            answer = self.core.place(attrs.evolve(order, quantity=executed))
            if isinstance(answer[0], Refused):
                self.inbox.extend(answer)
                return
            self.inbox.extend(answer)
        self.inbox.append(Expired(order.id, executed))

    # ----------------------------------------------------------------------------------------------------- in between

    def deliver(self, index: int) -> None:
        """The bot hears one of the reports that wait, in any order."""
        report = self.inbox.pop(index % len(self.inbox))
        self.delivered.append(report)
        self.tell(Reported(self.core.at, self.price, (report,)))

    def deliver_again(self, index: int) -> None:
        """The bot hears a report that it has heard before; that changes nothing."""
        report = self.delivered[index % len(self.delivered)]
        at, price = self.core.at, self.price
        assert decide(self.bot, Reported(at, price, (report,))) == decide(self.bot, Reported(at, price, ())), report
        self.tell(Reported(self.core.at, self.price, (report,)))

    def deliver_all(self) -> None:
        """The bot hears all that waits, at once and in order."""
        if self.inbox:
            reports, self.inbox = tuple(self.inbox), []
            self.delivered.extend(reports)
            self.tell(Reported(self.core.at, self.price, reports))

    def settle(self) -> None:
        """Everything is sent, answered and delivered, and all that the bot waits for comes, until nothing is left."""
        for _ in range(200):
            for order_id in tuple(self.unanswered):
                self.resolve(order_id)
            while self.outbox:
                self.send_next()
            if self.inbox:
                self.deliver_all()
                continue
            due = watches(self.bot).at
            if due is None or self.bot.phase is not Phase.IN_POSITION:
                return
            self.core.at = max(self.core.at, due)
            self.tell(TimePassed(self.core.at, self.price))
        message = "the bot never comes to rest"
        raise AssertionError(message)

    def ready(self) -> None:
        """The checks are done."""
        self.tell(Ready(self.core.at, self.price))


def check_sums(deal: Deal) -> None:
    """Orders are the sums of their fills, and the books the sums of the orders."""
    orders = deal.orders.values()
    for order in orders:
        assert order.filled == sum(fill.quantity for fill in order.fills) <= order.quantity
        assert len({fill.trade_id for fill in order.fills}) == len(order.fills)
    buys = [order for order in orders if order.side is Side.BUY]
    sells = [order for order in orders if order.side is Side.SELL]
    books = deal.books
    assert books.bought == sum(order.filled for order in buys)
    assert books.gross == sum(order.notional for order in buys)
    assert books.base_fees == sum(order.base_fee for order in buys)
    assert books.buy_fees == sum(order.quote_fee for order in buys)
    assert books.sold == sum(order.filled for order in sells)
    assert books.proceeds == sum(order.notional for order in sells)
    assert books.sell_fees == sum(order.quote_fee for order in sells)
    assert books.net >= 0
