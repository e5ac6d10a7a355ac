"""The dashboard: what all bots of a user have come to, what they are doing, and what needs attention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import attrs

from dcacore.application import connections
from dcacore.application.asking import ALIVE_WITHIN
from dcacore.application.connections import Connection
from dcacore.application.deal_cards import DealCard, deal_card
from dcacore.application.limits import LIMITS
from dcacore.application.valuing import Money
from dcacore.application.zones import beginning_of, day_of, zone_of
from dcacore.domain.bot import Phase, Wanted
from dcacore.domain.ids import AccountId, BotId, UserId
from dcacore.domain.money import HUNDRED, ZERO, QuoteAmount, Quotient, exact
from dcacore.domain.story import Level
from dcacore.ports.clock import Clock
from dcacore.ports.records import Account, Activity, BotRecord, Environment, Lifetime, Reconciliation, Tier
from dcacore.ports.store import Store, Work

LINES = 10


@attrs.frozen(kw_only=True)
class Standing:
    """What a user's bots of one environment and quote asset have come to; nothing of two of them is ever added up.

    Attributes:
        environment: where.
        quote_asset: in what.
        bots: how many there are.
        active: how many of them are not stopped.
        open_deals: how many deals are open.
        deals: how many have closed.
        won: how many of them made a profit.
        realized: what the closed deals brought.
        today: what those brought that closed since midnight by the user's clocks.
        deals_today: how many these are.
        unrealized: what the open deals would bring at the last prices; None where none has a price.
        unpriced: how many open deals that leaves out.
        win_rate: won of the closed ones in percent, half-even at 8 decimals; None before the first.
    """

    environment: Environment
    quote_asset: str
    bots: int
    active: int
    open_deals: int
    deals: int
    won: int
    realized: QuoteAmount
    today: QuoteAmount
    deals_today: int
    unrealized: QuoteAmount | None
    unpriced: int
    win_rate: Decimal | None


@attrs.frozen(kw_only=True)
class Attention:
    """Something that a user should look at.

    Attributes:
        level: how bad it is.
        text: one or two sentences.
        bot_id: the bot that it is about.
        account_id: the account that it is about.
    """

    level: Level
    text: str
    bot_id: BotId | None = None
    account_id: AccountId | None = None


@attrs.frozen(kw_only=True)
class Overview:
    """The dashboard.

    Attributes:
        bots: how many bots there are.
        active: how many of them are not stopped.
        allowed: how many the tier allows; None for a user who is not there.
        standings: what they have come to, by environment and quote asset.
        deals: the open deals, newest first.
        activity: what happened last, newest first.
        names: the names of the bots that it speaks of.
        unread: how many notifications have not been read.
        environments: where the user has accounts.
        connections: how the engines' ways to these are.
        is_engine_alive: whether an engine has reported itself lately.
        attention: what needs attention, the worst first.
    """

    bots: int
    active: int
    allowed: int | None
    standings: tuple[Standing, ...]
    deals: tuple[DealCard, ...]
    activity: tuple[Activity, ...]
    names: Mapping[BotId, str]
    unread: int
    environments: frozenset[Environment]
    connections: tuple[Connection, ...]
    is_engine_alive: bool
    attention: tuple[Attention, ...]

    @property
    def realized(self) -> tuple[Money, ...]:
        """What the closed deals brought, to be valued in one currency."""
        return tuple(
            [Money(environment=it.environment, asset=it.quote_asset, amount=it.realized) for it in self.standings]
        )

    @property
    def today(self) -> tuple[Money, ...]:
        """What today's brought, likewise."""
        return tuple(
            [Money(environment=it.environment, asset=it.quote_asset, amount=it.today) for it in self.standings]
        )

    @property
    def unrealized(self) -> tuple[Money, ...]:
        """What the open ones would bring, likewise; those without a price are left out."""
        return tuple(
            [
                Money(environment=it.environment, asset=it.quote_asset, amount=it.unrealized)
                for it in self.standings
                if it.unrealized is not None
            ]
        )


async def overview(store: Store, clock: Clock, user_id: UserId, *, zone: str = "UTC", lines: int = LINES) -> Overview:
    """Return a user's dashboard, from what is stored alone; `dcacore.application.funds` asks the exchanges.

    Args:
        store: the database.
        clock: says when today begins.
        user_id: whose.
        zone: by whose clocks.
        lines: how many lines of activity at most.

    Raises:
        InvalidParameter: there is no such time zone.
    """
    clocks = zone_of(zone)
    midnight = beginning_of(day_of(clock.now(), clocks), clocks)
    async with store.begin(reads_only=True) as work:
        records = await work.bots.of(user_id)
        accounts = {account.id: account for account in await work.accounts.of(user_id)}
        user = await work.users.get(user_id)
        today = await work.deals.totals([record.bot.id for record in records], since=midnight)
        activity = await work.feed.activity(user_id, limit=lines)
        pulse = await work.feed.pulse(user_id)
        found = await _last_comparisons(work, accounts)
        is_alive = bool(await work.leases.engines(ALIVE_WITHIN))
    here = frozenset(account.environment for account in accounts.values())
    ways = tuple([it for it in await connections.of_engines(store, clock) if it.environment in here])
    return Overview(
        bots=len(records),
        active=sum(is_active(record) for record in records),
        allowed=None if user is None else allowed(user.tier),
        standings=standings(records, accounts, today),
        deals=cards(records, accounts),
        activity=activity,
        names={record.bot.id: record.name for record in records},
        unread=pulse.unread,
        environments=here,
        connections=ways,
        is_engine_alive=is_alive,
        attention=tuple(sorted(_attention(records, accounts, found, ways, is_alive=is_alive), key=_weight)),
    )


