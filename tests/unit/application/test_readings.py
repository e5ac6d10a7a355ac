"""The pages: numbers as a user sees them, and nothing of anybody else's."""

from __future__ import annotations

import datetime
from collections.abc import AsyncGenerator, AsyncIterator
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs
import pytest

from dcacore.adapters.memory import MemoryLive, MemoryStore
from dcacore.application import analytics, bot_pages, charts, deal_exports, deal_pages, funds, live, notices, overview
from dcacore.application.analytics import Choice
from dcacore.application.charts import LineKind
from dcacore.application.deal_cards import progress
from dcacore.application.refusals import NotFound
from dcacore.application.valuing import LastPrices, Money, valued
from dcacore.application.zones import beginning_of, offsets, zone_of
from dcacore.domain.bot import Trouble, TroubleKind
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import BotId
from dcacore.domain.money import Price
from dcacore.domain.story import Level
from dcacore.ports.candle_archive import ExchangeCandles, Stretch
from dcacore.ports.errors import Unavailable
from dcacore.ports.exchange import Balance
from dcacore.ports.live import BotChanged, Notified, PriceMoved
from dcacore.ports.readings import DealState, LineFilter, Offset
from dcacore.ports.records import Environment, Notification
from tests.contract.stored import ANN, BOB, line, save
from tests.strategies import MINUTE, NOON, candles
from tests.unit.application.readings import BOBS, HOUR, SECRET, Board, Counters, filled, stored
from tests.unit.simulated.clock import ManualClock

Filled = tuple[MemoryStore, ManualClock]


def told(numbers: object) -> object:
    """Return *numbers*, written plainly: to the type checker an amount of quote is no int."""
    return numbers


@pytest.fixture
async def both() -> Filled:
    return await filled()


async def test_the_dashboard_keeps_environments_apart_and_counts_from_the_users_midnight(both: Filled) -> None:
    seen = await overview.overview(*both, ANN, zone="UTC")
    assert (seen.bots, seen.active, seen.allowed, seen.unread) == (2, 1, 5, 1)
    testnet, paper = seen.standings
    assert (testnet.environment, testnet.realized, testnet.today) == told((Environment.TESTNET, 5, 5))
    assert (paper.environment, paper.realized, paper.today, paper.deals_today) == told((Environment.PAPER, 2, -1, 1))
    assert (paper.win_rate, paper.open_deals, paper.unpriced) == told((50, 1, 0))
    later = await overview.overview(*both, ANN, zone="Pacific/Kiritimati")  # the day began at 10:00 UTC
    assert [it.today for it in later.standings] == [5, -1]
    earlier = await overview.overview(*both, ANN, zone="Asia/Kolkata")  # the day began at 18:30 UTC
    assert [it.today for it in earlier.standings] == [5, 2]
    assert seen.realized == (
        Money(environment=Environment.TESTNET, asset="XYZ", amount=Decimal(5)),
        Money(environment=Environment.PAPER, asset="XYZ", amount=Decimal(2)),
    )
    with pytest.raises(InvalidParameter, match="time zone"):
        await overview.overview(*both, ANN, zone="../etc/passwd")


async def test_an_open_deal_is_a_card_with_a_bar(both: Filled) -> None:
    (card,) = (await overview.overview(*both, ANN)).deals
    assert (card.bot, card.average, card.target, card.next_safety_order) == told(("Alpha", 100, 110, 90))
    assert (card.safety_orders_used, card.safety_orders, card.progress) == (0, 2, Decimal("0.5"))
    assert (card.unrealized, card.unrealized_percent, card.spent) == told((0, 0, 100))


@pytest.mark.parametrize(
    ("low", "high", "price", "wanted"),
    [("90", "110", "80", "0"), ("90", "110", "130", "1"), ("90", "110", "95", "0.25"), (None, "110", "95", None)],
)
def test_a_bar_is_cut_at_its_ends(low: str | None, high: str, price: str, wanted: str | None) -> None:
    ends = [None if it is None else Price(Decimal(it)) for it in (low, high, price)]
    assert progress(*ends) == (None if wanted is None else Decimal(wanted))


async def test_what_needs_attention_comes_worst_first(both: Filled) -> None:
    store, clock = both
    troubled = attrs.evolve(await stored(store), trouble=Trouble(TroubleKind.WAITING_FOR_BALANCE, "too little XYZ"))
    async with store.begin() as work:
        await save(work, troubled)
        await work.commit()
    told = (await overview.overview(store, clock, ANN)).attention
    assert [(it.level, it.bot_id) for it in told] == [(Level.ERROR, None), (Level.WARNING, "alpha")]
    assert told[1].text == "Alpha: too little XYZ."


