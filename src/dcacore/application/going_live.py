"""The step from play to real money: what a bot may spend at most, and its user's word that it may."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from dcacore.application.consent import unconfirmed
from dcacore.application.editing import edited
from dcacore.application.finding import bot_of
from dcacore.application.refusals import NotConfirmed
from dcacore.application.waiting import strategy_to_be, will_run
from dcacore.domain.bot import Bot
from dcacore.domain.ids import UserId
from dcacore.domain.money import ZERO, QuoteAmount, exact, plain
from dcacore.domain.orders import Side
from dcacore.domain.spending import Spending, most_spent
from dcacore.domain.story import Level
from dcacore.domain.strategy import Strategy
from dcacore.ports.clock import Clock
from dcacore.ports.errors import Unavailable
from dcacore.ports.records import Account, Activity, BotRecord, Environment, LiveConfirmation
from dcacore.ports.store import Store, Work
from dcacore.ports.venues import Venues


@attrs.frozen(kw_only=True)
class LiveStep:
    """What a user should know before a bot spends real money.

    Attributes:
        record: the bot.
        account: where it trades.
        strategy: the parameters that it would trade by.
        reason: why it has to be confirmed.
        spending: what a deal may cost at most, at the price of now.
        free: what is free in the account, in quote.
        promised: what the open deals of the other bots there may still need of it.
    """

    record: BotRecord
    account: Account
    strategy: Strategy
    reason: str
    spending: Spending
    free: Decimal
    promised: QuoteAmount

    @property
    def is_covered(self) -> bool:
        """Whether what is free, and not promised to other bots, pays for a whole deal."""
        return self.free - self.promised >= self.spending.total

    @property
    def sentences(self) -> tuple[str, ...]:
        """What to tell the user, one sentence each."""
        it, quote = self.spending, self.record.bot.market.quote_asset
        others = f", of which other bots may need {plain(self.promised)}" if self.promised else ""
        lack = "" if self.is_covered else ": not enough for a whole deal, so that it may have to wait for balance"
        parts = f"{it.orders} orders for {plain(it.for_orders)}, and fees worth up to {plain(it.for_fees)}"
        price = f"{plain(it.price)} a {self.record.bot.market.base_asset}"
        return (
            f"{self.record.name} trades real money on {self.account.name} (LIVE), and {self.reason}.",
            f"A deal may cost {plain(it.total)} {quote} at most: {parts}, at {price}.",
            f"{plain(self.free)} {quote} are free{others}{lack}.",
        )


async def live_step(
    store: Store, venues: Venues, *, user_id: UserId, named: str, changes: Mapping[str, str] | None = None
) -> LiveStep | None:
    """Return what has to be confirmed before the bot starts, or before it gets *changes*; None when nothing has.

    Raises:
        NotFound: the user has no such bot.
        InvalidParameter: *changes* cannot be made.
        PortError: the exchange cannot be asked for price, rules, fees and balances now.
    """
    async with store.begin(reads_only=True) as work:
        record = await bot_of(work, user_id, named)
        strategy = await strategy_to_be(work, record) if changes is None else await edited(work, record, changes)
        runs = changes is not None
        if runs and not await will_run(work, record):
            return None  # it is asked for when it starts
        reason = await unconfirmed(work, record, strategy, runs=runs)
        account = await work.accounts.get(record.account_id)
        others = await _others(work, record)
    if reason is None or account is None:
        return None
    exchange = await venues.exchange(account)
    pair, quote = strategy.pair, record.bot.market.quote_asset
    listing, fees = await exchange.listing(pair), await exchange.fees(pair)
    price, balances = await exchange.price(pair), await exchange.balances()
    if price is None:
        raise Unavailable(f"{pair} has no price yet")
    return LiveStep(
        record=record,
        account=account,
        strategy=strategy,
        reason=reason,
        spending=most_spent(strategy, listing.market, fees, price),
        free=balances[quote].free if quote in balances else ZERO,
        promised=promised(others, quote),
    )


async def _others(work: Work, record: BotRecord) -> list[Bot]:
    """Return the other bots of the account that run."""
    theirs = [it for it in await work.bots.of(record.user_id) if it.account_id == record.account_id]
    return [it.bot for it in theirs if it.bot.id != record.bot.id and await will_run(work, it)]


@exact
def promised(bots: list[Bot], quote: str) -> QuoteAmount:
    """Return how much of *quote* the bots may still need, beyond what their deals have spent and what rests."""
    needed = ZERO
    for bot in bots:
        if bot.market.quote_asset != quote or bot.price is None:
            continue
        had = ZERO
        if bot.deal is not None:
            resting = [it for it in bot.deal.live_orders if it.side is Side.BUY and it.price is not None]
            had = bot.deal.books.spent + sum([(it.price or ZERO) * (it.quantity - it.filled) for it in resting], ZERO)
        needed += max(ZERO, most_spent(bot.strategy, bot.market, bot.fees, bot.price).total - had)
    return QuoteAmount(needed)


async def confirm(store: Store, clock: Clock, *, user_id: UserId, step: LiveStep, typed: str) -> LiveConfirmation:
    """Store the user's word that the bot may spend what *step* says.

    Args:
        store: where to.
        clock: says when.
        user_id: who confirms.
        step: what the user was shown; what holds is what it was shown for, whatever changes meanwhile.
        typed: what the user typed, which has to be the bot's name.

    Raises:
        NotFound: the user has no such bot.
        NotConfirmed: something else was typed.
    """
    if typed.strip() != step.record.name:
        raise NotConfirmed(step.record.name, "what was typed is not its name")
    async with store.begin() as work:
        record = await bot_of(work, user_id, step.record.bot.id)
        given = LiveConfirmation(
            bot_id=record.bot.id,
            user_id=user_id,
            confirmed_at=clock.now(),
            strategy=step.strategy,
            price=step.spending.price,
            amount=step.spending.total,
        )
        await work.bots.confirm_live(given)
        text = f"its user confirmed that a deal may cost up to {plain(given.amount)} {record.bot.market.quote_asset}"
        line = Activity(
            user_id=user_id,
            at=given.confirmed_at,
            kind="live_confirmed",
            text=f"{text} of real money",
            level=Level.INFO,
            bot_id=record.bot.id,
            environment=Environment.LIVE,
        )
        await work.feed.add_activity([line])
        await work.commit()
    return given