def allowed(tier: Tier) -> int:
    """Return how many bots the tier allows."""
    return LIMITS[tier]


def is_active(record: BotRecord) -> bool:
    """Say whether the bot does anything: it is not stopped."""
    return record.bot.phase is not Phase.STOPPED


async def _last_comparisons(work: Work, accounts: Iterable[AccountId]) -> dict[AccountId, Reconciliation]:
    found = {account_id: await work.feed.reconciliations(account_id, limit=1) for account_id in accounts}
    return {account_id: newest[0] for account_id, newest in found.items() if newest}


def cards(records: Iterable[BotRecord], accounts: Mapping[AccountId, Account]) -> tuple[DealCard, ...]:
    """Return the open deals, newest first."""
    found = [deal_card(record, accounts[record.account_id]) for record in records]
    return tuple(sorted([it for it in found if it is not None], key=lambda it: it.opened_at, reverse=True))


def standings(
    records: Iterable[BotRecord], accounts: Mapping[AccountId, Account], today: Mapping[BotId, Lifetime]
) -> tuple[Standing, ...]:
    """Return what the bots have come to by environment and quote asset."""
    groups: dict[tuple[Environment, str], list[BotRecord]] = {}
    for record in records:
        key = accounts[record.account_id].environment, record.bot.market.quote_asset
        groups.setdefault(key, []).append(record)
    order = list(Environment)
    keys = sorted(groups, key=lambda it: (order.index(it[0]), it[1]))
    return tuple([_standing(environment, quote, groups[environment, quote], today) for environment, quote in keys])


@exact
def _standing(
    environment: Environment, quote: str, records: list[BotRecord], today: Mapping[BotId, Lifetime]
) -> Standing:
    whole, since_midnight, open_deals, unrealized, priced = Lifetime(), Lifetime(), 0, ZERO, 0
    for record in records:
        whole = whole.together(record.lifetime)
        since_midnight = since_midnight.together(today.get(record.bot.id, Lifetime()))
        deal, price = record.bot.deal, record.bot.price
        if deal is not None:
            open_deals += 1
            if price is not None:
                unrealized, priced = unrealized + deal.books.net * price - deal.books.spent, priced + 1
    return Standing(
        environment=environment,
        quote_asset=quote,
        bots=len(records),
        active=sum(is_active(record) for record in records),
        open_deals=open_deals,
        deals=whole.deals,
        won=whole.won,
        realized=whole.profit,
        today=since_midnight.profit,
        deals_today=since_midnight.deals,
        unrealized=QuoteAmount(unrealized) if priced or not open_deals else None,
        unpriced=open_deals - priced,
        win_rate=win_rate(whole),
    )


@exact
def win_rate(totals: Lifetime) -> Decimal | None:
    """Return won of the closed deals in percent, half-even at 8 decimals; None before the first."""
    return Quotient(totals.won * HUNDRED, Decimal(totals.deals)).rounded() if totals.deals else None


def _attention(
    records: Iterable[BotRecord],
    accounts: Mapping[AccountId, Account],
    found: Mapping[AccountId, Reconciliation],
    ways: Iterable[Connection],
    *,
    is_alive: bool,
) -> Iterator[Attention]:
    if not is_alive and any(is_active(it) or it.bot.wanted is not Wanted.STOP for it in records):
        yield Attention(level=Level.ERROR, text="No engine has reported itself lately: no bot acts until one runs.")
    for record in records:
        trouble = record.bot.trouble
        if trouble is not None:
            level = Level.ERROR if trouble.weight == 2 else Level.WARNING  # noqa: PLR2004  # only its user can help
            yield Attention(level=level, text=f"{record.name}: {trouble.reason}.", bot_id=record.bot.id)
    for account_id, comparison in found.items():
        name = accounts[account_id].name
        for difference in comparison.differences:
            yield Attention(level=Level.WARNING, text=f"{name}: {difference}", account_id=account_id)
        if comparison.stray:
            text = (
                f"{name}: {len(comparison.stray)} orders bear this program's mark and belong to no deal that it knows."
            )
            yield Attention(level=Level.WARNING, text=text, account_id=account_id)
    for way in ways:
        if way.hold_until is not None:
            text = f"{way.environment.value} takes no requests until {way.hold_until:%H:%M:%S} UTC."
            yield Attention(level=Level.WARNING, text=text)


def _weight(attention: Attention) -> int:
    return [Level.ERROR, Level.WARNING, Level.INFO].index(attention.level)
