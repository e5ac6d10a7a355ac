"""Opens accounts on Binance and its likes, each environment at its own addresses."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import attrs

from dcacore.adapters.binance.urls import Urls, Where
from dcacore.ports.clock import Clock
from dcacore.ports.errors import BadCredentials, Unavailable
from dcacore.ports.exchange import Directory, Exchange
from dcacore.ports.keys import KeyRights, Keys
from dcacore.ports.prices import Prices
from dcacore.ports.records import Account, Environment
from dcacore.ports.secrets import ApiKey, CipherText, Secrets
from dcacore.ports.venues import Venues

if TYPE_CHECKING:  # python-binance is slow to import, and most commands never trade
    from dcacore.adapters.binance.exchange import BinanceExchange
    from dcacore.adapters.binance.pace import Pace
    from dcacore.adapters.binance.rest import Lister
    from dcacore.adapters.binance.site import Site
    from dcacore.ports.health import Health

KeyOf = Callable[[Account], ApiKey]
"""Returns what an account signs with; raises BadCredentials without a key, CannotDecrypt for an illegible one."""


def stored_keys(secrets: Secrets) -> KeyOf:
    """Return what reads the keys that are stored with accounts."""

    def key_of(account: Account) -> ApiKey:
        if account.api_key is None:
            raise BadCredentials("the account has no key")
        return secrets.decrypt(account.id, account.api_key)

    return key_of


class BinanceVenues(Venues, Keys):
    """The environments whose addresses are known, and their accounts."""

    def __init__(
        self,
        urls: Mapping[Environment, Urls | Where],
        key_of: KeyOf,
        clock: Clock,
        chance: random.Random,
        *,
        pace: Pace | None = None,
        lister: Lister | None = None,
    ) -> None:
        """Say where the environments are, and what their accounts sign with.

        Args:
            urls: addresses, or what says them, for an exchange that may move.
            key_of: what an account signs with.
            clock: time.
            chance: spreads tries to connect over time.
            pace: how long everything about streams may take.
            lister: told of pairs that an exchange does not know; None leaves it at that.
        """
        self._urls = urls
        self._key_of = key_of
        self._lister = lister
        self._clock = clock
        self._chance = chance
        self._pace = pace
        self._sites: dict[Environment, Site] = {}
        self._exchanges: dict[tuple[str, CipherText | None], BinanceExchange] = {}

    @property
    def environments(self) -> tuple[Environment, ...]:
        """The environments whose addresses are known."""
        return tuple(self._urls)

    @staticmethod
    def load() -> None:
        """Import python-binance, which takes a second, before an event loop has something better to do."""
        import dcacore.adapters.binance.site  # noqa: F401  # for what it imports

    async def exchange(self, account: Account) -> Exchange:
        known = self._exchanges.get((account.id, account.api_key))
        if known is not None:
            return known
        key = self._key_of(account)
        site = self._site(account.environment)
        await site.time.refresh()
        return self._exchanges.setdefault((account.id, account.api_key), site.exchange(key))

    async def prices(self, environment: Environment) -> Prices:
        site = self._site(environment)
        await site.time.refresh()
        return site.prices

    async def directory(self, environment: Environment) -> Directory:
        return self._site(environment).directory

    async def forget(self, account: Account) -> None:
        exchange = self._exchanges.pop((account.id, account.api_key), None)
        if exchange is not None:
            await exchange.close()

    async def rights(self, environment: Environment, key: ApiKey) -> KeyRights:
        from dcacore.adapters.binance.key_rights import rights_of

        site = self._site(environment)
        rest = site.rest(key)
        try:
            return await rights_of(rest, has_restrictions=site.urls.sapi is not None)
        finally:
            await rest.close()

    def health(self) -> Mapping[Environment, Health]:
        """Return how the environments are doing that have been used."""
        return {
            environment: attrs.evolve(site.health(), events_age_s=self._events_age_s(environment))
            for environment, site in self._sites.items()
        }

    def _events_age_s(self, environment: Environment) -> float | None:
        site = self._sites[environment]
        heard = [it.heard_at for it in self._exchanges.values() if it.site is site and it.heard_at is not None]
        return self._clock.monotonic() - min(heard) if heard else None

    async def close(self) -> None:
        """Hang up everywhere."""
        while self._exchanges:
            _, exchange = self._exchanges.popitem()
            await exchange.close()
        while self._sites:
            _, site = self._sites.popitem()
            await site.close()

    def _site(self, environment: Environment) -> Site:
        from dcacore.adapters.binance.site import Site

        if environment not in self._sites:
            urls = self._urls.get(environment)
            if urls is None:
                raise Unavailable(f"no address of a {environment.value} exchange is set")
            self._sites[environment] = Site(urls, self._clock, self._chance, pace=self._pace, lister=self._lister)
        return self._sites[environment]
