"""Trading on paper: the simulated exchange, in this process, or in one of its own beside the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

import attrs
import structlog

from dcacore.adapters.known_markets import known_markets
from dcacore.adapters.simulated.exchange import SimulatedDirectory, SimulatedExchange, SimulatedPrices
from dcacore.adapters.simulated.process import VenueClient, start_venue
from dcacore.adapters.simulated.process.starting import known_port, running_port
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.adapters.simulated.wire import pack
from dcacore.adapters.system import SystemClock
from dcacore.domain.ids import AccountId
from dcacore.domain.market import Market
from dcacore.domain.money import Price, plain
from dcacore.domain.numbers import Number
from dcacore.domain.venue import VenueOrder
from dcacore.ports.clock import Clock
from dcacore.ports.errors import PortError, Unavailable, UnknownPair
from dcacore.ports.exchange import Directory, Exchange, Listing
from dcacore.ports.prices import Prices
from dcacore.ports.records import Account, Environment
from dcacore.ports.store import Store
from dcacore.ports.venues import Venues

log = structlog.get_logger("dcacore.paper")

HOLDINGS: Final = {"USDT": Decimal(10_000)}
"""What a new paper account holds."""
_FIRST_PRICE_TICKS: Final = 3_000_000  # 30,000.00 where a tick is a cent
LOOK_EVERY_S: Final = 5


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


class PaperClient(VenueClient):
    """A client of the paper exchange, which lists a pair when it is first asked for one."""

    paper: PaperVenues

    async def listing(self, pair: str) -> Listing:
        try:
            return await super().listing(pair)
        except UnknownPair:
            await self.paper.list_pair(pair)
            return await super().listing(pair)

    async def listings(self) -> tuple[Listing, ...]:
        open_ones = await super().listings()
        listed = {it.market.pair for it in open_ones}
        coming = [Market(pair=pair, **rules) for pair, rules in known_markets().items() if pair not in listed]
        return (*open_ones, *(Listing(market, is_trading=True) for market in coming))

    async def open_orders(self, pair: str) -> tuple[VenueOrder, ...]:
        try:
            return await super().open_orders(pair)
        except UnknownPair:
            await self.paper.list_pair(pair)
            return await super().open_orders(pair)


@attrs.define
class PaperVenues(Venues):
    """The simulated exchange in a process of its own, found by its journal or started; it outlives who trades on it.

    Attributes:
        journal: the file with its books.
        store: where bots say what market theirs is.
        clock: for all waiting.
        interval: seconds between two prices of a market that moves by chance, of an exchange that is started here.
        may_start: whether it is started when it does not run; who only looks at something does not do that.
    """

    journal: Path
    store: Store
    clock: Clock
    interval: float = 1.0
    may_start: bool = True
    _clients: dict[AccountId | None, PaperClient] = attrs.field(factory=dict, init=False)

    async def exchange(self, account: Account) -> Exchange:
        if account.id not in self._clients:
            await self._start({account.id: HOLDINGS})
        return self._client(account.id)

    async def prices(self, environment: Environment) -> Prices:  # noqa: ARG002  # it is asked for paper only
        await self._start()
        return self._client(None)

    async def directory(self, environment: Environment) -> Directory:  # noqa: ARG002  # likewise
        await self._start()
        return self._client(None)

    async def forget(self, account: Account) -> None:
        client = self._clients.pop(account.id, None)
        if client is not None:
            await client.close()

    async def keep_running(self) -> None:
        """Start the exchange again whenever it is gone, for ever; its books are in the journal."""
        while True:
            if self._clients:
                try:
                    await self._start()
                except PortError as exc:
                    log.warning("paper_exchange_down", reason=str(exc))
            await self.clock.sleep(LOOK_EVERY_S)

    async def close(self) -> None:
        """Hang up; the exchange goes on."""
        while self._clients:
            _, client = self._clients.popitem()
            await client.close()

    async def list_pair(self, pair: str) -> None:
        """Open a market with the rules that a bot has for it, or that are known.

        Raises:
            UnknownPair: there are none.
        """
        market = await self._market(pair)
        price = plain(market.tick_size * _FIRST_PRICE_TICKS)
        await self._client(None).act("list", market=pack(market), price=price)

    async def _start(self, accounts: Mapping[AccountId, Mapping[str, Decimal]] | None = None) -> None:
        if not self.may_start and await running_port(self.journal) is None:
            raise Unavailable("no paper exchange runs over this database: `dca worker` starts it")
        try:
            await start_venue(self.journal, self.clock, accounts=accounts, interval=self.interval)
        except OSError as exc:  # no room for its log, no process left
            raise Unavailable(f"the paper exchange cannot be started: {exc.strerror or exc}") from exc

    async def _market(self, pair: str) -> Market:
        known = known_markets()
        if pair in known:
            return Market(pair=pair, **known[pair])
        async with self.store.begin(reads_only=True) as work:
            for user in await work.users.all():
                for record in await work.bots.of(user.id):
                    if record.bot.market.pair == pair:
                        return record.bot.market
        raise UnknownPair(pair)

    def _client(self, account: AccountId | None) -> PaperClient:
        if account not in self._clients:
            client = PaperClient(lambda: known_port(self.journal), self.clock, account)
            client.paper = self
            self._clients[account] = client
        return self._clients[account]
