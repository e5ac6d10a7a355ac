"""A bot trades through the adapter for Binance, on an exchange on the loopback that speaks as Binance does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from dcacore import read_bot
from dcacore.adapters.fernet import generate_key
from dcacore.application import accounts, asking, bots, users
from dcacore.bootstrap import market_of
from dcacore.bootstrap.app import App, open_app, running
from dcacore.domain.bot import Phase
from dcacore.domain.ids import AccountId, UserId
from dcacore.domain.market import Market
from dcacore.domain.money import Price
from dcacore.domain.orders import Side
from dcacore.local_exchange.control.strikes import strike_now
from dcacore.local_exchange.exchange import LocalExchange, Options
from dcacore.local_exchange.faults.kinds import KINDS, Strikes, read_fault
from dcacore.local_exchange.server import serving
from dcacore.local_exchange.site import Site
from dcacore.ports.bot_file import BotFile
from dcacore.ports.records import BotRecord, Environment, RequestKind, Tier
from dcacore.ports.secrets import ApiKey
from dcacore.settings import Settings
from tests.integration.live import CALM, PASSWORD

BOT_FILE = read_bot(CALM)
KEY = ApiKey("key-of-anna", "secret-of-anna")
PATIENCE_S = 30
PROFIT = Decimal("1.49552378")


@attrs.frozen
class Stage:
    """A running engine with one bot, and the exchange."""

    app: App
    user_id: UserId
    site: Site

    def move(self, price: str) -> None:
        self.site.exchange.move("BTCUSDT", Price(Decimal(price)))

    async def bot(self) -> BotRecord:
        return await bots.find(self.app.store, self.user_id, "btc calm")

    async def until(self, is_so: Callable[[BotRecord], bool]) -> BotRecord:
        """Return the bot once it is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_so(record := await self.bot()):  # noqa: ASYNC110  # the database tells nobody
                await asyncio.sleep(0.05)
        return record

    async def wish(self, kind: RequestKind) -> None:
        request = await asking.ask(*self.app.means, user_id=self.user_id, bot="btc calm", kind=kind)
        assert (await self.app.wait_for(request)).is_settled

    @property
    def resting(self) -> int:
        """How many orders rest on the exchange."""
        return len(self.site.exchange.account(KEY.key).open)


def has(safety_orders: int) -> Callable[[BotRecord], bool]:
    """Return what says whether a deal is open in which so many safety orders have filled after the base order."""

    def look(record: BotRecord) -> bool:
        deal = record.bot.deal
        return deal is not None and deal.books.bought > 0 and deal.filled_safety_orders == safety_orders

    return look


@asynccontextmanager
async def playing(folder: Path, *, pays_with: str | None = None, bot_file: BotFile = BOT_FILE) -> AsyncIterator[Stage]:
    local = LocalExchange(Options(secrets={KEY.key: KEY.secret}, pays_with=pays_with))
    local.list_pair(market_of(BOT_FILE), Price(Decimal(30000)))
    site = Site(local)
    async with serving(site) as urls:
        settings = Settings(
            database_url=f"sqlite:///{folder}/app.db",
            encryption_key=generate_key(),
            binance_rest_url=urls.rest,
            binance_stream_url=urls.stream,
            binance_ws_api_url=urls.ws_api,
        )
        async with open_app(settings, may_create=True) as opened:
            user = await users.create(
                *opened.means, opened.passwords, email="anna@example.com", password=PASSWORD, tier=Tier.PRO
            )
            await accounts.add(
                *opened.means,
                opened.secrets,
                user_id=user.id,
                name="spot",
                environment=Environment.CUSTOM,
                api_key=KEY,
                keys=opened.keys,
            )
            await bots.create(
                *opened.means, user_id=user.id, account="spot", bot_file=bot_file, market=market_of(bot_file)
            )
            async with running(opened) as app:
                yield Stage(app, user.id, site)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with playing(tmp_path) as stage:
        yield stage


async def test_a_deal_is_opened_filled_and_closed(stage: Stage) -> None:
    await stage.wish(RequestKind.START)
    await stage.until(has(0))
    await stage.until(lambda _: stage.resting > 1)
    stage.move("29600")
    await stage.until(has(1))
    stage.move("30600")
    record = await stage.until(lambda it: it.lifetime.deals == 1)
    assert record.lifetime.profit > 0
    await stage.until(has(0))
    await stage.wish(RequestKind.STOP)
    await stage.until(lambda it: it.bot.phase is Phase.STOPPED)
    assert stage.app.binance is not None
    (health,) = stage.app.binance.health().values()
    assert health.latency_ms is not None
    assert health.used_weight > 0


async def test_f25_it_goes_on_when_every_connection_is_cut_in_mid_deal(stage: Stage) -> None:
    await stage.wish(RequestKind.START)
    await stage.until(has(0))
    await stage.until(lambda _: stage.resting > 1)
    stage.site.close("all")
    stage.move("29600")  # nobody listens in this moment
    await stage.until(has(1))
    stage.site.announce_shutdown("all")
    stage.move("30600")
    await stage.until(lambda it: it.lifetime.deals == 1)


