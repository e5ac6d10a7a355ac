"""What is stored beside deals and orders: users, accounts, bots with their owners, requests, and what people read."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

import attrs

from dcacore.domain.bot import Bot
from dcacore.domain.deal import Deal
from dcacore.domain.ids import AccountId, BotId, DealId, OrderId, RequestId, UserId
from dcacore.domain.money import NO_QUOTE, Price, QuoteAmount, exact
from dcacore.domain.orders import Fill
from dcacore.domain.story import Level
from dcacore.domain.strategy import Strategy
from dcacore.ports.health import Health
from dcacore.ports.results import NO_SPREAD, ClosedDeal, closed_deal
from dcacore.ports.secrets import CipherText


class Tier(Enum):
    """What a user has paid for."""

    FREE = "FREE"
    PRO = "PRO"


@attrs.frozen(kw_only=True)
class User:
    """A person with an address.

    Attributes:
        id: names the user.
        email: in lower case; unique.
        tier: decides how many bots may exist.
        given_tier: what an administrator has given, whatever is paid: the tier never falls below it.
        is_admin: whether the user may look after others.
        verified_at: when the address was confirmed; None until then.
        password_hash: as `Passwords` made it; empty when none is set, and then nobody can log in.
        created_at: when the user came.
    """

    id: UserId
    email: str
    tier: Tier = Tier.FREE
    given_tier: Tier = attrs.field(default=attrs.Factory(lambda self: self.tier, takes_self=True))
    is_admin: bool = False
    verified_at: datetime.datetime | None = None
    password_hash: str = attrs.field(default="", repr=False)
    created_at: datetime.datetime


class Environment(Enum):
    """Where an account trades. Nothing of two environments is ever added up."""

    LIVE = "live"
    TESTNET = "testnet"
    CUSTOM = "custom"
    PAPER = "paper"


@attrs.frozen(kw_only=True)
class Account:
    """A user's account on an exchange.

    Attributes:
        id: names the account.
        user_id: its owner.
        name: unique among the owner's.
        environment: where it trades.
        api_key: the encrypted key; None on paper.
        keyed_at: since when it has this key; None for the one that it was added with.
        created_at: when it was added.
    """

    id: AccountId
    user_id: UserId
    name: str
    environment: Environment
    api_key: CipherText | None = attrs.field(default=None, repr=False)
    keyed_at: datetime.datetime | None = None
    created_at: datetime.datetime


@attrs.frozen(kw_only=True)
class Lifetime:
    """What a bot's closed deals came to.

    Attributes:
        deals: how many have closed, cancelled ones aside.
        won: how many of them made a profit.
        profit: their sum, in quote.
        volume: price x quantity of all their fills, in quote.
        fees_quote: fees in quote.
        fees_base: fees in base.
        duration_s: sum of their durations, in seconds.
        best: the largest profit; None before the first deal.
        worst: the smallest.
        fees_valued: all fees in quote, those in base at each deal's average price.
        cost: what was spent on what they sold, in quote.
        tied: sum of cost times duration, in quote times seconds.
        spread: how many fell into each of the buckets between `SPREAD_EDGES`.
    """

    deals: int = 0
    won: int = 0
    profit: QuoteAmount = NO_QUOTE
    volume: QuoteAmount = NO_QUOTE
    fees_quote: Decimal = Decimal(0)
    fees_base: Decimal = Decimal(0)
    duration_s: int = 0
    best: QuoteAmount | None = None
    worst: QuoteAmount | None = None
    fees_valued: QuoteAmount = NO_QUOTE
    cost: QuoteAmount = NO_QUOTE
    tied: Decimal = Decimal(0)
    spread: tuple[int, ...] = NO_SPREAD

    def plus(self, deal: Deal) -> Lifetime:
        """Return this with *deal*, which has closed, added."""
        if deal.result is None or deal.closed_at is None:
            return self
        times = (deal.opened_at, deal.closed_at)
        return self.with_closed(closed_deal(deal.id, BotId(""), times, deal.books, deal.result))

    @exact
    def with_closed(self, deal: ClosedDeal) -> Lifetime:
        """Return this with *deal* added."""
        profit = deal.profit
        spread = list(self.spread)
        spread[deal.bucket] += 1
        return Lifetime(
            deals=self.deals + 1,
            won=self.won + (profit > 0),
            profit=QuoteAmount(self.profit + profit),
            volume=QuoteAmount(self.volume + deal.volume),
            fees_quote=self.fees_quote + deal.fees_quote,
            fees_base=self.fees_base + deal.fees_base,
            duration_s=self.duration_s + deal.duration_s,
            best=profit if self.best is None else max(self.best, profit),
            worst=profit if self.worst is None else min(self.worst, profit),
            fees_valued=QuoteAmount(self.fees_valued + deal.fees_valued),
            cost=QuoteAmount(self.cost + deal.cost),
            tied=self.tied + deal.tied,
            spread=tuple(spread),
        )

    @exact
    def together(self, other: Lifetime) -> Lifetime:
        """Return what both came to; they have to be in the same quote asset."""
        bests = [it for it in (self.best, other.best) if it is not None]
        worsts = [it for it in (self.worst, other.worst) if it is not None]
        return Lifetime(
            deals=self.deals + other.deals,
            won=self.won + other.won,
            profit=QuoteAmount(self.profit + other.profit),
            volume=QuoteAmount(self.volume + other.volume),
            fees_quote=self.fees_quote + other.fees_quote,
            fees_base=self.fees_base + other.fees_base,
            duration_s=self.duration_s + other.duration_s,
            best=max(bests, default=None),
            worst=min(worsts, default=None),
            fees_valued=QuoteAmount(self.fees_valued + other.fees_valued),
            cost=QuoteAmount(self.cost + other.cost),
            tied=self.tied + other.tied,
            spread=tuple([mine + theirs for mine, theirs in zip(self.spread, other.spread, strict=True)]),
        )


@attrs.frozen(kw_only=True)
class BotRecord:
    """A bot and whose it is.

    Attributes:
        bot: its state, with the open deal.
        user_id: its owner.
        account_id: where it trades.
        name: unique among the owner's bots.
        created_at: when it was made.
        lifetime: what its closed deals came to.
    """

    bot: Bot
    user_id: UserId
    account_id: AccountId
    name: str
    created_at: datetime.datetime
    lifetime: Lifetime = Lifetime()


@attrs.frozen(kw_only=True)
class LiveConfirmation:
    """A user's word that a bot may spend real money.

    Attributes:
        bot_id: which bot.
        user_id: who gave it.
        confirmed_at: when.
        strategy: the parameters that it was given for.
        price: where the market stood then, quote per base.
        amount: what a deal may cost at most, as the user was shown it, in quote.
    """

    bot_id: BotId
    user_id: UserId
    confirmed_at: datetime.datetime
    strategy: Strategy
    price: Price
    amount: QuoteAmount


@attrs.frozen(kw_only=True)
class DealRecord:
    """A deal, open or ended, with all its orders, and whose it is."""

    deal: Deal
    bot_id: BotId
    user_id: UserId
    account_id: AccountId


@attrs.frozen(kw_only=True)
class BookedFill:
    """A fill as it is kept: what the deal books, and what the exchange said of the fee.

    Attributes:
        order_id: the order that filled.
        account_id: with pair and trade id, what makes it unique.
        pair: the market.
        fill: what the deal books.
        fee: what the exchange took.
        fee_asset: in which asset.
        fee_rate: what one unit of a third asset was worth in quote; None when it is base or quote.
    """

    order_id: OrderId
    account_id: AccountId
    pair: str
    fill: Fill
    fee: Decimal
    fee_asset: str
    fee_rate: Decimal | None = None


class RequestKind(Enum):
    """What a user may ask of a bot."""

    START = "start"
    PAUSE = "pause"
    STOP = "stop"  # sell: true or false
    RETRY = "retry"
    CLOSE_DEAL = "close_deal"
    CANCEL_DEAL = "cancel_deal"
    CLOSE_AS_SOLD = "close_as_sold"  # sold_at: quote per base
    ADD_FUNDS = "add_funds"  # amount: quote
    EDIT_DEAL = "edit_deal"  # take_profit, stop_loss, max_safety_orders: what is given changes
    EDIT_BOT = "edit_bot"  # all parameters, by their names in the bot file


@attrs.frozen(kw_only=True)
class Request:
    """Something a user asked of a bot. It is stored before anything is done, so that it survives whatever happens.

    Attributes:
        id: names the request; later ones sort behind earlier ones by `asked_at`, then `id`.
        bot_id: of which bot.
        kind: what.
        details: what the kind needs besides, as text.
        asked_at: when.
        done_at: when the engine dealt with it; None until then.
        refusal: why it was not done; empty when it was.
    """

    id: RequestId
    bot_id: BotId
    kind: RequestKind
    details: Mapping[str, str] = attrs.field(factory=dict)
    asked_at: datetime.datetime
    done_at: datetime.datetime | None = None
    refusal: str = ""


@attrs.frozen(kw_only=True)
class Activity:
    """One line that says what happened, and why.

    Attributes:
        user_id: who may read it.
        at: when.
        kind: one word for programs, such as deal_opened.
        text: one sentence for people.
        level: how much it wants to be seen.
        bot_id: which bot; None for what concerns an account.
        deal_id: which deal.
        order_id: which order.
        environment: where that happened; what is read of a bot has that of its account. None for what has neither.
        number: its place in the feed, given by the store; 0 before.
    """

    user_id: UserId
    at: datetime.datetime
    kind: str
    text: str
    level: Level = Level.INFO
    bot_id: BotId | None = None
    deal_id: DealId | None = None
    order_id: OrderId | None = None
    environment: Environment | None = None
    number: int = 0


@attrs.frozen(kw_only=True)
class Notification:
    """Something its user should learn of without looking: delivered by web and mail.

    Attributes:
        read_at: when the user saw it; None until then.
        number: its place, given by the store; 0 before.
    """

    user_id: UserId
    at: datetime.datetime
    kind: str
    text: str
    level: Level = Level.INFO
    bot_id: BotId | None = None
    read_at: datetime.datetime | None = None
    number: int = 0


@attrs.frozen(kw_only=True)
class DayTotal:
    """What a bot's deals that closed on one day (UTC) came to, in one quote asset."""

    bot_id: BotId
    quote_asset: str
    day: datetime.date
    totals: Lifetime


