"""What the closed deals have come to: sums, by bot, by pair, by day. Environments and quote assets stay apart."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs

from dcacore.application.finding import bot_of
from dcacore.application.overview import win_rate
from dcacore.application.zones import beginning_of, day_of, offsets, zone_of
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import BotId, UserId
from dcacore.domain.money import HUNDRED, ZERO, QuoteAmount, Quotient, exact
from dcacore.ports.clock import Clock
from dcacore.ports.readings import DayProfit
from dcacore.ports.records import BotRecord, Environment, Lifetime
from dcacore.ports.results import SPREAD_EDGES, ClosedDeal
from dcacore.ports.store import Store

_DAY = datetime.timedelta(days=1)
_SECOND = datetime.timedelta(seconds=1)


@attrs.frozen(kw_only=True)
class Choice:
    """Which deals are looked at; what is None does not matter.

    Attributes:
        environment: where they were made.
        quote_asset: in what.
        bot: the id or name of a bot.
        pair: in which market.
        first: the first day on which they closed, by the zone's clocks.
        last: the last day, which still counts.
        zone: whose clocks.
    """

    environment: Environment | None = None
    quote_asset: str | None = None
    bot: str | None = None
    pair: str | None = None
    first: datetime.date | None = None
    last: datetime.date | None = None
    zone: str = "UTC"


@attrs.frozen(kw_only=True)
class Figures:
    """What deals have come to, in one quote asset. Quotients are half-even at 8 decimals.

    Attributes:
        totals: the sums.
        win_rate: won of all in percent; None without a deal.
        average_profit: of a deal; None likewise.
        average_percent: profit in percent of what was spent on what was sold; None when nothing was.
        average_duration_s: in whole seconds; None without a deal.
        funds: what was tied up on the average over the whole time; None where there was no time.
        return_percent: profit in percent of these funds, for the whole time; None when nothing was tied up.
    """

    totals: Lifetime
    win_rate: Decimal | None
    average_profit: Decimal | None
    average_percent: Decimal | None
    average_duration_s: int | None
    funds: Decimal | None
    return_percent: Decimal | None


@attrs.frozen(kw_only=True)
class OfBot:
    """What one bot's deals have come to."""

    bot_id: BotId
    bot: str
    pair: str
    figures: Figures


@attrs.frozen(kw_only=True)
class OfPair:
    """What the deals in one market have come to."""

    pair: str
    figures: Figures


@attrs.frozen(kw_only=True)
class OfDay:
    """What the deals brought that closed on one day, and all up to it."""

    day: datetime.date
    deals: int
    won: int
    profit: QuoteAmount
    cumulative: QuoteAmount


@attrs.frozen(kw_only=True)
class Bucket:
    """How many deals made a profit, in percent of what was spent, from *low* on and below *high*; None is no limit."""

    low: Decimal | None
    high: Decimal | None
    deals: int


@attrs.frozen(kw_only=True)
class Group:
    """All of one environment and quote asset.

    Attributes:
        environment: where.
        quote_asset: in what.
        figures: all together.
        by_bot: bot by bot, the best first; those without a deal are there, too.
        by_pair: market by market, the best first.
        days: the days with a deal, oldest first.
        spread: how the deals are spread over buckets of percent, lowest first.
    """

    environment: Environment
    quote_asset: str
    figures: Figures
    by_bot: tuple[OfBot, ...]
    by_pair: tuple[OfPair, ...]
    days: tuple[OfDay, ...]
    spread: tuple[Bucket, ...]


@attrs.frozen(kw_only=True)
class Analytics:
    """What a user's closed deals have come to.

    Attributes:
        choice: which were looked at.
        groups: by environment and quote asset.
        environments: what can be chosen from.
        quote_assets: likewise.
        pairs: likewise.
        bots: likewise, by id.
    """

    choice: Choice
    groups: tuple[Group, ...]
    environments: tuple[Environment, ...]
    quote_assets: tuple[str, ...]
    pairs: tuple[str, ...]
    bots: Mapping[BotId, str]


