"""A desk to try a bot at: the test says what happens, plays the exchange, and sees what the bot wants done."""

from __future__ import annotations

import contextlib
import datetime
from decimal import Decimal
from typing import Any, Final

import attrs

from dcacore.domain.bot import Bot, shown_state
from dcacore.domain.commands import Cancel, Command, Place
from dcacore.domain.deal import Deal
from dcacore.domain.engine import decide
from dcacore.domain.errors import NotNow
from dcacore.domain.events import (
    Accepted,
    AddFundsRequested,
    Adopted,
    CancelDealRequested,
    Canceled,
    CloseAsSoldRequested,
    CloseDealRequested,
    EditBotRequested,
    EditDealRequested,
    EngineStarted,
    Event,
    Expired,
    Filled,
    PauseRequested,
    PriceSeen,
    Ready,
    Refusal,
    Refused,
    Report,
    Reported,
    RetryDue,
    RetryRequested,
    RulesRead,
    StartRequested,
    StopRequested,
    TimePassed,
)
from dcacore.domain.explain import explain
from dcacore.domain.ids import OrderId, TradeId
from dcacore.domain.limits import Limits
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import BaseQty, Price, plain
from dcacore.domain.orders import Fill, Order, Role, Side
from dcacore.domain.story import Note, tell
from dcacore.domain.strategy import Strategy
from tests.strategies import FREE, MARKET, NOON, new_bot

PAR: Final = Price(Decimal(100))


