"""Which exchange an account's environment means: the one place where that is decided."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from dcacore.ports.errors import Unavailable
from dcacore.ports.exchange import Exchange
from dcacore.ports.prices import Prices
from dcacore.ports.records import Account, Environment
from dcacore.ports.venues import Venues


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

    async def forget(self, account: Account) -> None:
        if account.environment in self.venues:
            await self.venues[account.environment].forget(account)

    def _of(self, environment: Environment) -> Venues:
        found = self.venues.get(environment)
        if found is None:
            raise Unavailable(f"this version trades on paper only; {environment.value} comes with a later one")
        return found
