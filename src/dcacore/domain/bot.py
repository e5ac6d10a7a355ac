"""A bot: what its user wants of it, the phase it is in, what troubles it, and its open deal."""

from __future__ import annotations

import datetime
from enum import Enum
from typing import Final

import attrs

from dcacore.domain.books import NOTHING_CARRIED, Carried
from dcacore.domain.deal import Deal
from dcacore.domain.errors import IllegalTransition
from dcacore.domain.ids import BotId
from dcacore.domain.limits import Limits
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import NO_QUOTE, Price, QuoteAmount
from dcacore.domain.orders import Side
from dcacore.domain.strategy import Strategy


class Wanted(Enum):
    """What the user wants of a bot."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"


class Phase(Enum):
    """Where a bot is in its round."""

    STOPPED = "stopped"
    STARTING = "starting"  # checks and reconciliation
    MONITORING = "monitoring"  # runs, no deal: cooldown or first price
    PLACING_ORDER = "placing_order"  # base order planned or on its way
    IN_POSITION = "in_position"  # coins held, orders managed
    CLOSING = "closing"  # exit or cancels on their way


class Step(Enum):
    """What moves a bot from phase to phase."""

    START = "start"
    CHECKED = "checked, no deal"
    CHECKED_BASE_ORDER = "checked, base order on its way"
    CHECKED_DEAL = "checked, deal open"
    CHECKED_EXIT = "checked, exit on its way"
    PLAN_BASE_ORDER = "plan base order"
    BASE_ORDER_FILLED = "base order filled"
    BASE_ORDER_FAILED = "base order failed"
    EXIT = "exit"
    COINS_LEFT = "coins left"
    DEAL_ENDED = "deal ended"
    STOP = "stop"


_P = Phase
PHASE_TRANSITIONS: Final[dict[tuple[Phase, Step], Phase]] = {
    (_P.STOPPED, Step.START): _P.STARTING,
    # The engine takes up a bot that ran when it went down: the same checks, from wherever the bot was.
    (_P.STARTING, Step.START): _P.STARTING,
    (_P.MONITORING, Step.START): _P.STARTING,
    (_P.PLACING_ORDER, Step.START): _P.STARTING,
    (_P.IN_POSITION, Step.START): _P.STARTING,
    (_P.CLOSING, Step.START): _P.STARTING,
    (_P.STARTING, Step.CHECKED): _P.MONITORING,
    (_P.STARTING, Step.CHECKED_BASE_ORDER): _P.PLACING_ORDER,
    (_P.STARTING, Step.CHECKED_DEAL): _P.IN_POSITION,
    (_P.STARTING, Step.CHECKED_EXIT): _P.CLOSING,
    (_P.MONITORING, Step.PLAN_BASE_ORDER): _P.PLACING_ORDER,
    (_P.PLACING_ORDER, Step.BASE_ORDER_FILLED): _P.IN_POSITION,
    (_P.PLACING_ORDER, Step.BASE_ORDER_FAILED): _P.MONITORING,
    (_P.PLACING_ORDER, Step.EXIT): _P.CLOSING,  # the user stops the bot while the base order is on its way
    (_P.IN_POSITION, Step.EXIT): _P.CLOSING,
    (_P.CLOSING, Step.COINS_LEFT): _P.IN_POSITION,  # a safety order filled before its cancel came through
    (_P.CLOSING, Step.DEAL_ENDED): _P.MONITORING,
    (_P.STARTING, Step.STOP): _P.STOPPED,
    (_P.MONITORING, Step.STOP): _P.STOPPED,
    (_P.STOPPED, Step.STOP): _P.STOPPED,
}


def advance(phase: Phase, step: Step) -> Phase:
    """Return the phase after *step*.

    Raises:
        IllegalTransition: the table does not list the step for this phase.
    """
    after = PHASE_TRANSITIONS.get((phase, step))
    if after is None:
        raise IllegalTransition(f"the bot is {phase.value}", step.value)
    return after


class TroubleKind(Enum):
    """What keeps a bot from going on."""

    WAITING_FOR_BALANCE = "waiting_for_balance"  # buys wait; an exit goes on
    NEEDS_ATTENTION = "needs_attention"  # the user must look; nothing is placed
    ERROR = "error"  # the exchange refused an order for a reason that waiting does not cure; nothing is placed


class Cure(Enum):
    """What ends a trouble, besides a retry that the user asks for."""

    USER = "user"  # nothing else: the user must look
    BALANCE = "balance"  # enough free balance for the next buy
    TRADING = "trading"  # the pair trades again
    HOLDINGS = "holdings"  # the account holds again what the deals have bought
    COINS = "coins"  # its user, as above; or what little is missing is written off
    CREDENTIALS = "credentials"  # a key that works is stored


@attrs.frozen
class Trouble:
    """What keeps a bot from going on, and why, in words for its user.

    Attributes:
        kind: how bad it is.
        reason: a sentence for the user.
        cure: what ends it, besides a retry.
    """

    kind: TroubleKind
    reason: str
    cure: Cure = Cure.USER

    @property
    def weight(self) -> int:
        """How much it asks of the user: nothing while it waits for balance, most when nothing else cures it."""
        if self.kind is TroubleKind.WAITING_FOR_BALANCE:
            return 0
        return 2 if self.cure in {Cure.USER, Cure.COINS} else 1


@attrs.frozen
class Hold:
    """Limit orders of one side that the exchange does not take for now; exits at market are not held.

    Attributes:
        side: which.
        until: when they are tried again.
        pause: how long that is; when it is refused again soon, the next one is longer.
        reason: why, in words for the user.
        is_over: whether that time has come.
    """

    side: Side
    until: datetime.datetime
    pause: datetime.timedelta
    reason: str
    is_over: bool = False


@attrs.frozen(kw_only=True, slots=False)  # see `evolving`
class Bot:
    """One bot with its open deal, complete: with the same bot and event, `decide` always decides the same.

    Attributes:
        id: names the bot; the ids of its deals and orders begin with it.
        strategy: the parameters for its next deal.
        market: the pair's rules.
        fees: what the account pays.
        wanted: what the user wants.
        stop_sells: whether the user who stopped it wants its coins sold.
        phase: where it is in its round.
        trouble: what keeps it from going on; None while nothing does.
        deal: the open deal.
        carried: what the last deal could not sell.
        deals_started: numbers the deals.
        deals_closed: counts the closed ones.
        closed_before: how many had been closed when the user last started it; `max_deals` counts from there.
        profit: sum of the closed deals' profits.
        price: the last price it has been told.
        is_price_old: whether the market may stand elsewhere by now: prices have fallen silent. Until the next one it
            buys and sells nothing at market of its own accord. Not stored: whoever takes it up tells it a price.
        resume_at: the end of its cooldown.
        awaits_price: whether it tries to open a deal again only when the price has changed.
        limits: how far the exchange lets its orders go; None while that is not known, and in a backtest. Not stored.
        holds: what it does not try for now, at most one of a side. Not stored: whoever takes it up tries once.
        order_prefix: what the ids of its orders begin with, so that they can be told from anybody else's; empty in a
            backtest.
    """

    id: BotId
    strategy: Strategy
    market: Market
    fees: Fees
    wanted: Wanted = Wanted.STOP
    stop_sells: bool = False
    phase: Phase = Phase.STOPPED
    trouble: Trouble | None = None
    deal: Deal | None = None
    carried: Carried = NOTHING_CARRIED
    deals_started: int = 0
    deals_closed: int = 0
    closed_before: int = 0
    profit: QuoteAmount = NO_QUOTE
    price: Price | None = None
    resume_at: datetime.datetime | None = None
    awaits_price: bool = False
    is_price_old: bool = False
    limits: Limits | None = None
    holds: tuple[Hold, ...] = ()
    order_prefix: str = ""

    def hold(self, side: Side) -> Hold | None:
        """Return what keeps limit orders of *side* back; None when nothing does."""
        return next((hold for hold in self.holds if hold.side is side and not hold.is_over), None)


def shown_state(bot: Bot) -> str:
    """Return the one word that tells a user how the bot is: its trouble, else what is wanted, else its phase.

    One of error, needs_attention, waiting_for_balance, paused, stopped, starting, monitoring, placing_order,
    in_position, closing.
    """
    return state_shown(bot.trouble, bot.wanted, bot.phase)


def state_shown(trouble: Trouble | None, wanted: Wanted, phase: Phase) -> str:
    """Return the same of a bot of which only these are known."""
    if trouble is not None:
        return trouble.kind.value
    if wanted is Wanted.PAUSE:
        return "paused"
    return phase.value
