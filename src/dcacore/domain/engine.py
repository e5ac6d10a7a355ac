"""`decide`: the one function by which every bot acts, live, on paper and in a backtest."""

from __future__ import annotations

from typing import assert_never

import attrs

from dcacore.domain.bot import Bot, Phase, Step, TroubleKind, Wanted
from dcacore.domain.commands import Command
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.events import (
    AttentionNeeded,
    EngineStarted,
    Event,
    PauseRequested,
    PriceSeen,
    Ready,
    Reported,
    Request,
    RetryDue,
    RetryRequested,
    StartRequested,
    StopRequested,
    TimePassed,
)
from dcacore.domain.evolving import evolve
from dcacore.domain.learn import learn
from dcacore.domain.money import exact
from dcacore.domain.rounds import act, begin_exit
from dcacore.domain.turn import Turn, live_sells


@attrs.frozen
class Decision:
    """What comes of an event.

    Attributes:
        bot: the bot after it.
        commands: what is to be done, in this order.
        ended: the deal that ended with it, with its result.
    """

    bot: Bot
    commands: tuple[Command, ...] = ()
    ended: Deal | None = None


@exact
def decide(bot: Bot, event: Event) -> Decision:
    """Return the bot after *event*, and what is to be done.

    A pure function: the same bot and event give the same decision. The same event a second time changes nothing.
    An order that it places is in the bot's deal already, as `planned`; nothing goes out for it a second time.

    Raises:
        IllegalTransition: a report says what cannot be of an order, such as a fill of one that was refused.
    """
    turn = _begin(bot, event)
    match event:
        case Reported():
            if turn.deal is not None:
                turn.deal = learn(turn, turn.deal, event.reports)
        case RetryDue():
            turn.stop_waiting()
            turn.bot = evolve(turn.bot, awaits_price=False)
        case AttentionNeeded():
            turn.note_trouble(TroubleKind.NEEDS_ATTENTION, event.reason)
        case EngineStarted():
            if turn.bot.phase is not Phase.STOPPED:
                turn.step(Step.START)
        case Ready():
            _ready(turn)
        case PriceSeen() | TimePassed():
            pass
        case _:
            _obey(turn, event)
    act(turn)
    return Decision(evolve(turn.bot, deal=turn.deal, price=turn.price), tuple(turn.commands), turn.ended)


def _begin(bot: Bot, event: Event) -> Turn:
    deal = bot.deal
    price = bot.price if event.price is None else event.price
    if deal is not None and not deal.has_moved and price != deal.opened_price:
        deal = evolve(deal, has_moved=True)
    return Turn(at=event.at, price=price, bot=bot, deal=deal)


def _obey(turn: Turn, request: Request) -> None:
    match request:
        case StartRequested():
            _start(turn)
        case PauseRequested():
            turn.bot = evolve(turn.bot, wanted=Wanted.PAUSE)
        case StopRequested():
            _stop(turn, sell=request.sell)
        case RetryRequested():
            if turn.bot.trouble is not None:
                turn.bot = evolve(turn.bot, trouble=None, awaits_price=False)
        case _:
            assert_never(request)


def _start(turn: Turn) -> None:
    if turn.bot.phase is Phase.STOPPED:
        turn.bot = evolve(
            turn.bot, closed_before=turn.bot.deals_closed, trouble=None, awaits_price=False, resume_at=None
        )
        turn.step(Step.START)
    turn.bot = evolve(turn.bot, wanted=Wanted.RUN)


def _ready(turn: Turn) -> None:
    if turn.bot.phase is not Phase.STARTING:
        return
    deal = turn.deal
    if deal is None:
        turn.step(Step.CHECKED)
    elif deal.exit is not None:
        turn.step(Step.CHECKED_EXIT)
    elif deal.reference is None:
        turn.step(Step.CHECKED_BASE_ORDER)
    else:
        turn.step(Step.CHECKED_DEAL)


def _stop(turn: Turn, *, sell: bool) -> None:
    turn.bot = evolve(turn.bot, wanted=Wanted.STOP, stop_sells=sell, trouble=None)
    deal, reason = turn.deal, Exit.CLOSE if sell else Exit.CANCEL
    if deal is None:
        turn.step(Step.STOP)
    elif deal.exit in {Exit.CLOSE, Exit.CANCEL}:
        if not any(order.price is None for order in live_sells(deal)):  # the sale has not gone out yet
            turn.deal = evolve(deal, exit=reason)
    elif deal.exit is None:
        if turn.bot.phase is Phase.STARTING or turn.price is None:
            turn.deal = evolve(deal, exit=reason)
        else:
            begin_exit(turn, deal, reason, turn.price)
