"""What a user may ask of an open deal, and what he and the exchange may change about a bot while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, assert_never

import attrs

from dcacore.domain.books import NOTHING_CARRIED
from dcacore.domain.bot import Phase, TroubleKind
from dcacore.domain.deal import AT_MARKET, Deal, Exit
from dcacore.domain.errors import InvalidParameter, NotNow
from dcacore.domain.events import (
    AddFundsRequested,
    CancelDealRequested,
    CloseAsSoldRequested,
    CloseDealRequested,
    DealRequest,
    EditBotRequested,
    EditDealRequested,
    RulesRead,
)
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import DealId
from dcacore.domain.ladder import buy_quantity
from dcacore.domain.money import BaseQty, Price, plain
from dcacore.domain.orders import Role
from dcacore.domain.rounds import begin_exit
from dcacore.domain.strategy import Strategy
from dcacore.domain.turn import Turn, cancel, live_sells, place

_NOT_IN_POSITION: Final = {
    Phase.STARTING: "the bot is starting; ask again when its checks are done",
    Phase.CLOSING: "the deal is being closed",
}
_TURNS: Final[Mapping[Exit, frozenset[Exit]]] = {
    Exit.CLOSE: frozenset({Exit.CANCEL}),
    Exit.CANCEL: frozenset(AT_MARKET),
    # That the coins have been sold by hand is no wish but a fact: nothing takes it back.
    Exit.SOLD_BY_HAND: frozenset({*AT_MARKET, Exit.CANCEL}),
}
"""Which exits that have begun its user may still turn into another."""


def obey_for_deal(turn: Turn, request: DealRequest) -> None:
    """Do what the user asks of the open deal.

    Raises:
        NotNow: it cannot be done as the bot stands.
        InvalidParameter: a parameter breaks its rule.
    """
    deal = _meant(turn, request.deal_id)
    match request:
        case CloseDealRequested():
            _end(turn, deal, Exit.CLOSE)
        case CancelDealRequested():
            _end(turn, deal, Exit.CANCEL)
        case CloseAsSoldRequested():
            _close_as_sold(turn, deal, Price(request.sold_at))
        case AddFundsRequested():
            _add_funds(turn, deal, request.amount)
        case EditDealRequested():
            _edit_deal(turn, deal, request)
        case _:
            assert_never(request)


def _meant(turn: Turn, deal_id: DealId | None) -> Deal:
    deal = turn.deal
    if deal is None:
        message = "the bot has no open deal"
        raise NotNow(message)
    if deal_id is not None and deal_id != deal.id:
        message = f"deal {deal_id} is not open any more"
        raise NotNow(message)
    if deal.reference is None:
        message = "the deal is only opening: its base order is not done yet"
        raise NotNow(message)
    return deal


# ------------------------------------------------------------------------------------------------------ ending a deal


def end_for_user(turn: Turn, deal: Deal, reason: Exit) -> bool:
    """End the deal as its user wants it ended, and say whether that was still possible.

    What is being sold at market may still be kept as long as the sale has not gone out, and the other way round.
    """
    if deal.exit is None and turn.bot.phase is not Phase.STARTING and turn.price is not None:
        begin_exit(turn, deal, reason, turn.price)
    elif deal.exit is None or _may_turn(deal, reason):
        turn.deal = evolve(deal, exit=reason)  # while the bot is starting, its checks come first
    else:
        return deal.exit is reason
    return True


def _may_turn(deal: Deal, reason: Exit) -> bool:
    is_sold = deal.last_sell is not None and not deal.sellable
    return deal.exit in _TURNS[reason] and not is_sold and not any(order.price is None for order in live_sells(deal))


def _end(turn: Turn, deal: Deal, reason: Exit) -> None:
    if deal.exit is reason:
        return
    if reason is Exit.CLOSE and turn.price is not None and not deal.can_sell_at(turn.price):
        held = f"{plain(deal.books.net)} {deal.market.base_asset}"
        message = (
            f"the {held} that the deal holds are too little for the market at {plain(turn.price)}: cancel it instead"
        )
        raise NotNow(message)
    turn.bot = evolve(turn.bot, trouble=None)
    if not end_for_user(turn, deal, reason):
        message = "the deal is being closed already"
        raise NotNow(message)


def _close_as_sold(turn: Turn, deal: Deal, sold_at: Price) -> None:
    if deal.books.net <= 0:
        message = f"deal {deal.id} holds nothing that could have been sold by hand"
        raise NotNow(message)
    if deal.sold_by_hand is None:
        deal = evolve(deal, sold_by_hand=BaseQty(deal.books.net + deal.books.sold))
    deal = evolve(deal, sold_at=sold_at)
    if deal.exit is Exit.SOLD_BY_HAND:  # its orders are still coming off: the price may be put right
        turn.deal, turn.bot = deal, evolve(turn.bot, trouble=None)
    else:
        _end(turn, deal, Exit.SOLD_BY_HAND)


# --------------------------------------------------------------------------------------------------- changing a deal


def _check_in_position(turn: Turn) -> None:
    message = _NOT_IN_POSITION.get(turn.bot.phase)
    if message is not None:
        raise NotNow(message)


def _add_funds(turn: Turn, deal: Deal, amount: Decimal) -> None:
    _check_in_position(turn)
    trouble, price, market = turn.bot.trouble, turn.price, deal.market
    if trouble is not None and trouble.kind is not TroubleKind.WAITING_FOR_BALANCE:
        message = f"the bot has a trouble to be seen to first: {trouble.reason}"
        raise NotNow(message)
    if any(order.role is Role.EXTRA for order in deal.live_orders):
        message = "the extra buy before this one is still on its way"
        raise NotNow(message)
    if price is None:
        message = "the bot has not seen a price yet"
        raise NotNow(message)
    quantity = buy_quantity(deal.strategy, market, amount, price)
    if not market.allows(price, quantity):
        least = f"the market's least is {plain(market.min_quantity)} {market.base_asset} and "
        least += f"{plain(market.min_notional)} {market.quote_asset} an order"
        raise InvalidParameter(
            "amount", plain(amount), f"buys {plain(quantity)} {market.base_asset} at {plain(price)}; {least}"
        )
    turn.deal = place(turn, deal, Role.EXTRA, quantity)


def _edit_deal(turn: Turn, deal: Deal, request: EditDealRequested) -> None:
    _check_in_position(turn)
    strategy = _edited(deal.strategy, request)
    if strategy != deal.strategy:
        turn.deal = _take_off_surplus(turn, _aim_anew(turn, deal.rehung(strategy, deal.market), deal.strategy))


def _edited(old: Strategy, request: EditDealRequested) -> Strategy:
    active = old.active_safety_orders if request.active_safety_orders is None else request.active_safety_orders
    return attrs.evolve(
        old,
        take_profit=old.take_profit if request.take_profit is None else request.take_profit,
        stop_loss=old.stop_loss if request.stop_loss is None else request.stop_loss,
        trailing_deviation=old.trailing_deviation if request.trailing_deviation is None else request.trailing_deviation,
        max_safety_orders=old.max_safety_orders if request.max_safety_orders is None else request.max_safety_orders,
        active_safety_orders=active,
    )


def _aim_anew(turn: Turn, deal: Deal, old: Strategy) -> Deal:
    """Let target, trail and stop loss follow the deal's new parameters."""
    new = deal.strategy
    trails, trailed = bool(new.trailing_deviation), bool(old.trailing_deviation)
    if new.stop_loss != old.stop_loss:
        deal = evolve(deal, stop_loss_price=None)
    if new.take_profit != old.take_profit or trails is not trailed:
        deal = evolve(deal, take_profit_price=None, peak=None)
    return cancel(turn, deal, live_sells(deal)) if trails else deal


