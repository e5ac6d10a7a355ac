"""Trading on paper through the adapter for Binance, on a local exchange in a process of its own."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
import structlog

from dcacore.adapters.binance import BinanceVenues, Urls
from dcacore.adapters.simulated.wire import pack
from dcacore.bootstrap import paper_process
from dcacore.domain.market import Market
from dcacore.ports.clock import Clock
from dcacore.ports.errors import PortError, Unavailable
from dcacore.ports.exchange import Directory, Exchange
from dcacore.ports.prices import Prices
from dcacore.ports.records import Account, Environment
from dcacore.ports.secrets import ApiKey
from dcacore.ports.store import Store
from dcacore.ports.venues import Venues

if TYPE_CHECKING:
    from dcacore.ports.health import Health

log = structlog.get_logger("dcacore.paper")

LOOK_EVERY_S: Final = 5
_DIALS: Final = 1_000_000
"""An exchange of one's own counts no connections: many accounts must not wait for each other."""


def key_of(account: Account) -> ApiKey:
    """Return what a paper account signs with: made of its id, stored nowhere, and worth nothing."""
    return ApiKey(f"paper-{account.id}", hashlib.sha256(account.id.encode()).hexdigest())


def urls_of(base: str) -> Urls:
    """Return the addresses of a local exchange: all at one host and port."""
    streams = base.replace("http", "ws", 1)
    return Urls(rest=base, streams=streams, ws_api=f"{streams}/ws-api/v3")


class PaperVenues(Venues):
    """Paper accounts on the exchange that the settings name, or else on one that engines start beside the database.

    Attributes:
        may_start: whether it is started when it does not run; who only looks at something does not do that.
        options: what else the program is told that is started.
    """

    def __init__(
        self,
        books: Path,
        store: Store,
        clock: Clock,
        *,
        url: str = "",
    ) -> None:
        """Say where the exchange is.

        Args:
            books: the file with its books, where it is started here.
            store: where bots say what market theirs is.
            clock: for all waiting.
            url: where it is when it runs by itself; nothing is started then.
        """
        # Imported late for the sake of commands that never trade: the adapter is slow to import.
        from dcacore.adapters.binance.pace import Pace

        self.may_start = False
        self.options: Sequence[str] = ()
        self._books = books
        self._store = store
        self._clock = clock
        self._url = url
        self._is_own = not url
        self._is_used = False
        self._starting = asyncio.Lock()
        # Chance only spreads tries to connect over time: it keeps no secret.
        self._binance = BinanceVenues(
            {Environment.PAPER: lambda: urls_of(self._url)},
            key_of,
            clock,
            random.Random(),  # noqa: S311
            pace=Pace(dials=_DIALS),
            lister=self._list_pair,
        )

    async def exchange(self, account: Account) -> Exchange:
        await self._settle()
        return await self._binance.exchange(account)

    async def prices(self, environment: Environment) -> Prices:
        await self._settle()
        return await self._binance.prices(environment)

    async def directory(self, environment: Environment) -> Directory:
        await self._settle()
        return await self._binance.directory(environment)

    async def forget(self, account: Account) -> None:
        await self._binance.forget(account)

    def health(self) -> Mapping[Environment, Health]:
        # No limits are known of an exchange that has none; what is believed of others until they tell is not true here.
        told = self._binance.health()
        return {environment: attrs.evolve(it, used_weight=0, weight_limit=0) for environment, it in told.items()}

    async def prices_from(self, environment: Environment) -> str | None:  # noqa: ARG002  # it is asked for paper only
        await self._settle()
        about = await paper_process.ask(self._url)
        return None if about is None else about.words

    async def where(self) -> str:
        """Return where the exchange is now.

        Raises:
            Unavailable: it is not running, and is not to be started by this process.
        """
        await self._settle()
        return self._url

    async def look(self) -> str | None:
        """Return where the exchange answers now; None when it does not. It starts nothing."""
        if self._is_own:
            return await paper_process.find(self._books)
        about = await paper_process.ask(self._url)
        return self._url if about is not None and about.is_paper else None

    async def keep_running(self) -> None:
        """Start the exchange again whenever it is gone, for ever; its books are on disk."""
        while self._is_own:
            if self._is_used:
                try:
                    await self._settle()
                except PortError as exc:
                    log.warning("paper_exchange_down", reason=str(exc))
            await self._clock.sleep(LOOK_EVERY_S)

    async def close(self) -> None:
        """Hang up; the exchange goes on."""
        await self._binance.close()

    async def _settle(self) -> None:
        """Know where the exchange is, and start it if it does not run and may be started."""
        self._is_used = True
        if not self._is_own:
            about = await paper_process.ask(self._url)
            if about is None:
                raise Unavailable("no paper exchange answers where PAPER_EXCHANGE_URL says that it is")
            if not about.is_paper:
                why = "the exchange that PAPER_EXCHANGE_URL names is none for paper accounts"
                raise Unavailable(f"{why}: `dca exchange serve --paper` is")
            return
        if self.may_start:
            async with self._starting:  # one process is enough for all accounts that are opened at a time
                url = await paper_process.find_or_start(self._books, self._clock, self.options)
            if url != self._url:
                log.info("paper_exchange_is_there", url=url, books=str(self._books))
            self._url = url
            return
        found = await paper_process.find(self._books)
        if found is None:
            where = paper_process.last_words(self._books)
            raise Unavailable(f"no paper exchange runs over this database: `dca worker` starts it{where}")
        self._url = found

    async def _list_pair(self, pair: str) -> bool:
        """Open a market with the rules that a bot has for it; the exchange knows those that are known to everybody."""
        market = await self._market(pair)
        if market is None:
            return False
        return await paper_process.post(f"{self._url}/control/pair", {"market": pack(market)})

    async def _market(self, pair: str) -> Market | None:
        async with self._store.begin(reads_only=True) as work:
            for user in await work.users.all():
                for record in await work.bots.of(user.id):
                    if record.bot.market.pair == pair:
                        return record.bot.market
        return None
