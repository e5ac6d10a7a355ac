"""One turn of `decide`: the bot as it becomes while an event is worked in. It never leaves the domain."""

from __future__ import annotations

import datetime
import itertools
from typing import Final

import attrs

from dcacore.domain.bot import Bot, Cure, Hold, Step, Trouble, TroubleKind, advance
from dcacore.domain.commands import Cancel, Command, Place
from dcacore.domain.deal import Deal
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import order_id
from dcacore.domain.ladder import Rung
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Order, Side
from dcacore.domain.roles import BUYS, LEGS, Role

FIRST_PAUSE: Final = datetime.timedelta(minutes=15)
"""How long what the exchange does not take for now is left alone, longer than the average lasts that it goes by ..."""
LONGEST_PAUSE: Final = datetime.timedelta(hours=1)
"""... and how long at most, when it is refused again and again."""


@attrs.define
class Turn:
    """What has been settled so far, and what goes out.

    Attributes:
        at: the event's time.
        price: where the market stands.
        bot: the bot; its deal is kept apart, below, until the turn is over.
        deal: the open deal.
        commands: what goes out, in order.
        ended: the deal that ended in this turn.
        has_freed: whether a sell has come off that was to make room for another one.
    """

    at: datetime.datetime
    price: Price | None
    bot: Bot
    deal: Deal | None
    commands: list[Command] = attrs.field(factory=list)
    ended: Deal | None = None
    has_freed: bool = False

    def step(self, step: Step) -> None:
        """Move the bot to its next phase."""
        self.bot = evolve(self.bot, phase=advance(self.bot.phase, step))

    def note_trouble(self, kind: TroubleKind, reason: str, cure: Cure = Cure.USER) -> None:
        """Note what keeps the bot from going on; what asks more of the user is not covered by what asks less."""
        trouble, now = Trouble(kind, reason, cure), self.bot.trouble
        if now is None or now.kind is TroubleKind.WAITING_FOR_BALANCE or trouble.weight > now.weight:
            self.bot = evolve(self.bot, trouble=trouble)

    def stop_waiting(self) -> None:
        """Let buys be tried again."""
        trouble = self.bot.trouble
        if trouble is not None and trouble.kind is TroubleKind.WAITING_FOR_BALANCE:
            self.bot = evolve(self.bot, trouble=None)

    def hold_back(self, side: Side, reason: str) -> None:
        """Try no limit orders of *side* for a while: the exchange does not take them now."""
        last = next((hold for hold in self.bot.holds if hold.side is side), None)
        pause = FIRST_PAUSE
        if last is not None and self.at - last.until <= last.pause:
            pause = min(2 * last.pause, LONGEST_PAUSE)
        others = tuple(hold for hold in self.bot.holds if hold.side is not side)
        self.bot = evolve(self.bot, holds=(*others, Hold(side, self.at + pause, pause, reason)))


def place(turn: Turn, deal: Deal, role: Role, quantity: BaseQty, price: Price | None = None) -> Deal:
    """Plan an order, market when *price* is None, and return the deal with it."""
    order = Order(
        id=order_id(deal.id, LEGS[role], deal.attempts + 1, turn.bot.order_prefix),
        side=Side.BUY if role in BUYS else Side.SELL,
        role=role,
        quantity=quantity,
        price=price,
    )
    turn.commands.append(Place(order))
    return evolve(deal, orders={**deal.orders, order.id: order}, attempts=deal.attempts + 1)


def next_rungs(deal: Deal) -> tuple[Rung, ...]:
    """Return the rungs that wait and may rest beside those that do, the nearest first."""
    if not deal.waiting:
        return ()
    resting = sum([order.role is Role.SAFETY and order.is_live for order in deal.orders.values()])
    return deal.waiting[: max(0, deal.strategy.resting_limit - resting)]


def place_rungs(turn: Turn, deal: Deal, count: int) -> Deal:
    """Plan safety orders for the nearest *count* rungs that have none, and return the deal with them.

    What the exchange would not take now stays behind, with all that lies below it.
    """
    leg, limits = LEGS[Role.SAFETY], turn.bot.limits
    if limits is not None or turn.bot.holds:
        count = min(count, takeable(turn.bot, deal, turn.price))
    orders = [
        Order(
            id=order_id(deal.id, f"{leg}{rung.number}", attempt, turn.bot.order_prefix),
            side=Side.BUY,
            role=Role.SAFETY,
            quantity=rung.quantity,
            price=limit_price(turn, deal, Side.BUY, rung.price),
            rung=rung.number,
            may_take=turn.price is not None and rung.price >= turn.price,
        )
        for attempt, rung in enumerate(deal.waiting[:count], start=deal.attempts + 1)
    ]
    turn.commands.extend(map(Place, orders))
    return evolve(
        deal,
        orders={**deal.orders, **{order.id: order for order in orders}},
        attempts=deal.attempts + len(orders),
        takers_at=turn.at if any(order.may_take for order in orders) else deal.takers_at,
        waiting=deal.waiting[len(orders) :],
    )


def takeable(bot: Bot, deal: Deal, price: Price | None) -> int:
    """Return how many of the rungs that wait the exchange would take now, the nearest first."""
    if bot.hold(Side.BUY) is not None:
        return 0
    limits = bot.limits
    if limits is None:
        return len(deal.waiting)
    taken = itertools.takewhile(
        lambda rung: limits.placeable(deal.market, Side.BUY, rung.price, rung.quantity, price), deal.waiting
    )
    return len(tuple(taken))


def takes_sell(bot: Bot, target: Price, price: Price | None) -> bool:
    """Say whether the exchange would take a limit sell at *target* now."""
    if bot.hold(Side.SELL) is not None:
        return False
    limits = bot.limits
    return limits is None or price is None or limits.too_far(Side.SELL, target, price) is None


def limit_price(turn: Turn, deal: Deal, side: Side, price: Price) -> Price:
    """Return the limit to send for an order at *price*: another one only where the market is far beyond it already."""
    limits = turn.bot.limits
    return price if limits is None else limits.brought_near(deal.market, side, price, turn.price)


def cancel(turn: Turn, deal: Deal, orders: tuple[Order, ...]) -> Deal:
    """Ask for the limit orders among *orders* to be taken off, each once, and return the deal with them marked."""
    asked = {
        order.id: evolve(order, is_cancelling=True)
        for order in orders
        if order.price is not None and not order.is_cancelling
    }
    if not asked:
        return deal
    turn.commands.extend(map(Cancel, asked))
    return evolve(deal, orders={**deal.orders, **asked})


def live_sells(deal: Deal) -> tuple[Order, ...]:
    """Return the sells that may still fill: they hold the base they would sell."""
    return tuple([order for order in deal.orders.values() if order.side is Side.SELL and order.is_live])
