"""An open deal at a glance: where the price stands between the next safety order and the target."""

from __future__ import annotations

import datetime
from decimal import Decimal

import attrs

from dcacore.application.showing import DealFigures, figures
from dcacore.domain.books import settle
from dcacore.domain.bot import shown_state
from dcacore.domain.deal import Deal
from dcacore.domain.ids import AccountId, BotId, DealId, TradeId
from dcacore.domain.ladder import trailing_exit_price
from dcacore.domain.money import ZERO, BaseQty, Price, QuoteAmount, Quotient, exact
from dcacore.domain.orders import Fill, Side
from dcacore.ports.records import Account, BotRecord, Environment

_WHOLE = Decimal(1)


@attrs.frozen(kw_only=True)
class DealCard:
    """An open deal in numbers, at the last price that its bot was told.

    Attributes:
        deal_id: which deal.
        number: counts the bot's deals from 1.
        bot_id: whose.
        bot: the bot's name.
        state: the one word that tells how the bot is.
        account_id: where it trades.
        account: that account's name.
        environment: of that account.
        pair: the market.
        base_asset: what is bought.
        quote_asset: what is paid with.
        opened_at: when it was opened.
        price: the last price; None before one is known.
        average: of the buys; None before the first.
        target: the take-profit price; None until there is one.
        stop: the stop-loss price; None without one.
        next_safety_order: the price of the next one; None when there is none left.
        trail_exit: at which price a trail that is armed sells; None while none is.
        safety_orders_used: how many have filled.
        safety_orders: how many it may have.
        held: base that it holds.
        spent: quote that it has spent, less what came in.
        unrealized: what it would bring at the last price, fees not counted; None before a price is known.
        unrealized_percent: the same in percent of what was spent.
        at_market: the profit that would be booked if all that it can sell went at the last price, the fee of a market
            order taken off; None before a price is known.
        low: the lower end of the bar: the next safety order, else the stop; None without either.
        progress: how far the price is from the lower end (0) to the target (1), cut at both; None where an end or the
            price is missing.
    """

    deal_id: DealId
    number: int
    bot_id: BotId
    bot: str
    state: str
    account_id: AccountId
    account: str
    environment: Environment
    pair: str
    base_asset: str
    quote_asset: str
    opened_at: datetime.datetime
    price: Price | None
    average: Decimal | None
    target: Price | None
    stop: Price | None
    next_safety_order: Price | None
    trail_exit: Price | None
    safety_orders_used: int
    safety_orders: int
    held: BaseQty
    spent: QuoteAmount
    unrealized: QuoteAmount | None
    unrealized_percent: Decimal | None
    at_market: QuoteAmount | None
    low: Price | None
    progress: Decimal | None


def deal_card(record: BotRecord, account: Account, price: Price | None = None) -> DealCard | None:
    """Return the bot's open deal at *price*, or where the bot was told last; None without a deal."""
    bot = record.bot if price is None else attrs.evolve(record.bot, price=price)
    standing = figures(bot)
    return None if standing is None else _card(attrs.evolve(record, bot=bot), account, standing)


@exact
def _card(record: BotRecord, account: Account, standing: DealFigures) -> DealCard:
    bot, deal = record.bot, standing.deal
    low = standing.next_safety_order if standing.next_safety_order is not None else deal.stop_loss_price
    trail = None if deal.peak is None else trailing_exit_price(deal.strategy, deal.market, deal.peak)
    return DealCard(
        deal_id=deal.id,
        number=deal.number,
        bot_id=bot.id,
        bot=record.name,
        state=shown_state(bot),
        account_id=account.id,
        account=account.name,
        environment=account.environment,
        pair=deal.market.pair,
        base_asset=deal.market.base_asset,
        quote_asset=deal.market.quote_asset,
        opened_at=deal.opened_at,
        price=bot.price,
        average=standing.average,
        target=deal.take_profit_price,
        stop=deal.stop_loss_price,
        next_safety_order=standing.next_safety_order,
        trail_exit=trail,
        safety_orders_used=standing.safety_orders_used,
        safety_orders=standing.safety_orders,
        held=deal.books.net,
        spent=deal.books.spent,
        unrealized=standing.unrealized,
        unrealized_percent=standing.unrealized_percent,
        at_market=None if bot.price is None else _at_market(deal, bot.price),
        low=low,
        progress=progress(low, deal.take_profit_price, bot.price),
    )


def _at_market(deal: Deal, price: Price) -> QuoteAmount:
    if not deal.sellable:
        return QuoteAmount(-deal.books.spent)
    fee = deal.fees.of_sell(price, deal.sellable, deal.fees.fee_taker)
    sale = Fill(trade_id=TradeId(""), at=deal.opened_at, price=price, quantity=deal.sellable, quote_fee=fee)
    return settle(deal.books.with_fill(Side.SELL, sale), sale.quantity, QuoteAmount(sale.notional - fee)).profit


@exact
def progress(low: Price | None, high: Price | None, price: Price | None) -> Decimal | None:
    """Return how far *price* is from *low* (0) to *high* (1), cut at both ends; None where that says nothing."""
    if low is None or high is None or price is None or high <= low:
        return None
    return min(_WHOLE, max(ZERO, Quotient(price - low, Decimal(high - low)).rounded()))