@attrs.frozen(kw_only=True)
class Reconciliation:
    """What a comparison with the exchange found; stored when it found something, and at every start.

    Attributes:
        account_id: whose.
        at: when.
        cause: what it was made for: start, reconnection, periodic.
        adopted: orders that the exchange had and the database did not know the fate of, now known.
        filled: orders that filled, in whole or in part, while nobody listened.
        gone: orders that the exchange no longer has.
        stray: orders that bear our prefix and belong to no known deal; shown, never cancelled.
        differences: where the deals hold more of an asset than the account, in words.
        number: its place, given by the store; 0 before.
    """

    account_id: AccountId
    at: datetime.datetime
    cause: str
    adopted: tuple[OrderId, ...] = ()
    filled: tuple[OrderId, ...] = ()
    gone: tuple[OrderId, ...] = ()
    stray: tuple[OrderId, ...] = ()
    differences: tuple[str, ...] = ()
    number: int = 0


@attrs.frozen(kw_only=True)
class Lease:
    """The right to act for a bot.

    Attributes:
        bot_id: which bot.
        owner: the engine that has it.
        token: grows each time the right changes hands; every write of the engine is checked against it.
    """

    bot_id: BotId
    owner: str
    token: int


@attrs.frozen(kw_only=True)
class EngineRecord:
    """An engine, as it last reported itself.

    Attributes:
        name: names the process: host, process id, chance.
        seen_at: when it last did, by the database's clock on PostgreSQL.
        bots: how many bots it acts for.
        health: how its ways to the environments were that it trades in and measures, then.
    """

    name: str
    seen_at: datetime.datetime
    bots: int
    health: Mapping[Environment, Health] = attrs.field(factory=dict)
