"""`decide`: the one function by which every bot acts, live, on paper and in a backtest."""

from __future__ import annotations

from typing import assert_never

import attrs

from dcacore.domain.bot import Bot, Phase, Step, TroubleKind, Wanted
from dcacore.domain.commands import Command
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.events import (
    AttentionNeeded,
    CoinsMissing,
    Cured,
    EditBotRequested,
    EngineStarted,
    Event,
    ExchangeReset,
    Failed,
    PauseRequested,
    PriceSeen,
    PricesSilent,
    Ready,
    Reported,
    Request,
    RetryDue,
    RetryRequested,
    RulesRead,
    StartRequested,
    StopRequested,
    TimePassed,
    Told,
)
from dcacore.domain.evolving import evolve
from dcacore.domain.gone import lose, write_off
from dcacore.domain.learn import learn
from dcacore.domain.money import exact
from dcacore.domain.requests import edit_bot, end_for_user, heed_rules, obey_for_deal
from dcacore.domain.rounds import act
from dcacore.domain.turn import Turn


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

    A pure function: the same bot and event give the same decision. The same event a second time changes nothing, or is
    refused with `NotNow`.
    An order that it places is in the bot's deal already, as `planned`; nothing goes out for it a second time.

    Raises:
        IllegalTransition: a report says what cannot be of an order, such as a fill of one that was refused.
        NotNow: what the user asks for cannot be done as the bot stands.
        InvalidParameter: what the user asks for breaks the rule of a parameter.
    """
    turn = _begin(bot, event)
    match event:
        case Reported():
            if turn.deal is not None:
                turn.deal = learn(turn, turn.deal, event.reports)
        case PriceSeen() | TimePassed():
            pass
        case RetryDue():
            turn.stop_waiting()
            turn.bot = evolve(turn.bot, awaits_price=False)
        case (
            EngineStarted()
            | Ready()
            | AttentionNeeded()
            | CoinsMissing()
            | ExchangeReset()
            | Failed()
            | Cured()
            | PricesSilent()
            | RulesRead()
        ):
            _hear(turn, event)
        case _:
            _obey(turn, event)
    act(turn)
    return Decision(evolve(turn.bot, deal=turn.deal, price=turn.price), tuple(turn.commands), turn.ended)


def _begin(bot: Bot, event: Event) -> Turn:
    deal = bot.deal
    price = bot.price if event.price is None else event.price
    if deal is not None and not deal.has_moved and price != deal.opened_price:
        deal = evolve(deal, has_moved=True)
    if bot.holds:
        holds = (attrs.evolve(it, is_over=it.is_over or event.at >= it.until) for it in bot.holds)
        bot = evolve(bot, holds=tuple(holds))
    if bot.is_price_old and event.price is not None:
        bot = evolve(bot, is_price_old=False)
    return Turn(at=event.at, price=price, bot=bot, deal=deal)


def _hear(turn: Turn, told: Told) -> None:
    match told:
        case EngineStarted():
            if turn.bot.phase is not Phase.STOPPED:
                turn.step(Step.START)
        case Ready():
            _ready(turn)
        case CoinsMissing():
            write_off(turn, told)
        case ExchangeReset():
            lose(turn, told)
        case PricesSilent():
            turn.bot = evolve(turn.bot, is_price_old=True)
        case RulesRead():
            heed_rules(turn, told)
        case _:
            _hear_of_trouble(turn, told)


def _hear_of_trouble(turn: Turn, told: AttentionNeeded | Failed | Cured) -> None:
    match told:
        case AttentionNeeded():
            turn.note_trouble(TroubleKind.NEEDS_ATTENTION, told.reason, told.cure)
        case Failed():
            turn.note_trouble(TroubleKind.ERROR, told.reason)
        case Cured():
            if turn.bot.trouble is not None and turn.bot.trouble.cure is told.cure:
                turn.bot = evolve(turn.bot, trouble=None)
        case _:
            assert_never(told)


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
            turn.bot = evolve(turn.bot, holds=())
        case EditBotRequested():
            edit_bot(turn, request)
        case _:
            obey_for_deal(turn, request)


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
    if turn.deal is None:
        turn.step(Step.STOP)
    else:
        end_for_user(turn, turn.deal, Exit.CLOSE if sell else Exit.CANCEL)