FAULTS: dict[str, tuple[dict[str, object], ...]] = {
    "none": (),
    "F01 lost answers": ({"kind": "drop_after", "match": "POST /api/v3/order", "times": 3},),
    "F05 failures after the fact": ({"kind": "fail_after", "match": "POST /api/v3/order", "times": 3},),
    "F64 half answers": ({"kind": "garbage", "match": "POST /api/v3/order", "times": 3},),
    "F21 events twice": ({"kind": "event_twice", "times": None},),
    "F22 events swapped": ({"kind": "events_swapped", "times": 20},),
    "F64 questions that fail": (
        {"kind": "fail_before", "match": "GET /api/v3/order", "times": 2},
        {"kind": "fail_before", "match": "GET /api/v3/myTrades", "times": 1},
        {"kind": "drop_after", "match": "POST /api/v3/order", "times": 1},
    ),
    "F54 a clock that is off": ({"kind": "clock_skew", "ms": 4000},),
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
async def test_f01_f05_f21_f22_f54_f64_a_deal_comes_to_the_same_whatever_the_wire_does(
    stage: Stage, faults: tuple[dict[str, object], ...]
) -> None:
    for told in faults:
        fault = read_fault(told)
        if KINDS[fault.kind].strikes is Strikes.NOW:
            strike_now(stage.site, fault)
        else:
            stage.site.desk.add(fault)
    await stage.wish(RequestKind.START)
    await stage.until(has(0))
    await stage.until(lambda _: stage.resting == 1 + BOT_FILE.strategy.max_safety_orders)
    stage.move("30600")
    record = await stage.until(lambda it: it.lifetime.deals == 1)
    assert str(record.lifetime.profit) == str(PROFIT)
    sold = [it for it in stage.site.exchange.venue.trades(AccountId(KEY.key), "BTCUSDT") if it.side is Side.SELL]
    assert sum(it.quantity for it in sold) == Decimal("0.00332")


async def test_f16_f19_a_base_order_that_meets_an_own_order_opens_the_deal_with_what_it_has(stage: Stage) -> None:
    told = {"kind": "thin_market", "symbol": "BTCUSDT", "share": "0.5", "in_match": True}
    strike_now(stage.site, read_fault(told))
    await stage.wish(RequestKind.START)
    record = await stage.until(has(0))
    assert record.bot.deal is not None
    assert record.bot.deal.books.bought == Decimal("0.00166")  # half of 0.00333, on the grid
    await stage.until(lambda _: stage.resting == 1 + BOT_FILE.strategy.max_safety_orders)


async def test_f19_a_safety_order_that_meets_an_own_order_is_told_and_not_placed_again(stage: Stage) -> None:
    await stage.wish(RequestKind.START)
    await stage.until(lambda _: stage.resting == 1 + BOT_FILE.strategy.max_safety_orders)
    strike_now(stage.site, read_fault({"kind": "self_trade", "apiKey": KEY.key, "symbol": "BTCUSDT"}))
    record = await stage.until(lambda it: it.bot.trouble is not None)
    assert record.bot.trouble is not None
    assert "safety order 1 ended on the exchange without this bot's doing" in record.bot.trouble.reason
    orders = len(tuple(stage.site.exchange.account(KEY.key).orders))
    await stage.wish(RequestKind.RETRY)
    await stage.until(lambda it: it.bot.trouble is None)
    assert len(tuple(stage.site.exchange.account(KEY.key).orders)) == orders


async def test_f09_a_safety_order_beyond_the_price_band_is_placed_when_the_price_has_come(tmp_path: Path) -> None:
    deep = attrs.evolve(BOT_FILE.strategy, max_safety_orders=2, price_deviation="45", safety_order_step_scale="1")
    async with playing(tmp_path, bot_file=attrs.evolve(BOT_FILE, strategy=deep)) as stage:
        await stage.wish(RequestKind.START)
        await stage.until(has(0))
        await stage.until(lambda _: stage.resting == 2)  # the nearer safety order, and the target
        stage.move("16500")
        await stage.until(has(1))
        await stage.until(lambda _: stage.resting == 1)
        stage.move("14400")  # a fifth of it is 2880, and the second one lies at 3000
        record = await stage.until(lambda _: stage.resting == 2)
        assert record.bot.trouble is None
        async with stage.app.store.begin(reads_only=True) as work:
            lines = await work.feed.activity(stage.user_id, limit=100)
        assert [line.kind for line in lines].count("order_held") == 1


async def test_a_fee_in_bnb_is_a_cost_at_the_price_of_then(tmp_path: Path) -> None:
    async with playing(tmp_path, pays_with="BNB") as stage:
        bnb = Market(
            pair="BNBUSDT", base_asset="BNB", quote_asset="USDT", tick_size="0.01", step_size="0.001", min_notional="5"
        )
        stage.site.exchange.list_pair(bnb, Price(Decimal(250)))
        stage.site.exchange.transfer(KEY.key, "BNB", Decimal(1))
        await stage.wish(RequestKind.START)
        record = await stage.until(has(0))
        assert record.bot.deal is not None
        books = record.bot.deal.books
        assert books.base_fees == 0
        assert books.buy_fees == Decimal("0.074925")
