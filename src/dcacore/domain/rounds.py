"""The round of a bot: opening a deal, managing it, ending it. Rule 5 of the strategy, phase by phase."""

from __future__ import annotations

import datetime
from decimal import Decimal

import attrs

from dcacore.domain.books import NOTHING_CARRIED, Books, settle
from dcacore.domain.bot import Cure, Phase, Step, TroubleKind, Wanted
from dcacore.domain.deal import AT_MARKET, Deal, Exit
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import deal_id
from dcacore.domain.ladder import (
    build_ladder,
    buy_quantity,
    reference_price,
    stop_loss_price,
    take_profit_price,
    trailing_exit_price,
)
from dcacore.domain.money import NO_BASE, NO_QUOTE, BaseQty, Price, QuoteAmount, ceil_to
from dcacore.domain.orders import Order, Role, Side
from dcacore.domain.turn import Turn, cancel, limit_price, live_sells, next_rungs, place, place_rungs, takes_sell


def act(turn: Turn) -> None:
    """Do what the bot's phase asks for now. Nothing is left over for a second call with the same facts."""
    if turn.price is None:
        return
    if turn.bot.trouble is not None and turn.bot.trouble.kind is not TroubleKind.WAITING_FOR_BALANCE:
        if turn.deal is not None:
            _end_what_is_sold(turn, turn.deal, turn.price)
        if turn.deal is not None and turn.has_freed and turn.bot.trouble.cure is Cure.USER:
            _put_target_back(turn, turn.deal, turn.price)
        return
    match turn.bot.phase:
        case Phase.MONITORING:
            start_deal(turn, turn.price)
        case Phase.PLACING_ORDER if turn.deal is not None:
            _enter(turn, turn.deal, turn.price)
        case Phase.IN_POSITION if turn.deal is not None:
            _manage(turn, turn.deal, turn.price)
        case Phase.CLOSING if turn.deal is not None:
            _close_out(turn, turn.deal, turn.price)
        case _:
            pass


def _end_what_is_sold(turn: Turn, deal: Deal, price: Price) -> None:
    """A bot in trouble places nothing; but when all is sold, no safety order may be left to buy anew for nobody."""
    if not deal.books.sold or deal.sellable or live_sells(deal):
        return
    if turn.bot.phase is Phase.IN_POSITION:
        begin_exit(turn, deal, Exit.TAKE_PROFIT, price)
    elif turn.bot.phase is Phase.CLOSING:
        _close_out(turn, deal, price)


def _put_target_back(turn: Turn, deal: Deal, price: Price) -> None:
    """Its target was coming off for a better one when the trouble came: place that, or nothing is for sale.

    Once: it is not tried again when it is refused.
    """
    if turn.bot.phase is not Phase.IN_POSITION or deal.strategy.trailing_deviation or live_sells(deal):
        return
    deal = turn.deal = _aim(turn, deal)
    if deal.take_profit_price is not None and deal.can_sell_at(deal.take_profit_price):
        _rest_take_profit(turn, deal, price)


def start_deal(turn: Turn, price: Price) -> None:
    """Plan the base order of the next deal, if the bot may open one now."""
    bot = turn.bot
    if bot.resume_at is not None and turn.at >= bot.resume_at:
        bot = turn.bot = evolve(bot, resume_at=None)
    if bot.wanted is not Wanted.RUN or bot.trouble is not None or bot.resume_at is not None:
        return
    if bot.awaits_price or bot.is_price_old:
        return
    quantity = buy_quantity(bot.strategy, bot.market, bot.strategy.base_order_size, price)
    if not bot.market.allows(price, quantity):
        turn.bot = evolve(bot, awaits_price=True)
        return
    number = bot.deals_started + 1
    deal = Deal(
        id=deal_id(bot.id, number),
        number=number,
        strategy=bot.strategy,
        market=bot.market,
        fees=bot.fees,
        opened_at=turn.at,
        opened_price=price,
        books=Books(carried=bot.carried),
    )
    turn.bot = evolve(bot, deals_started=number, carried=NOTHING_CARRIED)
    turn.deal = place(turn, deal, Role.BASE, quantity)
    turn.step(Step.PLAN_BASE_ORDER)


