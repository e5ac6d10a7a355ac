"""Bots as programs see them. Their parameters have the names of the bot file."""

from __future__ import annotations

import attrs

from dcacore.application.bot_pages import BotCard, BotList, BotPage
from dcacore.application.parameters import values_of
from dcacore.domain.bot import Trouble
from dcacore.domain.market import Fees, Market
from dcacore.ports.records import Activity
from dcaweb.api.views import shown, view
from dcaweb.api.views.deals import OpenDeal, open_deal


@attrs.frozen(kw_only=True)
class TroubleItem:
    """What keeps a bot from going on."""

    kind: str
    reason: str


@attrs.frozen(kw_only=True)
class BotItem:
    """A bot in a list. `state` is the one word that tells how it is; `wanted` what its user wants of it."""

    id: str
    name: str
    pair: str
    quote_asset: str
    account: str
    environment: str
    state: str
    wanted: str
    is_active: bool
    is_asked: bool
    trouble: TroubleItem | None
    created_at: str
    price: str | None
    deals: int
    won: int
    profit: str
    win_rate: str | None
    deal: OpenDeal | None


@attrs.frozen(kw_only=True)
class BotPageView:
    """All bots of the user, oldest first, and how many the tier allows."""

    items: tuple[BotItem, ...]
    allowed: int


@attrs.frozen(kw_only=True)
class MarketItem:
    """The rules of a pair."""

    pair: str
    base_asset: str
    quote_asset: str
    tick_size: str
    step_size: str
    min_notional: str
    min_quantity: str


@attrs.frozen(kw_only=True)
class FeesItem:
    """What the account pays, as fractions."""

    fee_maker: str
    fee_taker: str
    fee_asset: str


@attrs.frozen(kw_only=True)
class LineItem:
    """A line of activity."""

    number: int
    at: str
    level: str
    kind: str
    text: str
    bot_id: str | None
    bot: str | None
    deal_id: str | None
    environment: str | None


@attrs.frozen(kw_only=True)
class BotDetail:
    """A bot with all that explains it, and its parameters by their names in the bot file."""

    bot: BotItem
    name: str
    pair: str
    base_order_size: str
    safety_order_size: str
    max_safety_orders: int
    safety_order_volume_scale: str
    price_deviation: str
    safety_order_step_scale: str
    take_profit: str
    take_profit_type: str
    take_profit_net: bool
    trailing_deviation: str
    stop_loss: str
    stop_loss_basis: str
    active_safety_orders: int | None
    ladder_reference: str
    quantity_rounding: str
    cooldown: str
    auto_restart: bool
    max_deals: int
    market: MarketItem
    fees: FeesItem
    explanation: tuple[str, ...]
    most_spent: str | None
    average_percent: str | None
    average_duration_s: int | None
    activity: tuple[LineItem, ...]


def bot_item(card: BotCard) -> BotItem:
    """Return a bot of a list."""
    return view(
        BotItem,
        card,
        id=card.bot_id,
        trouble=_trouble(card.trouble),
        deals=card.totals.deals,
        won=card.totals.won,
        profit=shown(card.totals.profit),
        deal=open_deal(card.deal),
    )


def _trouble(trouble: Trouble | None) -> TroubleItem | None:
    return None if trouble is None else view(TroubleItem, trouble)


def bot_page(found: BotList) -> BotPageView:
    """Return all bots."""
    return BotPageView(items=tuple([bot_item(card) for card in found.cards]), allowed=found.allowed)


def bot_detail(found: BotPage) -> BotDetail:
    """Return a bot with everything."""
    bot, name = found.view.record.bot, found.card.name
    parameters = {"active_safety_orders": None, **values_of(bot.strategy)}
    return view(
        BotDetail,
        found,
        bot=bot_item(found.card),
        name=name,
        **parameters,
        market=market_item(bot.market),
        fees=fees_item(bot.fees),
        explanation=tuple(found.view.explanation),
        most_spent=None if found.most is None else shown(found.most.total),
        activity=tuple([line_item(line, name) for line in found.view.activity]),
    )


def market_item(market: Market) -> MarketItem:
    """Return the rules of a pair."""
    return view(MarketItem, market)


def fees_item(fees: Fees) -> FeesItem:
    """Return what an account pays."""
    return view(FeesItem, fees)


def line_item(line: Activity, bot: str | None) -> LineItem:
    """Return a line of activity, with the name of its bot."""
    return view(LineItem, line, bot=bot)
