"""A paper exchange in a process of its own, as workers start it, whose prices stand until a test moves them."""

from __future__ import annotations

import datetime
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import attrs
import httpx

from dcacore.adapters.simulated.books import BookedOrder, BookedTrade, Books, Transfer
from dcacore.adapters.simulated.wire import pack
from dcacore.adapters.system import SystemClock
from dcacore.bootstrap.paper_process import find_or_start
from dcacore.domain.ids import AccountId, OrderId, TradeId
from dcacore.domain.market import Market
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Side
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId, VenueStatus
from dcacore.local_exchange.standing import read_standing
from dcacore.ports.exchange import Balance

STANDS: Final = ("--prices", "hand")
_STATUSES: Final = {"NEW": VenueStatus.OPEN, "PARTIALLY_FILLED": VenueStatus.OPEN}


@attrs.frozen
class PaperHand:
    """The control interface of the exchange of a file of books, wherever it is now.

    Attributes:
        books_file: the file.
    """

    books_file: Path

    @classmethod
    async def start(cls, books: Path, *options: str) -> PaperHand:
        """Start the exchange; its prices stand unless *options* say otherwise."""
        await find_or_start(books, SystemClock(), options or STANDS)
        return cls(books)

    @property
    def url(self) -> str:
        """Where it was last."""
        standing = read_standing(self.books_file)
        assert standing is not None
        return f"http://127.0.0.1:{standing.port}"

    @property
    def pid(self) -> int:
        """Its process."""
        standing = read_standing(self.books_file)
        assert standing is not None
        return standing.pid

    async def post(self, act: str, **told: Any) -> Any:
        """Do something to it."""
        async with httpx.AsyncClient(base_url=self.url, timeout=60) as http:
            answer = await http.post(f"/control/{act}", json=told)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def open(self, market: Market, price: str) -> None:
        """Open a market."""
        await self.post("pair", market=pack(market), price=price)

    async def move(self, pair: str, price: str) -> None:
        """Let a market move."""
        await self.post("move", symbol=pair, price=price)

    async def give(self, account: AccountId, asset: str, free: str) -> None:
        """Let an account have so much free."""
        await self.post("balance", apiKey=f"paper-{account}", asset=asset, free=free)

    async def books(self, account: AccountId) -> Books:
        """Return all that the exchange knows of an account."""
        async with httpx.AsyncClient(base_url=self.url, timeout=60) as http:
            answer = await http.get("/control/books", params={"apiKey": f"paper-{account}"})
        assert answer.status_code == 200, answer.text
        return _books(answer.json())

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def end(self) -> None:
        """Kill it, if it runs."""
        if read_standing(self.books_file) is not None:
            with suppress(ProcessLookupError):
                self.kill()


def _books(told: Mapping[str, Any]) -> Books:
    trades = [(row["symbol"], _trade(row)) for row in told["fills"]]
    return Books(
        orders=tuple([_order(row, [trade for _, trade in trades]) for row in told["orders"]]),
        trades=tuple([BookedTrade(pair, trade) for pair, trade in trades]),
        balances={
            asset: Balance(Decimal(row["free"]), Decimal(row["locked"])) for asset, row in told["balances"].items()
        },
        transfers=tuple(
            [Transfer(_at(row["time_ms"]), row["asset"], Decimal(row["amount"])) for row in told["transfers"]]
        ),
    )


def _order(row: Mapping[str, Any], trades: list[Trade]) -> BookedOrder:
    number = VenueOrderId(str(row["order_id"]))
    order = VenueOrder(
        order_id=OrderId(row["client_order_id"]),
        venue_order_id=number,
        side=Side[row["side"]],
        quantity=BaseQty(Decimal(row["quantity"])),
        price=None if row["price"] is None else Price(Decimal(row["price"])),
        status=_STATUSES.get(row["status"]) or VenueStatus[row["status"]],
        executed=BaseQty(Decimal(row["executed"])),
        trades=tuple([trade for trade in trades if trade.venue_order_id == number]),
    )
    placed, changed = _at(row["placed_ms"]), _at(row["changed_ms"])
    return BookedOrder(pair=row["symbol"], order=order, placed_at=placed, changed_at=changed, is_by_hand=False)


def _trade(row: Mapping[str, Any]) -> Trade:
    return Trade(
        trade_id=TradeId(str(row["trade_id"])),
        venue_order_id=VenueOrderId(str(row["order_id"])),
        order_id=OrderId(row["client_order_id"]),
        at=_at(row["time_ms"]),
        side=Side[row["side"]],
        price=Price(Decimal(row["price"])),
        quantity=BaseQty(Decimal(row["quantity"])),
        fee=Decimal(row["fee"]),
        fee_asset=row["fee_asset"],
    )


def _at(milliseconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)
