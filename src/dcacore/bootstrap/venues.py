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

    def lack(self, environment: Environment) -> str | None:
        """Return why nothing can be traded there; None when it can."""
        if environment in self.venues:
            return None
        return f"this version trades on paper only; {environment.value} comes with a later one"

    def _of(self, environment: Environment) -> Venues:
        if (lack := self.lack(environment)) is not None:
            raise Unavailable(lack)
        return self.venues[environment]
