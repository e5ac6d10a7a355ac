"""The simulated exchange behind the exchange port: several markets, one wallet, and a stream of what happens."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Iterable, Mapping
from decimal import Decimal
from typing import Final

from dcacore.adapters.simulated.matching import MatchingCore
from dcacore.adapters.simulated.wallet import Wallet
from dcacore.domain.events import Report
from dcacore.domain.ids import OrderId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import ZERO, BaseQty, Price
from dcacore.domain.orders import Order
from dcacore.ports.errors import UnknownPair
from dcacore.ports.exchange import Balance, Exchange, PairReport

_BEGINNING: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class SimulatedExchange(Exchange):
    """One account on simulated markets; prices move when `move_to` is called, and only then."""

    def __init__(
        self, markets: Iterable[Market], fees: Fees, balances: Mapping[str, Decimal], *, slippage: Decimal = ZERO
    ) -> None:
        """Open an account that holds *balances*; *slippage* is a fraction, against every market order."""
        self._wallet = Wallet.holding(balances)
        self._cores = {
            market.pair: MatchingCore(market=market, fees=fees, wallet=self._wallet, slippage=slippage, at=_BEGINNING)
            for market in markets
        }
        self._listeners: set[asyncio.Queue[PairReport]] = set()

    def move_to(self, pair: str, price: Price, at: datetime.datetime) -> None:
        """Bring the market to *price*, filling what that reaches.

        Raises:
            UnknownPair: there is no such market.
        """
        core = self._core(pair)
        core.at = at
        self._publish(pair, core.move_to(price))

    def fill_in_part(self, pair: str, order_id: OrderId, quantity: BaseQty) -> None:
        """Fill *quantity* of a resting order at its own price, wherever the market stands."""
        self._publish(pair, self._core(pair).fill_in_part(order_id, quantity))

    def halt(self, pair: str, *, is_halted: bool) -> None:
        """Halt the market, or open it again."""
        self._core(pair).is_halted = is_halted

    async def market(self, pair: str) -> Market:
        return self._core(pair).market

    async def price(self, pair: str) -> Price | None:
        return self._core(pair).price

    async def balances(self) -> Mapping[str, Balance]:
        wallet = self._wallet
        return {asset: Balance(wallet.free(asset), wallet.locked(asset)) for asset in wallet.assets}

    async def place(self, pair: str, order: Order) -> tuple[Report, ...]:
        return self._publish(pair, self._core(pair).place(order))

    async def cancel(self, pair: str, order_id: OrderId) -> tuple[Report, ...]:
        return self._publish(pair, self._core(pair).cancel(order_id))

    async def open_orders(self, pair: str) -> tuple[Order, ...]:
        return self._core(pair).resting

    def reports(self) -> AsyncIterator[PairReport]:
        queue: asyncio.Queue[PairReport] = asyncio.Queue()
        self._listeners.add(queue)
        return self._listen(queue)

    async def _listen(self, queue: asyncio.Queue[PairReport]) -> AsyncIterator[PairReport]:
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

    def _core(self, pair: str) -> MatchingCore:
        core = self._cores.get(pair)
        if core is None:
            raise UnknownPair(pair)
        return core

    def _publish(self, pair: str, reports: tuple[Report, ...]) -> tuple[Report, ...]:
        for queue in self._listeners:
            for report in reports:
                queue.put_nowait(PairReport(pair, report))
        return reports
