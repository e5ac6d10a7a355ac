"""`watches`: the prices and times at which a bot must be asked next. Nothing between them can make it act."""

from __future__ import annotations

import datetime
from enum import Enum

import attrs

from dcacore.domain.bot import Bot, Phase, TroubleKind, Wanted
from dcacore.domain.deal import AT_MARKET, Deal
from dcacore.domain.ladder import trailing_exit_price
from dcacore.domain.money import Price, exact
from dcacore.domain.turn import live_sells


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
        return _of_deal(bot.deal, bot.price, retry)
    if bot.phase is Phase.CLOSING and bot.deal is not None and bot.price is not None:
        return _of_exit(bot.deal, bot.price)
    return NOTHING


def _of_exit(deal: Deal, price: Price) -> Watches:
    """An exit at market whose coins are worth too little yet waits for a price, as long as buys are coming off."""
    if deal.exit not in AT_MARKET or live_sells(deal):
        return NOTHING
    return Watches(rises_to=_worth_selling_above(deal, price))


def _of_deal(deal: Deal, price: Price, retry: Retry) -> Watches:
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
    return Watches(
        falls_to=max(below, default=None),
        rises_to=min(above, default=None),
        peak=deal.peak,
        at=deal.awaits_taker_until or deal.retarget_at,
        retry=retry,
    )


def _worth_selling_above(deal: Deal, price: Price) -> Price | None:
    """Return the lowest price above *price* at which the market takes a sell of what is held, if there is one.

    An exit whose price the market has passed waits there when what is held is worth too little (a price that
    jumped, a position too small); it acts once the price has come back up so far.
    """
    lift = deal.market.least_price(deal.sellable)
    return lift if lift is not None and lift > price else None