def _take_off_surplus(turn: Turn, deal: Deal) -> Deal:
    """Take off the safety orders that the deal no longer wants to rest, the farthest first."""
    resting = [order for order in deal.live_orders if order.role is Role.SAFETY and not order.is_cancelling]
    wanted = sorted(order.rung for order in resting if order.rung <= len(deal.rungs))[: deal.strategy.resting_limit]
    return cancel(turn, deal, tuple(order for order in resting if order.rung not in wanted))


# ------------------------------------------------------------------------------------------ changing what comes next


def edit_bot(turn: Turn, request: EditBotRequested) -> None:
    """Take new parameters for the bot's next deal.

    Raises:
        InvalidParameter: the pair is another than the market's, or may not change.
    """
    bot, strategy, market = turn.bot, request.strategy, request.market or turn.bot.market
    if strategy.pair != market.pair:
        raise InvalidParameter("pair", strategy.pair, f"must be the market's, {market.pair}")
    if market.pair != bot.market.pair:
        if turn.deal is not None:
            raise InvalidParameter("pair", strategy.pair, "may not change while a deal is open")
        if market.quote_asset != bot.market.quote_asset and bot.deals_started:
            quote = bot.market.quote_asset
            raise InvalidParameter(
                "pair", strategy.pair, f"must be traded for {quote}, as this bot's deals so far were"
            )
        bot, turn.price = evolve(bot, carried=NOTHING_CARRIED, limits=None), request.price
    if strategy != bot.strategy:
        turn.stop_waiting()
        bot = evolve(bot, trouble=turn.bot.trouble, awaits_price=False)
    turn.bot = evolve(bot, strategy=strategy, market=market)


def heed_rules(turn: Turn, event: RulesRead) -> None:
    """Take the pair's rules as they are now; the open deal's existing orders stay, its further ones follow them."""
    if event.market.pair != turn.bot.market.pair:
        return
    turn.bot = evolve(turn.bot, market=event.market, fees=event.fees, limits=event.limits)
    deal = turn.deal
    if deal is None or deal.market == event.market:
        return
    tick, old_tick = event.market.tick_size, deal.market.tick_size
    deal = turn.deal = deal.rehung(deal.strategy, event.market)
    if tick == old_tick or deal.exit is not None:
        return
    target = deal.take_profit_price
    if target is not None and (target % tick or not deal.books.sold):  # else it moves with buys alone
        target = None
    turn.deal = evolve(deal, take_profit_price=target, stop_loss_price=None)