async def analytics(store: Store, clock: Clock, user_id: UserId, choice: Choice | None = None) -> Analytics:
    """Return what a user's deals have come to that fit *choice*.

    Raises:
        NotFound: the user has no such bot.
        InvalidParameter: there is no such time zone, or the last day lies before the first.
    """
    choice = choice or Choice()
    zone, now = zone_of(choice.zone), clock.now()
    since, until = bounds(choice, zone)
    async with store.begin(reads_only=True) as work:
        mine = await work.bots.of(user_id)
        only = None if choice.bot is None else (await bot_of(work, user_id, choice.bot)).bot.id
        places = {account.id: account.environment for account in await work.accounts.of(user_id)}
        chosen = [it for it in mine if _fits(it, places[it.account_id], choice, only)]
        ids = [it.bot.id for it in chosen]
        totals = await work.deals.totals(ids, since=since, until=until)
        if since is not None:
            totals = _within(totals, await work.deals.first_closed(list(totals), since), since)
        # However many years are asked for, only those are gone through in which a bot was there.
        begin, end = day_of(min((it.created_at for it in chosen), default=now), zone) - _DAY, day_of(now, zone) + _DAY
        first, last = max(choice.first or begin, begin), min(choice.last or end, end)
        days = await work.deals.by_day(ids, offsets(zone, first, last), first=first, last=last) if first <= last else ()
    groups = defaultdict[tuple[Environment, str], list[BotRecord]](list)
    for record in chosen:
        groups[places[record.account_id], record.bot.market.quote_asset].append(record)
    order = list(Environment)
    return Analytics(
        choice=choice,
        groups=tuple(
            [
                _group(key, groups[key], totals, days, (since, min(until or now, now)))
                for key in sorted(groups, key=lambda it: (order.index(it[0]), it[1]))
            ]
        ),
        environments=tuple([it for it in Environment if it in {places[record.account_id] for record in mine}]),
        quote_assets=tuple(sorted({record.bot.market.quote_asset for record in mine})),
        pairs=tuple(sorted({record.bot.market.pair for record in mine})),
        bots={record.bot.id: record.name for record in mine},
    )


def bounds(choice: Choice, zone: ZoneInfo) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    """Return from when on and before when deals have to have closed; None is without limit.

    Raises:
        InvalidParameter: the last day lies before the first, or out of the calendar.
    """
    if choice.first is not None and choice.last is not None and choice.last < choice.first:
        raise InvalidParameter("last day", choice.last.isoformat(), f"must not lie before {choice.first.isoformat()}")
    for day in (choice.first, choice.last):
        if day is not None and not datetime.date(1970, 1, 3) <= day <= datetime.date(9000, 1, 1):
            raise InvalidParameter("day", day.isoformat(), "must be one of the years 1970 to 8999")
    since = None if choice.first is None else beginning_of(choice.first, zone)
    until = None if choice.last is None else beginning_of(choice.last + _DAY, zone)
    return since, until


