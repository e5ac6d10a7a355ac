"""Which exchange an account's environment means: the one place where that is decided."""

from __future__ import annotations

import random
from collections.abc import Mapping

import attrs

from dcacore.adapters.binance import KNOWN, BinanceVenues, Urls, stored_keys
from dcacore.ports.clock import Clock
from dcacore.ports.errors import Unavailable
from dcacore.ports.exchange import Directory, Exchange
from dcacore.ports.health import Health
from dcacore.ports.prices import Prices
from dcacore.ports.records import Account, Environment
from dcacore.ports.secrets import Secrets
from dcacore.ports.venues import Venues
from dcacore.settings import Settings


@attrs.frozen
class ByEnvironment(Venues):
    """The venues of each environment that this version can trade in.

    Attributes:
        venues: by environment.
    """

    venues: Mapping[Environment, Venues]

    async def exchange(self, account: Account) -> Exchange:
        return await self._of(account.environment).exchange(account)

    async def prices(self, environment: Environment) -> Prices:
        return await self._of(environment).prices(environment)

    async def directory(self, environment: Environment) -> Directory:
        return await self._of(environment).directory(environment)

    async def prices_from(self, environment: Environment) -> str | None:
        return await self._of(environment).prices_from(environment)

    def health(self) -> Mapping[Environment, Health]:
        told: dict[Environment, Health] = {}
        for venues in {id(it): it for it in self.venues.values()}.values():
            told.update(venues.health())
        return told

    async def forget(self, account: Account) -> None:
        if account.environment in self.venues:
            await self.venues[account.environment].forget(account)

    def lack(self, environment: Environment) -> str | None:
        """Return why nothing can be traded there; None when it can."""
        if environment in self.venues:
            return None
        if environment is Environment.CUSTOM:
            return "no custom exchange is set: BINANCE_REST_URL, BINANCE_STREAM_URL and BINANCE_WS_API_URL name one"
        return f"this program does not trade {environment.value}"

    def _of(self, environment: Environment) -> Venues:
        if (lack := self.lack(environment)) is not None:
            raise Unavailable(lack)
        return self.venues[environment]


def binance_of(settings: Settings, secrets: Secrets, clock: Clock) -> BinanceVenues:
    """Return Binance's own environments, and the custom exchange of the settings if they name one."""
    urls = dict(KNOWN)
    if settings.binance_rest_url:
        urls[Environment.CUSTOM] = Urls(
            rest=settings.binance_rest_url,
            streams=settings.binance_stream_url,
            ws_api=settings.binance_ws_api_url,
        )
    # Chance only spreads tries to connect over time: it keeps no secret.
    return BinanceVenues(urls, stored_keys(secrets), clock, random.Random())  # noqa: S311
