"""The play of a small deal on the local exchange, and with a key on Binance's Spot Testnet (`make testnet`)."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

import attrs
import pytest

from dcacore.application.refusals import UnfitKey
from dcacore.domain.deal import Exit
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Price
from dcacore.local_exchange.control.strikes import strike_now
from dcacore.local_exchange.exchange import LocalExchange, Options
from dcacore.local_exchange.faults.kinds import read_fault
from dcacore.local_exchange.server import serving
from dcacore.local_exchange.site import Site
from dcacore.ports.records import Environment
from dcacore.ports.secrets import ApiKey
from dcacore.settings import Settings
from tests.testnet.play import Where, open_a_deal, play_a_deal, playing

KEY: Final = ApiKey("key-of-anna", "secret-of-anna")
BTC: Final = Market(
    pair="BTCUSDT", base_asset="BTC", quote_asset="USDT", tick_size="0.01", step_size="0.00001", min_notional="5"
)


def why_not(environment: Mapping[str, str]) -> str | None:
    """Return why the testnet is not played on; None when it is."""
    if environment.get("CI"):
        return "the testnet is not for machines: CI is set"
    lacking = [name for name in ("DCA_TESTNET_KEY", "DCA_TESTNET_SECRET") if not environment.get(name)]
    if not lacking:
        return None
    return f"{' and '.join(lacking)} not set: a key comes from https://testnet.binance.vision"


@pytest.mark.testnet
async def test_a_deal_on_the_spot_testnet(tmp_path: Path) -> None:
    if (reason := why_not(os.environ)) is not None:
        pytest.skip(reason)
    where = Where(
        environment=Environment.TESTNET,
        settings=Settings(),
        key=ApiKey(os.environ["DCA_TESTNET_KEY"], os.environ["DCA_TESTNET_SECRET"]),
        pair=os.environ.get("DCA_TESTNET_PAIR", "BTCUSDT"),
    )
    async with playing(where, tmp_path) as play:
        await play_a_deal(play)


# ------------------------------------------------------------------------------------ the same, on the local exchange


@attrs.frozen
class Ground:
    """The local exchange, as a custom environment."""

    site: Site
    where: Where

    @property
    def resting(self) -> int:
        return len(self.site.exchange.account(KEY.key).open)


@pytest.fixture
async def ground() -> AsyncIterator[Ground]:
    local = LocalExchange(Options(secrets={KEY.key: KEY.secret}, fees=Fees()))
    local.list_pair(BTC, Price(Decimal(30000)))
    site = Site(local)
    async with serving(site) as urls:
        settings = Settings(binance_rest_url=urls.rest, binance_stream_url=urls.stream, binance_ws_api_url=urls.ws_api)
        yield Ground(site, Where(environment=Environment.CUSTOM, settings=settings, key=KEY))


async def test_a_deal_on_the_local_exchange(ground: Ground, tmp_path: Path) -> None:
    async with playing(ground.where, tmp_path) as play:
        deal = await play_a_deal(play)
    assert deal.exit is Exit.CLOSE
    assert ground.resting == 0
    assert deal.books.bought * 30000 < Decimal("6.6")  # the least is 5


async def test_a_key_that_is_not_accepted_ends_the_play_before_it_begins(ground: Ground, tmp_path: Path) -> None:
    wrong = attrs.evolve(ground.where, key=ApiKey(KEY.key, "another"))
    with pytest.raises(UnfitKey):
        async with playing(wrong, tmp_path):
            pass


async def test_an_account_with_too_little_says_so(ground: Ground, tmp_path: Path) -> None:
    async with playing(ground.where, tmp_path) as play:
        ground.site.exchange.set_free(KEY.key, "USDT", Decimal(10))
        with pytest.raises(AssertionError, match="10 USDT free, and 19"):
            await play_a_deal(play)


async def test_a_play_that_fails_leaves_nothing_behind(ground: Ground, tmp_path: Path) -> None:
    fault = {"kind": "expire_order", "apiKey": KEY.key, "symbol": "BTCUSDT"}
    async with playing(ground.where, tmp_path) as play:
        await open_a_deal(play)
        strike_now(ground.site, read_fault(fault))
        with pytest.raises(AssertionError, match="without this bot's doing"):
            await play.until(lambda _: False)
        assert ground.resting
    wallet = ground.site.exchange.account(KEY.key).wallet
    assert ground.resting == wallet.locked("USDT") == wallet.locked("BTC") == 0
    assert wallet.free("BTC") < BTC.step_size


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({}, "DCA_TESTNET_KEY and DCA_TESTNET_SECRET not set: a key comes from https://testnet.binance.vision"),
        ({"DCA_TESTNET_KEY": "k"}, "DCA_TESTNET_SECRET not set: a key comes from https://testnet.binance.vision"),
        ({"CI": "true", "DCA_TESTNET_KEY": "k"}, "the testnet is not for machines: CI is set"),
        ({"DCA_TESTNET_KEY": "k", "DCA_TESTNET_SECRET": "s"}, None),
    ],
)
def test_it_says_why_the_testnet_is_not_played_on(environment: dict[str, str], reason: str | None) -> None:
    assert why_not(environment) == reason