def _enter(turn: Turn, deal: Deal, price: Price) -> None:
    """The base order is over, or not yet: hang the ladder from what it filled at."""
    base_order = deal.base_order
    if base_order is not None and base_order.is_live:
        return
    if base_order is None or not base_order.filled:
        turn.bot = evolve(turn.bot, carried=deal.books.carried, awaits_price=base_order is not None)
        turn.deal = None
        turn.step(Step.BASE_ORDER_FAILED)
        start_deal(turn, price)
        return
    reference = reference_price(deal.strategy, base_order)
    rungs = build_ladder(deal.strategy, deal.market, reference).rungs
    turn.step(Step.BASE_ORDER_FILLED)
    _manage(turn, evolve(deal, reference=reference, rungs=rungs, waiting=rungs), price)


def _manage(turn: Turn, deal: Deal, price: Price) -> None:
    """Rule 5.2: rest safety orders, test the stop loss, then see to the target."""
    deal = turn.deal = _rest_safety_orders(turn, deal)
    if deal.takers_at is not None:
        until = deal.awaits_taker_until
        if until is not None and turn.at < until:
            return  # one fills at once: what follows waits for what it brings, but not for ever
    deal = turn.deal = _aim(turn, deal)
    is_known = not turn.bot.is_price_old  # what is tested against the price is tested when there is one
    if is_known and deal.stop_loss_price is not None and price <= deal.stop_loss_price and deal.can_sell_at(price):
        begin_exit(turn, deal, Exit.STOP_LOSS, price)
    elif not deal.strategy.trailing_deviation:
        _rest_take_profit(turn, deal, price)
    elif is_known:
        _trail(turn, deal, price)


def _rest_safety_orders(turn: Turn, deal: Deal) -> Deal:
    if turn.bot.trouble is not None or not deal.waiting:
        return deal
    return place_rungs(turn, deal, len(next_rungs(deal)))


def _aim(turn: Turn, deal: Deal) -> Deal:
    """Return the deal with target and stop loss as its fills want them."""
    base_order, reference = deal.base_order, deal.reference
    if base_order is None or reference is None:
        return deal
    if deal.stop_loss_price is None and deal.strategy.stop_loss:
        stop = stop_loss_price(deal.strategy, deal.market, deal.books, reference)
        deal = evolve(deal, stop_loss_price=stop)
    is_due = deal.retarget_at is not None and turn.at >= deal.retarget_at
    if deal.books.net <= 0:  # all that was held is sold: there is nothing to aim at
        return evolve(deal, retarget_at=None) if is_due else deal
    if deal.take_profit_price is None or is_due:
        target = take_profit_price(deal.strategy, deal.fees, deal.market, deal.books, base_order)
        deal = evolve(deal, take_profit_price=target, retarget_at=None)
    return deal


def _trail(turn: Turn, deal: Deal, price: Price) -> None:
    """Rule 5.3: nothing rests; from the target on the highest price is followed, and a fall from it sells."""
    target = deal.take_profit_price
    if deal.books.sold and not live_sells(deal) and (target is None or not deal.can_sell_at(target)):
        _sell_the_rest(turn, deal, price)  # a limit sell of before it trailed has sold it
    elif deal.peak is None:
        if target is not None and price >= target:
            turn.deal = evolve(deal, peak=price)
    elif price > deal.peak:
        turn.deal = evolve(deal, peak=price)
    elif price <= trailing_exit_price(deal.strategy, deal.market, deal.peak) and deal.can_sell_at(price):
        begin_exit(turn, deal, Exit.TRAILING_TAKE_PROFIT, price)


