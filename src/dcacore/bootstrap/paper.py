"""Trading on paper inside this process, on the simulated exchange: for tests, and for programs that use the library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from dcacore.adapters.simulated.exchange import SimulatedDirectory, SimulatedExchange, SimulatedPrices
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.adapters.system import SystemClock
from dcacore.domain.ids import AccountId
from dcacore.domain.market import Market
from dcacore.domain.money import Price
from dcacore.domain.numbers import Number
from dcacore.ports.clock import Clock
from dcacore.ports.exchange import Directory, Exchange
from dcacore.ports.prices import Prices
from dcacore.ports.records import Account, Environment
from dcacore.ports.venues import Venues

HOLDINGS: Final = {"USDT": Decimal(10_000)}
"""What a new paper account holds."""


class InProcessPaper(Venues):
    """A simulated exchange in this process: nothing of it is kept. The program moves its prices.

    Attributes:
        venue: the exchange.
    """

    def __init__(
        self,
        listings: Iterable[tuple[Market, Number]],
        holdings: Mapping[str, Decimal] = HOLDINGS,
        clock: Clock | None = None,
    ) -> None:
        """Open an exchange.

        Args:
            listings: its markets, each with a first price.
            holdings: what each new account holds.
            clock: its clock; this machine's unless given.
        """
        clock = clock or SystemClock()
        self.venue = SimulatedVenue(clock.now)
        self._clock = clock
        self._holdings = holdings
        self._exchanges: dict[AccountId, SimulatedExchange] = {}
        self._prices = SimulatedPrices(self.venue)
        for market, price in listings:
            self.venue.list_pair(market, Price(Decimal(price)))

    def move(self, pair: str, price: Number) -> None:
        """Let the market move to *price*: what rests and is reached fills."""
        self.venue.move(pair, Price(Decimal(price)))

    async def exchange(self, account: Account) -> Exchange:
        if account.id not in self._exchanges:
            self.venue.open_account(account.id, self._holdings)
            self._exchanges[account.id] = SimulatedExchange(self.venue, account.id, self._clock)
        return self._exchanges[account.id]

    async def prices(self, environment: Environment) -> Prices:  # noqa: ARG002  # there is one market for all
        return self._prices

    async def directory(self, environment: Environment) -> Directory:  # noqa: ARG002  # likewise
        return SimulatedDirectory(self.venue)

    async def forget(self, account: Account) -> None:
        self._exchanges.pop(account.id, None)