async def test_funds_tell_what_ladders_need_and_which_exchange_is_silent(both: Filled) -> None:
    held = {"XYZ": Balance(Decimal(50), Decimal(10)), "ABC": Balance(Decimal(2), Decimal(0))}
    venues = Counters(held, Board({"ABCXYZ": "100"}))
    paper, testnet = await funds.funds(both[0], venues, LastPrices(venues, both[1]), ANN, currency="xyz")
    assert {row.asset: row.value for row in paper.rows} == {"ABC": 200, "XYZ": 60}
    assert (paper.worth.amount, paper.worth.currency, paper.failure) == told((260, "XYZ", ""))
    needed = next(row for row in paper.rows if row.asset == "XYZ")
    # Three orders of 100 each, of which one is spent, and 99.99 and 100 rest.
    assert (needed.needed, needed.lacking) == told((Decimal("0.01"), 0))
    assert (testnet.worth.amount, testnet.failure) == (None, "the testnet is being mended")


async def test_what_has_no_price_is_named_and_prices_are_asked_for_once(both: Filled) -> None:
    venues = Counters(board=Board({"ABCXYZ": "100"}))
    prices = LastPrices(venues, both[1])
    amounts = [Money(environment=Environment.PAPER, asset=it, amount=Decimal(2)) for it in ("ABC", "XYZ", "ODD")]
    amounts.append(Money(environment=Environment.TESTNET, asset="ABC", amount=Decimal(1)))
    for _ in range(2):
        testnet, paper = await valued(prices, amounts, "XYZ")
        assert (paper.amount, paper.unvalued, paper.reason) == told((202, ("ODD",), "no pair leads from ODD to XYZ"))
        assert (testnet.amount, testnet.unvalued) == (None, ("ABC",))
        assert "mended" in testnet.reason
    assert venues.board.asked == 1


async def test_bots_are_cards_and_one_is_a_page(both: Filled) -> None:
    store, _ = both
    seen = await bot_pages.bot_cards(store, ANN)
    assert [(it.name, it.state, it.environment.value, it.totals.deals) for it in seen.cards] == [
        ("Alpha", "in_position", "paper", 2),
        ("=beta", "stopped", "testnet", 1),
    ]
    assert (seen.allowed, seen.is_full) == (5, False)
    page = await bot_pages.bot_page(store, ANN, "Alpha", limit=1, skip=1)
    assert (page.deals.total, [it.deal.number for it in page.deals.deals]) == (3, [92])
    assert (page.average_percent, page.average_duration_s) == told((1, 3600))
    kinds = [(it.kind, it.price, it.is_resting) for it in page.lines]
    assert kinds[0] == told((LineKind.TARGET, 110, True))
    assert (LineKind.SAFETY, Decimal(90), True) in kinds
    assert [(it.price, it.quantity) for it in page.markers] == told([(100, 1)])
    assert page.view.explanation
    name, text = await bot_pages.exported(store, ANN, "=beta")
    assert (name, text.splitlines()[1]) == ("beta.toml", 'name = "=beta"')
    assert bot_pages.free_name("a" * 60, {"a" * 55 + " copy"}) == "a" * 53 + " copy 2"
    assert (await bot_pages.name_for_copy(store, ANN, "Alpha"))[1] == "Alpha copy"


async def test_deals_are_listed_and_shown(both: Filled) -> None:
    listed = await deal_pages.deal_list(*both, ANN, limit=2)
    assert (listed.total, [row.state.value for row in listed.rows]) == (4, ["open", "closed"])
    closed = frozenset({DealState.CLOSED})
    paper = await deal_pages.deal_list(*both, ANN, Choice(environment=Environment.PAPER), states=closed)
    assert [(row.profit, row.profit_percent, row.duration_s) for row in paper.rows] == told(
        [(-1, -1, 3600), (3, 3, 3600)]
    )
    on_the_day_before = Choice(first=NOON.date() - 24 * HOUR, last=NOON.date() - 24 * HOUR)
    assert [row.profit for row in (await deal_pages.deal_list(*both, ANN, on_the_day_before)).rows] == [3]
    shown = await deal_pages.deal_page(*both, ANN, "Alpha")
    assert (shown.row.state, shown.at_market, shown.row.entry) == told((DealState.OPEN, 0, 100))
    assert shown.orders[0].fills
    assert shown.explanation
    past = await deal_pages.deal_page(*both, ANN, paper.rows[0].record.deal.id)
    assert (past.card, past.lines, past.explanation, past.at_market) == (None, (), (), None)


