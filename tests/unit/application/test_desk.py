"""What an account holds and is worth, which pairs there are, and how the way to an exchange is."""

from __future__ import annotations

import datetime
from decimal import Decimal

import attrs
import pytest

from dcacore.application import connections, pairs
from dcacore.application.holdings import holdings
from dcacore.application.refusals import NotFound
from dcacore.bootstrap.paper import InProcessPaper
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.market import Market
from dcacore.ports.exchange import Listing
from dcacore.ports.health import Health
from dcacore.ports.records import Environment, User
from tests.unit.application.office import MARKET, Office

HELD = {"USDT": Decimal(100), "BTC": Decimal("0.5"), "SHIB": Decimal(7), "ETH": Decimal(0)}
HEALTH = Health(
    latency_ms=31,
    clock_offset_ms=-4,
    prices_age_s=0.5,
    events_age_s=None,
    used_weight=12,
    weight_limit=6000,
    hold_s=40.0,
)


def market(base: str, quote: str) -> Market:
    return attrs.evolve(MARKET, pair=base + quote, base_asset=base, quote_asset=quote)


def paper(office: Office) -> InProcessPaper:
    return InProcessPaper([(MARKET, 30000)], HELD, office.clock)


async def test_what_an_account_holds_is_valued_dearest_first(office: Office, anna: User) -> None:
    found = await holdings(office.store, paper(office), user_id=anna.id, named="paper")
    assert [(row.asset, row.value) for row in found.rows] == [("BTC", 15000), ("USDT", 100), ("SHIB", None)]
    assert (found.total, found.unvalued, found.quote) == (Decimal(15100), ("SHIB",), "USDT")
    in_btc = await holdings(office.store, paper(office), user_id=anna.id, named="paper", quote=" btc ")
    assert [(row.asset, row.value) for row in in_btc.rows][:2] == [
        ("BTC", Decimal("0.5")),
        ("USDT", Decimal("0.00333333")),
    ]


@pytest.mark.parametrize("quote", ["", "US DT", "A" * 21, "\x1b[2J", "ü"])
async def test_a_quote_asset_has_a_name(office: Office, anna: User, quote: str) -> None:
    with pytest.raises(InvalidParameter, match="quote asset"):
        await holdings(office.store, paper(office), user_id=anna.id, named="paper", quote=quote)


async def test_another_users_account_is_not_found(office: Office, anna: User) -> None:
    bert = await office.user("bert@example.com")
    with pytest.raises(NotFound):
        await holdings(office.store, paper(office), user_id=bert.id, named="paper")
    with pytest.raises(NotFound):
        await pairs.search(office.store, paper(office), user_id=bert.id, named="paper")
    with pytest.raises(NotFound):
        await connections.measure(office.store, paper(office), office.clock, user_id=bert.id, named="paper")


NAMES = [("BTC", "USDT"), ("BTC", "EUR"), ("WBTC", "ETH"), ("ETH", "BTC"), ("BTCST", "USDT"), ("BNB", "USDT")]
LISTED = [*(Listing(market(*name), is_trading=True) for name in NAMES), Listing(market("BTC", "OLD"), is_trading=False)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("btc", ["BTCUSDT", "BTCEUR", "BTCSTUSDT", "ETHBTC", "WBTCETH"]),
        ("BTC/USDT", ["BTCUSDT", "WBTCETH"][:1]),
        ("btcs", ["BTCSTUSDT"]),
        ("usdt", ["BNBUSDT", "BTCSTUSDT", "BTCUSDT"]),
        ("beth", []),
        ("bt", ["BTCSTUSDT", "BTCUSDT", "BTCEUR", "ETHBTC", "WBTCETH"]),
        ("old", []),
    ],
)
def test_pairs_are_found_by_base_first(text: str, found: list[str]) -> None:
    assert [it.pair for it in pairs.matching(LISTED, text)] == found


def test_without_a_text_all_pairs_are_found() -> None:
    assert len(pairs.matching(LISTED, "")) == len(NAMES)


async def test_pairs_of_an_account_come_with_their_rules(office: Office, anna: User) -> None:
    assert await pairs.search(office.store, paper(office), user_id=anna.id, named="paper", text="btc") == (MARKET,)
    assert await pairs.search(office.store, paper(office), user_id=anna.id, named="paper", text="eth") == ()


async def test_what_an_engine_tells_of_its_ways_is_counted_on(office: Office, anna: User) -> None:
    async with office.store.begin() as work:
        await work.leases.report_health("nobody", {Environment.LIVE: HEALTH})
        await work.leases.report("engine", 1)
        await work.leases.report_health("engine", {Environment.LIVE: HEALTH, Environment.PAPER: HEALTH})
        await work.commit()
    told_at = office.clock.now()
    office.clock.pass_by(10)
    live, on_paper = await connections.of_engines(office.store, office.clock)
    assert (live.environment, on_paper.environment) == (Environment.LIVE, Environment.PAPER)
    assert (live.engine, live.told_at) == ("engine", told_at)
    assert live.health == attrs.evolve(HEALTH, prices_age_s=10.5, hold_s=30)
    assert live.hold_until == told_at + datetime.timedelta(seconds=40)
    office.clock.pass_by(15)
    assert (await connections.of_engines(office.store, office.clock))[0].health.hold_s == 15
    office.clock.pass_by(10)  # not heard of for more than 30 s
    assert await connections.of_engines(office.store, office.clock) == ()


async def test_where_nothing_is_measured_nothing_is_made_up(office: Office, anna: User) -> None:
    account, found = await connections.measure(
        office.store, paper(office), office.clock, user_id=anna.id, named="paper"
    )
    assert (account.name, found) == ("paper", ())
