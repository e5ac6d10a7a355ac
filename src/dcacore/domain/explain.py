"""`explain`: what a bot waits for, and the next prices that make it act. The answer to "why is it doing nothing?"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dcacore.domain.bot import Bot, Cure, Phase, Trouble, TroubleKind, Wanted
from dcacore.domain.deal import AT_MARKET, Deal
from dcacore.domain.ladder import trailing_exit_price
from dcacore.domain.money import Price, exact, plain
from dcacore.domain.orders import Order, OrderState, Role, Side
from dcacore.domain.watch import held_rung, held_target, watches
from dcacore.domain.words import EXIT_WORDS, clock, describe, describe_in, in_base

_TROUBLES: Final = {
    TroubleKind.WAITING_FOR_BALANCE: "It waits for balance",
    TroubleKind.NEEDS_ATTENTION: "It needs attention",
    TroubleKind.ERROR: "It is in error",
}

_CURES: Final = {
    Cure.USER: "Nothing is placed until you have seen to it and said retry.",
    Cure.BALANCE: "Buys are tried again when the free balance suffices; sells go on.",
    Cure.TRADING: "It goes on by itself when the exchange trades the pair again.",
    Cure.HOLDINGS: "It goes on by itself when the coins are there again; or close the deal as sold, or cancel it.",
    Cure.COINS: "Nothing is placed until you have seen to it and said retry; a little that is missing is written off.",
    Cure.CREDENTIALS: "It goes on by itself when a key that works is stored.",
}

_WANTED: Final = {
    (Wanted.PAUSE, False): "It is paused: no new deal starts before you start it.",
    (Wanted.PAUSE, True): "It is paused: the open deal is managed to its end, and no new one starts.",
    (Wanted.STOP, True): "It stops when its deal has ended.",
}


@exact
def explain(bot: Bot) -> tuple[str, ...]:
    """Return what keeps *bot* from acting and what will make it act, in sentences, the weightiest first."""
    return tuple(_explain(bot))


def _explain(bot: Bot) -> Iterator[str]:
    if bot.trouble is not None:
        yield from _of_trouble(bot.trouble)
    wanted = _WANTED.get((bot.wanted, bot.deal is not None))
    if wanted is not None:
        yield wanted
    if bot.deal is not None:
        yield from _of_answers(bot.deal)
    match bot.phase:
        case Phase.STOPPED:
            yield "It is stopped: start it to open a deal."
        case Phase.STARTING:
            yield "It is starting: its orders are being compared with the exchange's."
        case Phase.MONITORING if bot.wanted is Wanted.RUN:
            yield from _of_monitoring(bot)
        case Phase.IN_POSITION if bot.deal is not None:
            yield from _of_position(bot, bot.deal)
            yield from _of_holding_back(bot, bot.deal)
        case Phase.CLOSING if bot.deal is not None:
            yield from _of_closing(bot.deal)
        case _:
            pass


def _of_trouble(trouble: Trouble) -> Iterator[str]:
    yield f"{_TROUBLES[trouble.kind]}: {trouble.reason}."
    yield _CURES[trouble.cure]


def _of_answers(deal: Deal) -> Iterator[str]:
    for order in deal.live_orders:
        if order.state is OrderState.UNKNOWN:
            yield f"It waits for the exchange to confirm order {order.id} ({describe(order)}): its answer was lost."
        elif order.executed is not None:
            yield f"It waits for the last fills of order {order.id} ({describe(order)})."
        elif order.state is OrderState.PLANNED or order.price is None:
            yield f"It waits for the exchange's answer to order {order.id} ({describe(order)})."


def _of_monitoring(bot: Bot) -> Iterator[str]:
    if bot.price is None:
        yield "It waits for the first price."
    elif bot.is_price_old:
        yield "It waits for a price: none has come lately."
    if bot.resume_at is not None:
        yield f"It cools down until {clock(bot.resume_at)}; then the next deal opens."
    if bot.awaits_price and bot.price is not None:
        yield (
            f"It opens the next deal when the price is another than {plain(bot.price)}: the last one ended before the "
            "price had moved, or a base order is too small at this price."
        )


# ---------------------------------------------------------------------------------------------------------- open deals


def _of_position(bot: Bot, deal: Deal) -> Iterator[str]:
    resting = _resting(deal)
    for order, price in resting:
        if order.side is Side.SELL:
            yield f"It sells {_rest(deal, order)} when the price rises to {plain(price)}."
    yield from _of_trail(deal)
    if deal.stop_loss_price is not None:
        yield f"It sells everything at market when the price falls to {plain(deal.stop_loss_price)} (stop loss)."
    yield from _of_buys(deal, [(order, price) for order, price in resting if order.role is Role.SAFETY])
    if deal.is_too_small_to_sell:
        least = deal.market.least_price(deal.sellable)
        until = "a safety order has filled" if least is None else f"the price has risen to {plain(least)}"
        yield f"It holds {in_base(deal.market, deal.books.net)}, too little for the market to take before {until}."
    lifted = watches(bot).rises_to
    if lifted is not None and lifted != deal.take_profit_price:
        yield f"An exit whose price has passed waits for {plain(lifted)}, from where what is held is worth selling."
    if deal.retarget_at is not None:
        yield f"A buy is filling: the target follows when it is done, or at {clock(deal.retarget_at)}."


def _resting(deal: Deal) -> list[tuple[Order, Price]]:
    """Return the limit orders that the exchange has, each with its price, the nearest safety order first."""
    orders = sorted(deal.live_orders, key=lambda order: order.rung)
    return [(order, order.price) for order in orders if order.state is OrderState.OPEN and order.price is not None]


def _rest(deal: Deal, order: Order) -> str:
    coming_off = ", which is being taken off" if order.is_cancelling else ""
    return f"{in_base(deal.market, order.remaining)} ({describe(order)}{coming_off})"


def _of_trail(deal: Deal) -> Iterator[str]:
    if not deal.strategy.trailing_deviation or deal.take_profit_price is None:
        return
    if deal.peak is None:
        yield f"Its trail arms when the price rises to {plain(deal.take_profit_price)}."
    else:
        exit_price = plain(trailing_exit_price(deal.strategy, deal.market, deal.peak))
        yield f"It trails a peak of {plain(deal.peak)}: it sells at market when the price falls to {exit_price}."


def _of_buys(deal: Deal, resting: list[tuple[Order, Price]]) -> Iterator[str]:
    for order, price in resting[:1]:
        name = describe_in(deal, order)
        yield f"It buys {in_base(deal.market, order.remaining)} when the price falls to {plain(price)} ({name})."
    if len(resting) == 2:  # noqa: PLR2004  # the nearest, and one
        yield f"1 more safety order rests below, at {plain(resting[-1][1])}."
    elif resting[1:]:
        yield f"{len(resting) - 1} more safety orders rest below, down to {plain(resting[-1][1])}."
    if len(deal.waiting) == 1:
        yield f"1 safety order waits to be placed, at {plain(deal.waiting[0].price)}."
    elif deal.waiting:
        yield f"{len(deal.waiting)} safety orders wait to be placed, the next at {plain(deal.waiting[0].price)}."
    elif not resting:
        yield "It has no safety order left."


def _of_holding_back(bot: Bot, deal: Deal) -> Iterator[str]:
    for hold in bot.holds:
        if not hold.is_over:
            what = "safety orders" if hold.side is Side.BUY else "its take profit order"
            yield f"It holds {what} back until {clock(hold.until)}: {hold.reason}."
    if (why := held_rung(bot, deal)) is not None:
        yield f"It holds safety orders back: {why}."
    if (why := held_target(bot, deal)) is not None:
        yield f"It holds its take profit order back, which {why}."


def _of_closing(deal: Deal) -> Iterator[str]:
    if deal.exit is not None:
        yield f"Its deal is being closed by {EXIT_WORDS[deal.exit]}."
    coming_off = [describe(order) for order, _ in _resting(deal) if order.is_cancelling]
    if coming_off:
        yield f"It waits for these orders to come off the exchange: {', '.join(coming_off)}."
    elif deal.exit in AT_MARKET and not deal.live_orders and deal.sellable:
        yield "It sells what it holds at market."