@attrs.define
class Desk:
    """A bot, the time, the price, and what the bot asked for last.

    Whatever it is told, it is told a second time on the side: that must not change anything more.
    """

    bot: Bot
    price: Price = PAR
    at: datetime.datetime = NOON
    asked: tuple[Command, ...] = ()
    ended: list[Deal] = attrs.field(factory=list)
    trades: int = 0
    notes: list[Note] = attrs.field(factory=list)

    @classmethod
    def of(cls, strategy: Strategy, market: Market = MARKET, fees: Fees = FREE) -> Desk:
        """Return the desk of a bot that has never run."""
        return cls(new_bot(strategy, market, fees))

    @classmethod
    def started(cls, strategy: Strategy, market: Market = MARKET, fees: Fees = FREE, price: str = "100") -> Desk:
        """Return the desk of a bot that has just planned its first base order, if it may."""
        desk = cls.of(strategy, market, fees)
        desk.price = Price(Decimal(price))
        desk.start()
        desk.ready()
        return desk

    @classmethod
    def in_position(cls, strategy: Strategy, market: Market = MARKET, fees: Fees = FREE, price: str = "100") -> Desk:
        """Return the desk of a bot whose base order has filled and whose other orders rest."""
        desk = cls.started(strategy, market, fees, price)
        desk.fill(desk.placed[0])
        desk.accept_all()
        return desk

    # ------------------------------------------------------------------------------------------------- what is said

    def tell(self, event: Event) -> tuple[Command, ...]:
        """Let the bot decide on *event*, and return what it asks for."""
        decision = decide(self.bot, event)
        with contextlib.suppress(NotNow):  # what a user asks for twice may be refused the second time
            again = decide(decision.bot, event)
            assert again.bot == decision.bot
            assert again.commands == ()
        self.notes.extend(tell(self.bot, event, decision))
        assert explain(decision.bot) or decision.bot.deal is None
        self.bot, self.asked = decision.bot, decision.commands
        if decision.ended is not None:
            self.ended.append(decision.ended)
        return self.asked

    def start(self) -> None:
        """The user wants it to run."""
        self.tell(StartRequested(self.at, self.price))

    def ready(self) -> None:
        """Its checks are done."""
        self.tell(Ready(self.at, self.price))

    def pause(self) -> None:
        """The user wants no new deal."""
        self.tell(PauseRequested(self.at, self.price))

    def stop(self, *, sell: bool = False) -> None:
        """The user ends it."""
        self.tell(StopRequested(self.at, self.price, sell))

    def retry(self) -> None:
        """The user has seen to its trouble."""
        self.tell(RetryRequested(self.at, self.price))

    def close_deal(self) -> None:
        """The user wants the deal's coins sold now."""
        self.tell(CloseDealRequested(self.at, self.price))

    def close_as_sold(self, sold_at: str) -> None:
        """The user has sold the deal's coins by hand."""
        self.tell(CloseAsSoldRequested(at=self.at, price=self.price, sold_at=sold_at))

    def cancel_deal(self) -> None:
        """The user wants the deal's orders gone, and keeps its coins."""
        self.tell(CancelDealRequested(self.at, self.price))

    def add_funds(self, amount: str) -> None:
        """The user wants more bought now."""
        self.tell(AddFundsRequested(at=self.at, price=self.price, amount=amount))

    def edit_deal(self, **changes: Any) -> None:
        """The user changes the open deal."""
        self.tell(EditDealRequested(at=self.at, price=self.price, **changes))

    def edit_bot(self, strategy: Strategy, market: Market | None = None) -> None:
        """The user changes the bot."""
        self.tell(EditBotRequested(at=self.at, price=self.price, strategy=strategy, market=market))

    def read_rules(self, market: Market, fees: Fees = FREE, limits: Limits | None = None) -> None:
        """The engine has asked for the pair's rules."""
        self.tell(RulesRead(at=self.at, price=self.price, market=market, fees=fees, limits=limits))

    def adopt(self, *orders: Order) -> None:
        """The exchange has orders that the deal does not know."""
        self.report(*map(Adopted, orders))

    def retry_due(self) -> None:
        """What it waits for may have come."""
        self.tell(RetryDue(self.at, self.price))

    def restart_engine(self) -> None:
        """The engine comes up again."""
        self.tell(EngineStarted(self.at, self.price))

    def see(self, price: str) -> None:
        """The market moves to *price*."""
        self.price = Price(Decimal(price))
        self.tell(PriceSeen(self.at, self.price))

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.at += datetime.timedelta(seconds=seconds)
        self.tell(TimePassed(self.at, self.price))

    def report(self, *reports: Report) -> None:
        """The exchange says something, all at once."""
        self.tell(Reported(self.at, self.price, reports))

    def accept_all(self) -> None:
        """The exchange takes what the bot asked for last."""
        self.report(*(Accepted(order.id) for order in self.placed))

    def fill(self, order: Order, quantity: str | None = None, price: str | None = None) -> None:
        """The order fills, whole unless *quantity* says how much, at its own price or the market's."""
        self.report(self.filling(order, quantity, price))

    def filling(self, order: Order, quantity: str | None = None, price: str | None = None) -> Filled:
        """Return the report of a fill, fees as the bot's account has them."""
        now = self.order(order)
        amount = now.remaining if quantity is None else BaseQty(Decimal(quantity))
        paid = (now.price or self.price) if price is None else Price(Decimal(price))
        fees = self.bot.fees
        rate = fees.fee_taker if order.price is None else fees.fee_maker
        base_fee, quote_fee = fees.of_buy(paid, amount, rate)
        if order.side is Side.SELL:
            base_fee, quote_fee = BaseQty(Decimal(0)), fees.of_sell(paid, amount, rate)
        self.trades += 1
        trade = TradeId(f"trade {self.trades}")
        fill = Fill(trade_id=trade, at=self.at, price=paid, quantity=amount, base_fee=base_fee, quote_fee=quote_fee)
        return Filled(order.id, fill)

    def refuse(self, order: Order, refusal: Refusal, reason: str = "no") -> None:
        """The exchange does not take the order."""
        self.report(Refused(order.id, refusal, reason))

    def cancel_all(self) -> None:
        """The exchange does the cancels that the bot asked for last."""
        orders = [self.deal.orders[order_id] for order_id in self.canceled]
        self.report(*(Canceled(order.id, order.filled) for order in orders))

    def cancel(self, order: Order, executed: str | None = None) -> None:
        """The exchange takes the order off, and says how much of it had filled."""
        self.report(Canceled(order.id, self.order(order).filled if executed is None else BaseQty(Decimal(executed))))

    def expire(self, order: Order, executed: str = "0") -> None:
        """A market order finds too few to trade with."""
        self.report(Expired(order.id, BaseQty(Decimal(executed))))

    # ------------------------------------------------------------------------------------------------- what is there

    @property
    def deal(self) -> Deal:
        """The open deal; there must be one."""
        assert self.bot.deal is not None
        return self.bot.deal

    @property
    def state(self) -> str:
        """What its user sees."""
        return shown_state(self.bot)

    def reason(self) -> str | None:
        """What keeps the bot from going on, in words; None when nothing does."""
        return None if self.bot.trouble is None else self.bot.trouble.reason

    @property
    def placed(self) -> list[Order]:
        """The orders it asked to place last."""
        return [command.order for command in self.asked if isinstance(command, Place)]

    @property
    def canceled(self) -> list[OrderId]:
        """The ids of the orders it asked to cancel last."""
        return [command.order_id for command in self.asked if isinstance(command, Cancel)]

    def order(self, order: Order) -> Order:
        """Return *order* as the deal has it now."""
        return self.deal.orders[order.id]

    def live(self, role: Role) -> list[Order]:
        """Return the orders for *role* that may still fill."""
        return [order for order in self.deal.live_orders if order.role is role]

    def peak(self) -> Price | None:
        """The highest price since the trail was armed."""
        return self.deal.peak

    @property
    def safety_orders(self) -> list[Order]:
        """The safety orders that may still fill."""
        return self.live(Role.SAFETY)

    @property
    def take_profit(self) -> Order:
        """The take profit that may still fill; there must be exactly one."""
        (order,) = self.live(Role.TAKE_PROFIT)
        return order


def described(orders: list[Order]) -> list[tuple[str, str, str]]:
    """Return role, price and quantity of each order, as text."""
    return [
        (order.role.value, "market" if order.price is None else plain(order.price), plain(order.quantity))
        for order in orders
    ]