@exact
def _within(
    totals: Mapping[BotId, Lifetime], firsts: Mapping[BotId, ClosedDeal], since: datetime.datetime
) -> Mapping[BotId, Lifetime]:
    """Return the totals with the funds tied up from *since* on alone, where a deal had been open before."""
    found = dict(totals)
    for bot_id, deal in firsts.items():
        if bot_id in found and deal.opened_at < since:
            before = deal.cost * ((since - deal.opened_at) // _SECOND)
            found[bot_id] = attrs.evolve(found[bot_id], tied=found[bot_id].tied - before)
    return found


def _fits(record: BotRecord, environment: Environment, choice: Choice, only: BotId | None) -> bool:
    return (
        choice.environment in {None, environment}
        and choice.quote_asset in {None, record.bot.market.quote_asset}
        and choice.pair in {None, record.bot.market.pair}
        and only in {None, record.bot.id}
    )


def _group(
    key: tuple[Environment, str],
    records: list[BotRecord],
    totals: Mapping[BotId, Lifetime],
    days: Iterable[DayProfit],
    span: tuple[datetime.datetime | None, datetime.datetime],
) -> Group:
    of_pair: dict[str, list[BotRecord]] = {}
    for record in records:
        of_pair.setdefault(record.bot.market.pair, []).append(record)
    whole = _sum_of(records, totals)
    by_bot = [
        OfBot(
            bot_id=record.bot.id,
            bot=record.name,
            pair=record.bot.market.pair,
            figures=figures(_sum_of([record], totals), _seconds([record], span)),
        )
        for record in records
    ]
    by_pair = [
        OfPair(pair=pair, figures=figures(_sum_of(theirs, totals), _seconds(theirs, span)))
        for pair, theirs in of_pair.items()
    ]
    ids = {record.bot.id for record in records}
    return Group(
        environment=key[0],
        quote_asset=key[1],
        figures=figures(whole, _seconds(records, span)),
        by_bot=tuple(sorted(by_bot, key=lambda it: (-it.figures.totals.profit, it.bot))),
        by_pair=tuple(sorted(by_pair, key=lambda it: (-it.figures.totals.profit, it.pair))),
        days=_days([it for it in days if it.bot_id in ids]),
        spread=buckets(whole.spread),
    )


def _sum_of(records: Iterable[BotRecord], totals: Mapping[BotId, Lifetime]) -> Lifetime:
    whole = Lifetime()
    for record in records:
        whole = whole.together(totals.get(record.bot.id, Lifetime()))
    return whole


def _seconds(records: Iterable[BotRecord], span: tuple[datetime.datetime | None, datetime.datetime]) -> int:
    """Return for how long the first of the bots has been there, within the span."""
    begin = min(record.created_at for record in records)
    begin = begin if span[0] is None else max(begin, span[0])
    return max(0, (span[1] - begin) // _SECOND)


@exact
def figures(totals: Lifetime, seconds: int) -> Figures:
    """Return what *totals*, made in so many *seconds*, amount to."""
    count = Decimal(totals.deals)
    has_time = seconds > 0 and totals.tied > 0
    return Figures(
        totals=totals,
        win_rate=win_rate(totals),
        average_profit=Quotient(totals.profit, count).rounded() if count else None,
        average_percent=Quotient(totals.profit * HUNDRED, totals.cost).rounded() if totals.cost > 0 else None,
        average_duration_s=totals.duration_s // totals.deals if totals.deals else None,
        funds=Quotient(totals.tied, Decimal(seconds)).rounded() if seconds > 0 else None,
        return_percent=Quotient(totals.profit * HUNDRED * seconds, totals.tied).rounded() if has_time else None,
    )


@exact
def _days(found: Iterable[DayProfit]) -> tuple[OfDay, ...]:
    sums: dict[datetime.date, tuple[int, int, Decimal]] = {}
    for it in found:
        deals, won, profit = sums.get(it.day, (0, 0, ZERO))
        sums[it.day] = deals + it.deals, won + it.won, profit + it.profit
    days, cumulative = [], ZERO
    for day, (deals, won, profit) in sorted(sums.items()):
        cumulative += profit
        brought, so_far = QuoteAmount(profit), QuoteAmount(cumulative)
        days.append(OfDay(day=day, deals=deals, won=won, profit=brought, cumulative=so_far))
    return tuple(days)


def buckets(spread: Iterable[int]) -> tuple[Bucket, ...]:
    """Return the counts with the edges between which they lie."""
    edges: list[Decimal | None] = [None, *SPREAD_EDGES, None]
    pairs = zip(edges, edges[1:], spread, strict=False)
    return tuple([Bucket(low=low, high=high, deals=count) for low, high, count in pairs])
