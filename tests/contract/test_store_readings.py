"""What every store promises of what pages ask for: pages of deals, sums, days, filters, what is unread."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest

from dcacore.application import bot_pages, deal_pages, notices
from dcacore.application.zones import beginning_of, offsets
from dcacore.domain.books import Books, Carried, Result
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.ids import BotId, DealId, UserId
from dcacore.domain.money import BaseQty, QuoteAmount, Quotient, exact
from dcacore.domain.story import Level
from dcacore.ports.readings import DayProfit, DealPage, DealQuery, DealState, LineFilter, Offset, Pulse
from dcacore.ports.records import DealRecord, Environment, Lifetime, Notification
from dcacore.ports.results import SPREAD_EDGES
from dcacore.ports.store import Store
from tests.contract.databases import Database
from tests.contract.stored import ANN, BOB, SECOND, bot, deal_of, entered, line, people, record, user
from tests.strategies import NOON

ONE, TWO = BotId("one"), BotId("two")
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)
# Clocks are set forward in Europe on 31 March 2024, and two weeks before in America.
SPRING = datetime.datetime(2024, 3, 29, tzinfo=datetime.UTC)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati")


@pytest.fixture
def store(database: Database) -> Store:
    return database.store


def closed(number: int, at: datetime.datetime, profit: str = "1", **changes: Any) -> Deal:
    """Return a deal that ended, with books of many digits."""
    draw = random.Random(number)
    bought, gross = Decimal(draw.randint(1, 10**12)).scaleb(-8), Decimal(draw.randint(10**8, 10**13)).scaleb(-10)
    books = Books(
        bought=BaseQty(bought),
        gross=QuoteAmount(gross),
        base_fees=BaseQty(bought.scaleb(-3)),
        buy_fees=QuoteAmount(Decimal(draw.randint(0, 10**6)).scaleb(-16)),
        sold=BaseQty(bought),
        proceeds=QuoteAmount(gross * 2),
        sell_fees=QuoteAmount(Decimal(number).scaleb(-12)),
    )
    result = Result(profit=QuoteAmount(Decimal(profit)), cost_of_sold=QuoteAmount(gross), carried=Carried())
    made = attrs.evolve(deal_of(entered()), id=DealId(f"deal{number:04}"), number=number, orders={}, books=books)
    opened_at = at - draw.randint(1, 10**6) * SECOND
    usual: dict[str, Any] = {"exit": Exit.TAKE_PROFIT, "opened_at": opened_at, "closed_at": at, "result": result}
    return attrs.evolve(made, **{**usual, **changes})


async def fill(store: Store, deals: Iterable[tuple[BotId, Deal]]) -> None:
    """Store two bots of one user with deals that have ended."""
    await people(store, record(bot("one")), record(bot("two")))
    async with store.begin() as work:
        for bot_id, deal in deals:
            await work.deals.end(bot_id, deal)
        await work.commit()


@exact
def reckoned(deals: Iterable[Deal]) -> Lifetime:
    """Return what deals come to, added up number by number."""
    them = [it for it in deals if it.exit is not Exit.CANCEL and it.result is not None and it.closed_at is not None]
    profits = [it.result.profit for it in them if it.result is not None]
    costs = [it.result.cost_of_sold for it in them if it.result is not None]
    seconds = [(it.closed_at - it.opened_at) // SECOND for it in them if it.closed_at is not None]
    valued = [Quotient(it.books.gross * it.books.base_fees, it.books.bought).rounded() for it in them]
    fees = [it.books.buy_fees + it.books.sell_fees for it in them]
    places = [
        sum(profit * 100 >= edge * cost for edge in SPREAD_EDGES) for profit, cost in zip(profits, costs, strict=True)
    ]
    return Lifetime(
        deals=len(them),
        won=len([profit for profit in profits if profit > 0]),
        profit=QuoteAmount(sum(profits, Decimal(0))),
        volume=QuoteAmount(sum([it.books.gross + it.books.proceeds for it in them], Decimal(0))),
        fees_quote=sum(fees, Decimal(0)),
        fees_base=sum([it.books.base_fees for it in them], Decimal(0)),
        duration_s=sum(seconds),
        best=max(profits, default=None),
        worst=min(profits, default=None),
        fees_valued=QuoteAmount(sum([*fees, *valued], Decimal(0))),
        cost=QuoteAmount(sum(costs, Decimal(0))),
        tied=sum([cost * time for cost, time in zip(costs, seconds, strict=True)], Decimal(0)),
        spread=tuple(places.count(place) for place in range(len(SPREAD_EDGES) + 1)),
    )


def drawn(draw: random.Random, count: int) -> list[tuple[BotId, Deal]]:
    """Return deals that end around midnights of all zones, and when clocks are set forward."""
    found = []
    for number in range(count):
        at = SPRING + draw.randint(0, 5 * 96) * datetime.timedelta(minutes=15)
        at += draw.choice([datetime.timedelta(), datetime.timedelta(microseconds=-1), draw.randint(0, 900) * SECOND])
        profit = str(Decimal(draw.randint(-(10**12), 10**13)).scaleb(-draw.randint(8, 16)))
        ending = Exit.CANCEL if draw.random() < 0.1 else Exit.TAKE_PROFIT
        found.append((draw.choice([ONE, TWO]), closed(number, at, draw.choice([profit, "0"]), exit=ending)))
    return found


@pytest.mark.parametrize("seed", range(3))
async def test_sums_of_any_range_are_those_of_its_deals(store: Store, seed: int) -> None:
    draw = random.Random(seed)
    deals = drawn(draw, 60)
    await fill(store, deals)
    moments = [SPRING + draw.randint(-96, 6 * 96) * datetime.timedelta(minutes=15) for _ in range(12)]
    midnights = [SPRING + number * DAY for number in range(3)]
    ranges = [(None, None), *((it, None) for it in moments), *((None, it) for it in moments)]
    ranges += [(min(pair), max(pair)) for pair in zip(moments, [*midnights, *moments], strict=False)]
    async with store.begin(reads_only=True) as work:
        for since, until in ranges:
            wanted = {}
            for bot_id in (ONE, TWO):
                theirs = [deal for owner, deal in deals if owner == bot_id and ended_between(deal, since, until)]
                if (sums := reckoned(theirs)).deals:
                    wanted[bot_id] = sums
            assert await work.deals.totals([ONE, TWO], since=since, until=until) == wanted, (since, until)
        assert await work.deals.totals([]) == {}
        for since in moments:
            firsts = {}
            for bot_id in (TWO, ONE):
                theirs = [
                    it
                    for owner, it in deals
                    if owner == bot_id and it.exit is not Exit.CANCEL and ended_between(it, since, None)
                ]
                if theirs:
                    firsts[bot_id] = min((it.closed_at, it.id) for it in theirs if it.closed_at is not None)[1]
            found = await work.deals.first_closed([ONE, TWO], since)
            assert {bot_id: deal.deal_id for bot_id, deal in found.items()} == firsts


def ended_between(deal: Deal, since: datetime.datetime | None, until: datetime.datetime | None) -> bool:
    at = deal.closed_at
    return at is not None and (since is None or at >= since) and (until is None or at < until)


@pytest.mark.parametrize("zone", ZONES)
async def test_days_are_those_of_the_zones_clocks(store: Store, zone: str) -> None:
    clocks = ZoneInfo(zone)
    deals = drawn(random.Random(zone), 80)
    await fill(store, deals)
    first, last = datetime.date(2024, 3, 30), datetime.date(2024, 4, 2)
    wanted = []
    for day in (first + number * DAY for number in range(4)):
        since, until = beginning_of(day, clocks), beginning_of(day + DAY, clocks)
        for bot_id in (ONE, TWO):
            sums = reckoned([deal for owner, deal in deals if owner == bot_id and ended_between(deal, since, until)])
            if sums.deals:
                wanted.append(DayProfit(bot_id=bot_id, day=day, deals=sums.deals, won=sums.won, profit=sums.profit))
    async with store.begin(reads_only=True) as work:
        shifts = offsets(clocks, first, last)
        assert await work.deals.by_day([ONE, TWO], shifts, first=first, last=last) == tuple(wanted)
        only = [it for it in wanted if it.bot_id == ONE and it.day == last]
        assert await work.deals.by_day([ONE], shifts, first=last, last=last) == tuple(only)


async def test_a_deal_belongs_to_the_bot_that_is_asked_for(store: Store) -> None:
    await fill(store, [(ONE, closed(1, NOON)), (TWO, closed(2, NOON, "2"))])
    utc = (Offset(NOON - DAY, datetime.timedelta()),)
    async with store.begin(reads_only=True) as work:
        assert set(await work.deals.totals([TWO])) == set(await work.deals.totals([TWO], since=NOON)) == {TWO}
        (day,) = await work.deals.by_day([TWO], utc, first=NOON.date(), last=NOON.date())
        assert (day.bot_id, Decimal(day.profit)) == (TWO, Decimal(2))
        page = await work.deals.page(DealQuery(bot_ids=(TWO,)))
        assert [it.deal.id for it in page.deals] == ["deal0002"]
        assert [it.deal.id for it in await work.deals.ended(ONE)] == ["deal0001"]
        assert await work.deals.page(DealQuery(bot_ids=())) == DealPage(deals=(), total=0)


async def test_deals_come_in_pages_with_filters_and_a_total(store: Store) -> None:
    made = entered(bot("one"))
    cancelled = closed(3, NOON + 3 * HOUR, exit=Exit.CANCEL)
    await people(store, record(made), record(bot("two")))
    async with store.begin() as work:
        for owner, deal in [(ONE, closed(1, NOON)), (TWO, closed(2, NOON + 2 * HOUR)), (ONE, cancelled)]:
            await work.deals.end(owner, deal)
        await work.commit()
    opened, both = deal_of(made).id, (ONE, TWO)
    asked = [
        (DealQuery(bot_ids=both), [opened, "deal0003", "deal0002", "deal0001"], 4),
        (DealQuery(bot_ids=both, limit=2, skip=1), ["deal0003", "deal0002"], 4),
        (DealQuery(bot_ids=both, limit=2, skip=3), ["deal0001"], 4),
        (DealQuery(bot_ids=both, skip=9), [], 4),
        (DealQuery(bot_ids=both, states=frozenset({DealState.OPEN})), [opened], 1),
        (DealQuery(bot_ids=both, states=frozenset({DealState.CLOSED})), ["deal0002", "deal0001"], 2),
        (DealQuery(bot_ids=both, states=frozenset({DealState.CANCELLED})), ["deal0003"], 1),
        (DealQuery(bot_ids=both, states=frozenset()), [], 0),
        (DealQuery(bot_ids=both, since=NOON + HOUR), [opened, "deal0003", "deal0002"], 3),
        (DealQuery(bot_ids=both, until=NOON + 3 * HOUR), ["deal0002", "deal0001"], 2),
    ]
    async with store.begin(reads_only=True) as work:
        for query, ids, total in asked:
            page = await work.deals.page(query)
            assert ([it.deal.id for it in page.deals], page.total) == (ids, total), query


async def test_ended_deals_can_be_read_bit_by_bit(store: Store) -> None:
    """Also those that end at the same moment."""
    deals = [closed(number, NOON + number // 3 * HOUR) for number in range(10)]
    await fill(store, [(ONE, deal) for deal in reversed(deals)])
    found: list[DealRecord] = []
    async with store.begin(reads_only=True) as work:
        while page := await work.deals.ended(ONE, after=found[-1] if found else None, limit=2):
            found += page
        assert [it.deal.id for it in found] == [it.id for it in deals]
        some = await work.deals.ended(ONE, since=NOON + HOUR, until=NOON + 3 * HOUR)
        assert [it.deal.id for it in some] == [it.id for it in deals[3:9]]


async def test_lines_are_filtered(store: Store) -> None:
    await people(store, record(bot("one")), record(bot("two")))
    lines = [
        line("a", bot_id=ONE, environment=None, kind="sold"),
        line("b", bot_id=TWO, environment=None, level=Level.ERROR, at=NOON + HOUR),
        line("c", bot_id=None, environment=Environment.LIVE, level=Level.WARNING),
        line("d", bot_id=None, environment=None),
    ]
    async with store.begin() as work:
        await work.users.add(user(BOB))
        await work.feed.add_activity([*lines, line("e", user_id=BOB, bot_id=None)])
        await work.commit()
    asked = [
        (LineFilter(), "dcba"),
        (LineFilter(bot_id=ONE), "a"),
        (LineFilter(levels=frozenset({Level.ERROR, Level.WARNING})), "cb"),
        (LineFilter(kinds=frozenset({"sold", "bought"})), "a"),
        (LineFilter(environment=Environment.PAPER), "ba"),
        (LineFilter(environment=Environment.LIVE), "c"),
        (LineFilter(since=NOON + HOUR), "b"),
        (LineFilter(until=NOON + HOUR), "dca"),
    ]
    async with store.begin(reads_only=True) as work:
        for wanted, texts in asked:
            found = await work.feed.lines(ANN, wanted)
            assert [it.text for it in found] == list(texts), wanted
        first = await work.feed.lines(ANN, LineFilter(), limit=1)
        rest = await work.feed.lines(ANN, LineFilter(), limit=2, before=first[0].number)
        assert [it.text for it in rest] == ["c", "b"]


async def test_notifications_are_read_one_by_one_or_all(store: Store) -> None:
    await people(store, record(bot("one")))
    async with store.begin() as work:
        await work.users.add(user(BOB))
        notes = [Notification(user_id=owner, at=NOON, kind="told", text=owner) for owner in (ANN, ANN, BOB, ANN)]
        await work.feed.add_notifications(notes)
        await work.commit()
    async with store.begin() as work:
        assert await work.feed.pulse(UserId("nobody")) == Pulse(line=0, notification=0, unread=0)
        newest, middle, _ = await work.feed.notifications(ANN)
        assert (await work.feed.pulse(ANN)).unread == 3
        assert (await work.feed.pulse(ANN)).notification == newest.number
        assert [it.number for it in await work.feed.notifications(ANN, limit=1, before=newest.number)] == [
            middle.number
        ]
        await work.feed.mark_read(BOB, NOON, number=newest.number)  # it is not his
        assert (await work.feed.pulse(ANN)).unread == 3
        await work.feed.mark_read(ANN, NOON + HOUR, number=middle.number)
        assert [it.read_at for it in await work.feed.notifications(ANN)] == [None, NOON + HOUR, None]
        await work.feed.mark_read(ANN, NOON + DAY)
        times = [it.read_at for it in await work.feed.notifications(ANN)]
        assert times == [NOON + DAY, NOON + HOUR, NOON + DAY]
        assert ((await work.feed.pulse(ANN)).unread, (await work.feed.pulse(BOB)).unread) == (0, 1)


async def test_a_page_behind_every_number_is_an_empty_one(store: Store, database: Database) -> None:
    await people(store, record(bot("one")))
    async with store.begin() as work:
        await work.feed.add_activity([line("told", bot_id=ONE)])
        await work.commit()
    for number in (2**63, 10**30):
        assert (await deal_pages.deal_list(store, database.clock, ANN, skip=number)).rows == ()
        assert (await bot_pages.bot_page(store, ANN, "one", skip=number)).deals.deals == ()
        assert len((await notices.activity(store, ANN, before=number)).lines) == 1
        assert (await notices.notifications(store, ANN, before=number)).notifications == ()
        assert await notices.mark_read(store, database.clock, ANN, number=number) == 0
