"""Bots and their lifetimes, to and from rows."""

from __future__ import annotations

from typing import cast

from dcacore.adapters.sqlalchemy._people_rows import DayTotalRow, LiveConfirmationRow
from dcacore.adapters.sqlalchemy._rows import BotRow
from dcacore.adapters.sqlalchemy._texts import fees_of, market_of, strategy_of, to_text, trouble_of
from dcacore.domain.books import Carried
from dcacore.domain.bot import Bot, Phase, Wanted
from dcacore.domain.deal import Deal
from dcacore.domain.ids import AccountId, BotId, UserId
from dcacore.domain.money import BaseQty, Price, QuoteAmount
from dcacore.ports.records import BotRecord, Lifetime, LiveConfirmation
from dcacore.ports.results import NO_SPREAD

Values = dict[str, object]


def bot_values(bot: Bot) -> Values:
    """Return the columns of *bot* that a decision may change."""
    return {
        "pair": bot.market.pair,
        "quote_asset": bot.market.quote_asset,
        "strategy": to_text(bot.strategy),
        "market": to_text(bot.market),
        "fees": to_text(bot.fees),
        "wanted": bot.wanted.value,
        "stop_sells": bot.stop_sells,
        "phase": bot.phase.value,
        "trouble": None if bot.trouble is None else to_text(bot.trouble),
        "carried_quantity": bot.carried.quantity,
        "carried_cost": bot.carried.cost,
        "deals_started": bot.deals_started,
        "deals_closed": bot.deals_closed,
        "closed_before": bot.closed_before,
        "total_profit": bot.profit,
        "price": bot.price,
        "resume_at": bot.resume_at,
        "awaits_price": bot.awaits_price,
        "order_prefix": bot.order_prefix,
    }


def record_values(record: BotRecord) -> Values:
    """Return all columns of *record*."""
    return {
        "id": record.bot.id,
        "user_id": record.user_id,
        "account_id": record.account_id,
        "name": record.name,
        "created_at": record.created_at,
        **bot_values(record.bot),
        **lifetime_values(record.lifetime),
    }


def lifetime_values(lifetime: Lifetime) -> Values:
    """Return the columns of *lifetime*; bots and days have them alike."""
    return {
        "deals": lifetime.deals,
        "won": lifetime.won,
        "profit": lifetime.profit,
        "volume": lifetime.volume,
        "fees_quote": lifetime.fees_quote,
        "fees_base": lifetime.fees_base,
        "duration_s": lifetime.duration_s,
        "best": lifetime.best,
        "worst": lifetime.worst,
        "fees_valued": lifetime.fees_valued,
        "cost": lifetime.cost,
        "tied": lifetime.tied,
        "spread": spread_to_text(lifetime.spread),
    }


def lifetime_of(row: BotRow | DayTotalRow) -> Lifetime:
    """Return what the deals in *row* came to."""
    return Lifetime(
        deals=row.deals,
        won=row.won,
        profit=QuoteAmount(row.profit),
        volume=QuoteAmount(row.volume),
        fees_quote=row.fees_quote,
        fees_base=row.fees_base,
        duration_s=row.duration_s,
        best=cast("QuoteAmount | None", row.best),
        worst=cast("QuoteAmount | None", row.worst),
        fees_valued=QuoteAmount(row.fees_valued),
        cost=QuoteAmount(row.cost),
        tied=row.tied,
        spread=spread_of(row.spread),
    )


def spread_to_text(spread: tuple[int, ...]) -> str:
    """Return the counts as they are stored: one behind the other, nothing when all are 0."""
    return " ".join(map(str, spread)) if any(spread) else ""


def spread_of(text: str) -> tuple[int, ...]:
    """Return the counts that were stored as *text*."""
    return tuple(map(int, text.split())) if text else NO_SPREAD


def record_of(row: BotRow, deal: Deal | None) -> BotRecord:
    """Return the bot in *row* with its open deal."""
    bot = Bot(
        id=BotId(row.id),
        strategy=strategy_of(row.strategy),
        market=market_of(row.market),
        fees=fees_of(row.fees),
        wanted=Wanted(row.wanted),
        stop_sells=row.stop_sells,
        phase=Phase(row.phase),
        trouble=None if row.trouble is None else trouble_of(row.trouble),
        deal=deal,
        carried=Carried(quantity=BaseQty(row.carried_quantity), cost=QuoteAmount(row.carried_cost)),
        deals_started=row.deals_started,
        deals_closed=row.deals_closed,
        closed_before=row.closed_before,
        profit=QuoteAmount(row.total_profit),
        price=cast("Price | None", row.price),
        resume_at=row.resume_at,
        awaits_price=row.awaits_price,
        order_prefix=row.order_prefix,
    )
    return BotRecord(
        bot=bot,
        user_id=UserId(row.user_id),
        account_id=AccountId(row.account_id),
        name=row.name,
        created_at=row.created_at,
        lifetime=lifetime_of(row),
    )


def confirmation_values(confirmation: LiveConfirmation) -> Values:
    """Return the columns of *confirmation*."""
    return {
        "bot_id": confirmation.bot_id,
        "user_id": confirmation.user_id,
        "confirmed_at": confirmation.confirmed_at,
        "strategy": to_text(confirmation.strategy),
        "price": confirmation.price,
        "amount": confirmation.amount,
    }


def confirmation_of(row: LiveConfirmationRow) -> LiveConfirmation:
    """Return the confirmation in *row*."""
    return LiveConfirmation(
        bot_id=BotId(row.bot_id),
        user_id=UserId(row.user_id),
        confirmed_at=row.confirmed_at,
        strategy=strategy_of(row.strategy),
        price=Price(row.price),
        amount=QuoteAmount(row.amount),
    )