async def test_analytics_group_by_environment_and_quote_asset(both: Filled) -> None:
    seen = await analytics.analytics(*both, ANN)
    testnet, paper = seen.groups
    assert (paper.figures.totals.profit, paper.figures.win_rate, paper.figures.average_profit) == told((2, 50, 1))
    assert [(it.day.day, it.profit, it.cumulative) for it in paper.days] == told([(31, 3, 3), (1, -1, 2)])
    assert sum(it.deals for it in paper.spread) == 2
    assert next(it for it in paper.spread if it.low == 3).deals == 1
    assert [it.bot for it in testnet.by_bot] == ["=beta"]
    assert [it.pair for it in testnet.by_pair] == ["ABCXYZ"]
    only = await analytics.analytics(*both, ANN, Choice(bot="Alpha", first=NOON.date(), zone="Europe/Berlin"))
    (group,) = only.groups
    assert (group.figures.totals.profit, [it.profit for it in group.days]) == told((-1, [-1]))
    # An hour of 100 in the hour and a half that the bot has been there.
    assert (group.figures.funds, group.figures.return_percent) == (Decimal("66.66666667"), Decimal("-1.5"))
    with pytest.raises(InvalidParameter, match="must not lie before"):
        await analytics.analytics(*both, ANN, Choice(first=NOON.date(), last=NOON.date() - 24 * HOUR))