def _rest_take_profit(turn: Turn, deal: Deal, price: Price) -> None:
    """Rest one limit sell of all that can be sold at the target; what rests otherwise is taken off first."""
    target, sells, quantity = deal.take_profit_price, live_sells(deal), deal.sellable
    if sells:
        # One that has filled in part may have less left than a new order must have: it goes on. While a safety order
        # is filling the target stays, too.
        right = [it for it in sells if _sells_at(turn, it, target, price) and it.remaining == quantity]
        if len(sells) > 1:  # one was found on the exchange: together they would sell more than is held
            keep = next((order for order in right if not order.is_cancelling), None)
            turn.deal = cancel(turn, deal, tuple(order for order in sells if order is not keep))
        elif not right and deal.retarget_at is None:
            turn.deal = cancel(turn, deal, sells)
    elif target is not None and deal.market.allows(target, quantity):
        if takes_sell(turn.bot, target, price):
            turn.deal = place(turn, deal, Role.TAKE_PROFIT, quantity, limit_price(turn, deal, Side.SELL, target))
    elif deal.books.sold:
        _sell_the_rest(turn, deal, price)


def _sells_at(turn: Turn, order: Order, target: Price | None, price: Price) -> bool:
    """Say whether a sell is at the target, or beyond it where the market has left both behind and it fills at once."""
    if order.price is None or target is None or order.price == target:
        return order.price == target
    return turn.bot.limits is not None and target < order.price <= price


def _sell_the_rest(turn: Turn, deal: Deal, price: Price) -> None:
    """Earlier sells have paid for nearly all that is left: it goes at once if the market takes it, or is carried."""
    least = deal.market.least_price(deal.sellable)
    if least is not None:
        least = limit_price(turn, deal, Side.SELL, least)
    if least is not None and least <= price:
        deal = place(turn, deal, Role.TAKE_PROFIT, deal.sellable, least)
        turn.deal = evolve(deal, take_profit_price=least)
    else:
        begin_exit(turn, deal, Exit.TAKE_PROFIT, price)


def begin_exit(turn: Turn, deal: Deal, reason: Exit, price: Price) -> None:
    """Rule 5.4 to 5.6: take off what rests and sell what the exit wants sold."""
    turn.step(Step.EXIT)
    _close_out(turn, evolve(deal, exit=reason), price)


def _close_out(turn: Turn, deal: Deal, price: Price) -> None:
    """Bring an exit one step further: sells come off, what is held is sold, buys come off, the deal is booked."""
    sells, is_at_market = live_sells(deal), deal.exit in AT_MARKET
    if sells:  # they hold the coins; one that is being taken off may still fill
        turn.deal = cancel(turn, deal, sells if is_at_market else deal.live_orders)
        return
    if deal.exit in AT_MARKET and deal.can_sell_at(price):
        limits = turn.bot.limits  # what one order may not sell is sold by several, one after the other
        quantity = deal.sellable if limits is None else limits.at_once(deal.market, deal.sellable)
        deal = place(turn, deal, AT_MARKET[deal.exit], quantity)
    deal = turn.deal = cancel(turn, deal, deal.live_orders)
    if deal.live_orders:
        return
    if deal.exit is Exit.TAKE_PROFIT and _has_coins_left(deal):
        _go_back(turn, deal, price)
    else:
        _end_deal(turn, deal, price)


def _has_coins_left(deal: Deal) -> bool:
    """Say whether a safety order that filled before its cancel came through has left coins in a sold deal."""
    return deal.take_profit_price is None and deal.sellable > 0


def _go_back(turn: Turn, deal: Deal, price: Price) -> None:
    """Take a deal with coins left back into position, unless its user has stopped the bot and wants them sold now."""
    if turn.bot.wanted is Wanted.STOP and turn.bot.stop_sells:
        _close_out(turn, evolve(deal, exit=Exit.CLOSE), price)
    elif turn.bot.wanted is Wanted.STOP:
        _end_deal(turn, deal, price, is_kept=True)
    else:
        turn.step(Step.COINS_LEFT)
        _manage(turn, evolve(deal, exit=None, waiting=()), price)


