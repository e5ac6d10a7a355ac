"""`watches`: the prices and times at which a bot must be asked next. Nothing between them can make it act."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from enum import Enum

import attrs

from dcacore.domain.bot import Bot, Phase, TroubleKind, Wanted
from dcacore.domain.deal import AT_MARKET, Deal
from dcacore.domain.ladder import trailing_exit_price
from dcacore.domain.money import Price, exact
from dcacore.domain.orders import Side
from dcacore.domain.turn import live_sells, next_rungs


class Retry(Enum):
    """What a waiting bot waits for, to be told by `RetryDue`. In a backtest all of them come with the next candle."""

    NEVER = "never"
    PRICE = "price"  # the next change of the price
    BALANCE = "balance"  # 60 s later, or when the balance has grown


@attrs.frozen(kw_only=True)
class Watches:
    """When a bot must be asked next. Its resting orders are watched by the exchange.

    Attributes:
        falls_to: at this price or below; always under the bot's price.
        rises_to: at this price or above; always over the bot's price.
        peak: any price above this is a new high to be told; while the price keeps rising, the last is enough.
        at: at this time or later.
        retry: what `RetryDue` is to be sent for.
    """

    falls_to: Price | None = None
    rises_to: Price | None = None
    peak: Price | None = None
    at: datetime.datetime | None = None
    retry: Retry = Retry.NEVER


NOTHING = Watches()


@exact
def watches(bot: Bot) -> Watches:
    """Return the prices and times at which *bot* must be asked next.

    Between two calls of `decide` they do not change; whatever else happens to the price, the bot would do nothing.
    """
    trouble = bot.trouble
    if trouble is not None and trouble.kind is not TroubleKind.WAITING_FOR_BALANCE:
        return NOTHING
    retry = Retry.BALANCE if trouble is not None else Retry.NEVER
    if bot.phase is Phase.MONITORING and bot.wanted is Wanted.RUN:
        if bot.awaits_price or bot.price is None or bot.is_price_old:
            retry = Retry.PRICE
        return Watches(at=bot.resume_at, retry=retry)
    if bot.phase is Phase.MONITORING:
        return Watches(retry=retry)  # it buys nothing, so that it need not go on waiting for balance
    if bot.phase is Phase.IN_POSITION and bot.deal is not None and bot.price is not None:
        return _of_deal(bot, bot.deal, bot.price, retry)
    if bot.phase is Phase.CLOSING and bot.deal is not None and bot.price is not None:
        return _of_exit(bot.deal, bot.price)
    return NOTHING


def _of_exit(deal: Deal, price: Price) -> Watches:
    """An exit at market whose coins are worth too little yet waits for a price, as long as buys are coming off."""
    if deal.exit not in AT_MARKET or live_sells(deal):
        return NOTHING
    return Watches(rises_to=_worth_selling_above(deal, price))


def _of_deal(bot: Bot, deal: Deal, price: Price, retry: Retry) -> Watches:
    exits = []
    if deal.stop_loss_price is not None:
        exits.append(deal.stop_loss_price)
    arms_at = None
    if deal.strategy.trailing_deviation:
        if deal.peak is not None:
            exits.append(trailing_exit_price(deal.strategy, deal.market, deal.peak))
        elif deal.take_profit_price is not None and price < deal.take_profit_price:
            arms_at = deal.take_profit_price
    below = [level for level in exits if level < price and deal.can_sell_at(level)]
    above = [arms_at] if arms_at is not None else []
    lift = _worth_selling_above(deal, price) if any(price <= level for level in exits) else None
    if lift is not None and any(lift <= level for level in exits):
        above.append(lift)
    times = [deal.awaits_taker_until or deal.retarget_at]
    if bot.limits is not None or bot.holds:
        below.extend(level for level in _buys_when_fallen_to(bot, deal) if level < price)
        above.extend(level for level in _sells_when_risen_to(bot, deal) if level > price)
        times.extend(hold.until for hold in bot.holds if not hold.is_over)
    return Watches(
        falls_to=max(below, default=None),
        rises_to=min(above, default=None),
        peak=deal.peak,
        at=min((at for at in times if at is not None), default=None),
        retry=retry,
    )


def held_rung(bot: Bot, deal: Deal) -> str | None:
    """Return which safety order the exchange would not take now and why, in words; None when it would take the next."""
    if bot.limits is None or bot.price is None or bot.hold(Side.BUY) is not None:
        return None
    for rung in next_rungs(deal):
        why = bot.limits.never(deal.market, rung.price, rung.quantity)
        why = why or bot.limits.too_far(Side.BUY, rung.price, bot.price)
        if why is not None:
            return f"safety order {rung.number} {why}"
    return None


def held_target(bot: Bot, deal: Deal) -> str | None:
    """Return why the exchange would not take the target's order now, in words; None when it would, or has it."""
    target = deal.take_profit_price
    if bot.limits is None or bot.price is None or target is None or deal.strategy.trailing_deviation:
        return None
    if live_sells(deal) or bot.hold(Side.SELL) is not None or not deal.can_sell_at(target):
        return None
    return bot.limits.too_far(Side.SELL, target, bot.price)


def _buys_when_fallen_to(bot: Bot, deal: Deal) -> Iterator[Price]:
    """Yield from where on the exchange takes the next safety order, if the market is too far from it."""
    band = None if bot.limits is None else bot.limits.buys
    if band is None or bot.hold(Side.BUY) is not None or not next_rungs(deal):
        return
    yield band.reached_by_fall(deal.waiting[0].price, deal.market.tick_size)


def _sells_when_risen_to(bot: Bot, deal: Deal) -> Iterator[Price]:
    """Yield from where on the exchange takes the target's order, if the market is too far from it."""
    band, target = None if bot.limits is None else bot.limits.sells, deal.take_profit_price
    if band is not None and target is not None and held_target(bot, deal) is not None:
        yield band.reached_by_rise(target, deal.market.tick_size)


def _worth_selling_above(deal: Deal, price: Price) -> Price | None:
    """Return the lowest price above *price* at which the market takes a sell of what is held, if there is one.

    An exit whose price the market has passed waits there when what is held is worth too little (a price that
    jumped, a position too small); it acts once the price has come back up so far.
    """
    lift = deal.market.least_price(deal.sellable)
    return lift if lift is not None and lift > price else None