async def test_funds_count_from_the_beginning_of_the_range(both: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    store, clock = both
    async with store.begin(reads_only=True) as work:
        lost = (await work.deals.ended(BotId("alpha")))[-1]
    middle = lost.deal.opened_at + HOUR / 2  # no zone has its midnight there
    monkeypatch.setattr(analytics, "bounds", lambda *_: (middle, None))
    (group,) = (await analytics.analytics(store, clock, ANN, Choice(bot="Alpha"))).groups
    # Half an hour of 100, not the whole of it, in the hour and a half that the bot has been there.
    assert (group.figures.totals.deals, group.figures.funds) == (1, Decimal("33.33333333"))


async def test_a_range_of_thousands_of_years_is_gone_through_where_there_was_a_bot(
    both: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[datetime.date, datetime.date]] = []

    def seen(zone: ZoneInfo, first: datetime.date, last: datetime.date) -> tuple[Offset, ...]:
        asked.append((first, last))
        return offsets(zone, first, last)

    monkeypatch.setattr(analytics, "offsets", seen)
    choice = Choice(first=datetime.date(1970, 1, 3), last=datetime.date(9000, 1, 1), zone="Europe/Berlin")
    wide, whole = await analytics.analytics(*both, ANN, choice), await analytics.analytics(*both, ANN)
    assert [it.days for it in wide.groups] == [it.days for it in whole.groups]
    assert all(last - first < datetime.timedelta(days=10) for first, last in asked)


async def test_activity_has_filters_and_pages(both: Filled) -> None:
    store, clock = both
    async with store.begin() as work:
        await work.feed.add_activity([line(str(it), bot_id=BotId("beta")) for it in range(3)])
        await work.commit()
    first = await notices.activity(store, ANN, limit=2)
    assert [it.text for it in first.lines] == ["2", "1"]
    rest = await notices.activity(store, ANN, limit=2, before=first.before)
    assert ([it.text for it in rest.lines], rest.before) == (["0", "Ann's"], None)
    with pytest.raises(NotFound):
        await notices.activity(store, ANN, LineFilter(bot_id=BOBS))
    (note,) = (await notices.notifications(store, ANN)).notifications
    assert await notices.mark_read(store, clock, BOB, number=note.number) == 1
    assert await notices.unread(store, ANN) == 1
    assert await notices.mark_read(store, clock, ANN, number=note.number) == 0


async def test_csv_is_streamed_and_harmless(both: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deal_exports, "PAGE", 1)
    lines = [it async for it in await deal_exports.deals_csv(*both, ANN)]
    assert lines[0].startswith("bot,account,environment,deal_id,state,")
    assert [it.split(",")[0] for it in lines[1:]] == ["Alpha", "Alpha", "Alpha", "'=beta"]
    assert [it.split(",")[4] for it in lines[1:]] == ["closed", "closed", "open", "closed"]
    ended = Choice(last=NOON.date() - 24 * HOUR)
    assert len([it async for it in await deal_exports.deals_csv(*both, ANN, ended)]) == 2
    orders = [it async for it in await deal_exports.orders_csv(*both, ANN)]
    assert len(orders) == 1 + 4
    for text in ("=1+1", " =1", "\t=1", "+1", "-1", "@x", "\r=1", "  @x", "\u00a0=1", "\uff1d1"):
        assert deal_exports.cell(text).startswith("'")
    assert [deal_exports.cell(it) for it in (None, 3, Decimal("-1E-3"), "safe")] == ["", "3", "-0.001", "safe"]


async def test_nothing_of_another_user_shows_anywhere(both: Filled) -> None:
    store, clock = both
    venues = Counters()
    bobs_deal = (await deal_pages.deal_list(store, clock, BOB)).rows[0].record.deal.id
    seen = [
        await overview.overview(store, clock, ANN),
        await funds.funds(store, venues, LastPrices(venues, clock), ANN),
        await bot_pages.bot_cards(store, ANN),
        await analytics.analytics(store, clock, ANN),
        await deal_pages.deal_list(store, clock, ANN),
        await notices.activity(store, ANN),
        await notices.notifications(store, ANN),
        [it async for it in await deal_exports.deals_csv(store, clock, ANN)],
        [it async for it in await deal_exports.orders_csv(store, clock, ANN)],
    ]
    for one in seen:
        assert SECRET not in repr(one)
        assert "7777" not in repr(one)
    for named in (BOBS, SECRET):
        with pytest.raises(NotFound):
            await bot_pages.bot_page(store, ANN, named)
        with pytest.raises(NotFound):
            await bot_pages.exported(store, ANN, named)
        with pytest.raises(NotFound):
            await analytics.analytics(store, clock, ANN, Choice(bot=named))
        with pytest.raises(NotFound):
            await deal_exports.deals_csv(store, clock, ANN, Choice(bot=named))
    with pytest.raises(NotFound):
        await deal_pages.deal_page(store, clock, ANN, bobs_deal)


# -------------------------------------------------------------------------------------------------------------- charts


@attrs.define
class Klines(ExchangeCandles):
    """Answers the same candles, or fails."""

    rows: int = 3
    failure: Exception | None = None
    asked: list[tuple[str, str, int, int]] = attrs.field(factory=list)

    async def stretches(self, pair: str, interval: str, from_ms: int, to_ms: int) -> AsyncGenerator[Stretch]:
        self.asked.append((pair, interval, from_ms, to_ms))
        if self.failure is not None:
            raise self.failure
        yield Stretch(candles=candles([("1", "2", "1", "2")] * self.rows), sha256="")


async def test_a_chart_has_no_more_candles_than_asked_for() -> None:
    klines = Klines(rows=9)
    found = await charts.candles("ABCXYZ", NOON, NOON + 3 * HOUR, exchange=klines, most=5)
    assert found.candles is not None
    assert (found.interval, len(found.candles), found.source) == ("1h", 5, "exchange")
    ((_, _, from_ms, to_ms),) = klines.asked
    assert to_ms - from_ms <= 5 * 60 * MINUTE
    gone = await charts.candles("ABCXYZ", NOON, NOON + HOUR, exchange=Klines(failure=Unavailable("it is being mended")))
    assert (gone.candles, gone.reason) == (None, "the exchange cannot be asked for candles now: it is being mended")
    none = await charts.candles("ABCXYZ", NOON, NOON + HOUR)
    assert none.reason == "there is nothing to ask for candles"


@pytest.mark.parametrize(("hours", "interval"), [(1, "1m"), (24, "3m"), (24 * 30, "2h"), (24 * 365 * 30, "1w")])
def test_the_interval_fits_the_span(hours: int, interval: str) -> None:
    assert charts.interval_for(hours * HOUR) == interval


# --------------------------------------------------------------------------------------------------------------- zones


def test_a_zones_changes_are_found_to_the_second() -> None:
    berlin = zone_of("Europe/Berlin")
    found = offsets(berlin, datetime.date(2024, 3, 1), datetime.date(2024, 11, 30))
    assert [(it.since, it.ahead) for it in found[1:]] == [
        (datetime.datetime(2024, 3, 31, 1, tzinfo=datetime.UTC), 2 * HOUR),
        (datetime.datetime(2024, 10, 27, 1, tzinfo=datetime.UTC), HOUR),
    ]
    assert found[0].ahead == HOUR
    assert beginning_of(datetime.date(2024, 7, 1), berlin) == datetime.datetime(2024, 6, 30, 22, tzinfo=datetime.UTC)


# ---------------------------------------------------------------------------------------------------------------- live


class Later:
    """Calls when it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, object]] = []

    def __call__(self, seconds: float, call: object) -> None:
        self.calls.append((seconds, call))

    @property
    def waits(self) -> list[float]:
        return [seconds for seconds, _ in self.calls]

    def run(self) -> None:
        """Call all of it."""
        calls, self.calls = self.calls, []
        for _, call in calls:
            assert callable(call)
            call()


async def some(patches: AsyncIterator[live.Patch], count: int) -> list[live.Patch]:
    return [await anext(patches) for _ in range(count)]


async def test_a_page_hears_of_its_user_and_of_nobody_else(both: Filled) -> None:
    store, clock = both
    later = Later()
    hub = MemoryLive(later=later)
    patches = live.patches(store, hub, clock, ANN)
    first = await some(patches, 4)
    assert [type(it) for it in first] == [
        live.StatePatch,
        live.StatePatch,
        live.NotificationPatch,
        live.LinesPatch,
    ]
    async with store.begin() as work:
        await work.bots.rename(BotId("beta"), "Beta")
        await work.bots.rename(BOBS, "other")
        await work.feed.add_notifications([Notification(user_id=ANN, at=NOON, kind="told", text="new")])
        await work.commit()
    hub.say(BotChanged(BOB, BOBS))
    hub.say(Notified(BOB))
    hub.say(BotChanged(ANN, BOBS))  # no engine says so; it would show nothing of Bob's
    hub.say(BotChanged(ANN, BotId("beta")))
    state, note = await some(patches, 2)
    assert isinstance(state, live.StatePatch)
    assert state.card.name == "Beta"
    assert isinstance(note, live.NotificationPatch)
    assert ([it.text for it in note.notifications], note.unread) == (["new"], 2)
    hub.say(PriceMoved(Environment.TESTNET, "ABCXYZ", Price(Decimal(7)), NOON))
    for price in (105, 104, 106):
        hub.say(PriceMoved(Environment.PAPER, "ABCXYZ", Price(Decimal(price)), NOON))
    hub.say(PriceMoved(Environment.PAPER, "OTHER", Price(Decimal(1)), NOON))
    assert later.waits == [0.05]
    later.run()
    testnet, paper = await some(patches, 2)
    assert isinstance(testnet, live.PricePatch)
    assert isinstance(paper, live.PricePatch)
    assert (testnet.price, testnet.deals) == told((7, ()))
    assert (paper.price, [it.unrealized for it in paper.deals]) == told((106, [6]))
    await patches.aclose()
    assert not hub.is_heard


async def test_prices_are_handed_on_soon_and_then_a_while_apart() -> None:
    later = Later()
    hub = MemoryLive(later=later)

    def say(price: int) -> None:
        hub.say(PriceMoved(Environment.PAPER, "ABCXYZ", Price(Decimal(price)), NOON))

    with hub.listen(ANN) as listening:
        listening.watch([(Environment.PAPER, "ABCXYZ")])
        say(1)
        assert later.waits == [0.05]
        later.run()
        assert [it.price for it in await listening.heard(0) if isinstance(it, PriceMoved)] == [1]
        say(2)
        say(3)
        assert later.waits == [0.25]
        assert await listening.heard(0) == ()
        later.run()
        assert [it.price for it in await listening.heard(0) if isinstance(it, PriceMoved)] == [3]
        later.run()
        assert later.waits == []  # nothing is waited for while nothing is said
        say(4)
        assert later.waits == [0.05]


async def test_what_another_process_has_stored_is_seen_without_a_word(both: Filled) -> None:
    store, _ = both
    page = live._Page(store, ANN)
    await page.read_all(0)
    assert await page.look((), 0.5) == []
    async with store.begin() as work:
        await work.bots.rename(BotId("beta"), "Beta")
        await work.feed.add_activity([line("renamed", bot_id=BotId("beta"))])
        await work.commit()
    state, lines = await page.look((), 1.5)
    assert isinstance(state, live.StatePatch)
    assert lines == live.LinesPatch(newest=await notices.newest(store, ANN))
    assert await page.look((), 3) == []
    async with store.begin() as work:
        await work.bots.remove(BotId("beta"))
        await work.commit()
    gone, lines = await page.look((), 20)
    assert gone == live.BotGonePatch(bot_id=BotId("beta"))
    assert lines == live.LinesPatch(newest=await notices.newest(store, ANN))  # its lines have gone with it
