"""What is kept on disk, and what happens when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcacore.local_exchange.driving.state import VenueState
from dcacore.local_exchange.exchange import LocalExchange
from dcacore.local_exchange.keeping import Keeper
from tests.local_exchange.api import LIMIT_BUY, Api, code
from tests.local_exchange.conftest import Running, make_exchange
from tests.local_exchange.sockets import opened


class FullDisk(VenueState):
    """Has no room while it is told so."""

    is_full = True

    def keep(self) -> None:
        if self.is_full:
            raise OSError("no space left on device")
        super().keep()


@pytest.fixture
def disk(running: Running, tmp_path: Path) -> FullDisk:
    keeper = Keeper(tmp_path / "first", running.exchange)
    keeper.state.close()
    full = keeper.state = FullDisk(tmp_path / "books", LocalExchange().venue)
    running.site.keeper = keeper
    return full


async def test_nobody_is_told_what_could_not_be_kept(running: Running, api: Api, disk: FullDisk) -> None:
    async with opened(running.urls.ws_api) as user:
        disk.is_full = False
        await user.signed(api, "userDataStream.subscribe.signature")
        disk.is_full = True
        assert code(await api.order(LIMIT_BUY))[:2] == (504, -1007)
        disk.is_full = False
        assert (await user.read())["event"]["x"] == "NEW"  # late, and not before there was room


def test_statuses_secrets_and_numbers_are_kept(tmp_path: Path) -> None:
    exchange = make_exchange()
    keeper = Keeper(tmp_path / "books", exchange)
    exchange.keys.tell("bert", "his")
    exchange.set_status("ETHUSDT", "HALT")
    exchange.feed.executions = 17
    keeper.keep()
    keeper.close()
    again = LocalExchange()
    Keeper(tmp_path / "books", again).close()
    assert again.keys.secrets["bert"] == "his"
    assert (again.status("ETHUSDT"), again.status("BTCUSDT")) == ("HALT", "TRADING")
    assert again.feed.executions == 17