def _end_deal(turn: Turn, deal: Deal, price: Price, *, is_kept: bool = False) -> None:
    """Book the deal, and see what comes next; what is kept goes to the user and not into the next deal."""
    last, gone, gone_for = deal.last_sell, deal.books.gone, deal.books.gone_for
    if deal.exit is Exit.SOLD_BY_HAND:
        deal = _with_sale_by_hand(deal)
    elif deal.exit is Exit.RESET and deal.books.net > 0:
        deal = evolve(deal, books=deal.books.with_gone(deal.books.net))
    elif last is not None and last.price is not None and deal.exit in AT_MARKET:
        deal = evolve(deal, exit=Exit.TAKE_PROFIT)  # it filled before its cancel came through
    if last is None and not deal.books.bought:
        turn.bot = evolve(turn.bot, carried=deal.books.carried)
    else:
        is_by_hand = deal.exit is Exit.SOLD_BY_HAND
        if is_by_hand:
            sold, proceeds = BaseQty(deal.books.gone - gone), QuoteAmount(deal.books.gone_for - gone_for)
        else:
            sold = last.filled if last else NO_BASE
            proceeds = QuoteAmount(last.notional - last.quote_fee) if last else NO_QUOTE
        result = settle(deal.books, sold, proceeds)
        if is_kept or is_by_hand or deal.exit is Exit.CANCEL or result.carried.quantity < 0:
            result = attrs.evolve(result, carried=NOTHING_CARRIED, kept=result.carried)
        filled = {order.id: order for order in deal.orders.values() if order.fills}
        turn.ended = evolve(deal, closed_at=turn.at, result=result, orders=filled)
        turn.bot = evolve(
            turn.bot,
            carried=result.carried,
            deals_closed=turn.bot.deals_closed + (deal.exit is not Exit.CANCEL),
            profit=QuoteAmount(turn.bot.profit + result.profit),
        )
    turn.deal = None
    turn.stop_waiting()
    turn.bot = evolve(turn.bot, holds=())
    turn.step(Step.DEAL_ENDED)
    _go_on(turn, deal, price)


def _with_sale_by_hand(deal: Deal) -> Deal:
    """Return the deal with what it held, and its orders have not sold, booked as sold by hand: no order stands for it.

    What a safety order has bought since its user said so is still there, and is the user's.
    """
    left = deal.books.net
    if deal.sold_by_hand is not None:
        left = BaseQty(min(left, deal.sold_by_hand - deal.books.sold))
    if left <= 0 or (deal.last_sell is not None and not deal.sellable):
        return evolve(
            deal, exit=Exit.TAKE_PROFIT, sold_at=None, sold_by_hand=None
        )  # it filled before its cancel came through
    assert deal.sold_at is not None  # noqa: S101 - this exit has a price
    return evolve(deal, books=deal.books.with_gone(left, QuoteAmount(left * deal.sold_at)))


def _go_on(turn: Turn, deal: Deal, price: Price) -> None:
    """Rule 5.6: stop when that was the last deal, else start the next one, now or after the cooldown."""
    bot = turn.bot
    is_last = bool(bot.strategy.max_deals) and bot.deals_closed - bot.closed_before >= bot.strategy.max_deals
    if bot.wanted is Wanted.STOP or is_last or not bot.strategy.auto_restart:
        turn.bot = evolve(bot, wanted=Wanted.STOP)
        turn.step(Step.STOP)
        return
    rest = datetime.timedelta(microseconds=int(ceil_to(bot.strategy.cooldown * 1_000_000, Decimal(1))))
    turn.bot = evolve(bot, resume_at=turn.at + rest if rest else None, awaits_price=not deal.has_moved)
    start_deal(turn, price)
