"""Where exchange accounts become exchanges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from dcacore.ports.errors import Unavailable
from dcacore.ports.exchange import Directory, Exchange
from dcacore.ports.health import Health
from dcacore.ports.prices import Prices
from dcacore.ports.records import Account, Environment


class Venues(Protocol):
    """Opens exchanges and price streams; what it returns for the same account, with the same key, is one and the same.

    So is what it returns for the same environment.
    """

    async def exchange(self, account: Account) -> Exchange:
        """Return the account's exchange, its key decrypted and its clock measured.

        Raises:
            CannotDecrypt: the stored key cannot be read.
            BadCredentials: the exchange does not take it.
            Unavailable: it cannot be reached now.
        """

    async def prices(self, environment: Environment) -> Prices:
        """Return the environment's price stream.

        Raises:
            Unavailable: it cannot be reached now.
        """

    async def directory(self, environment: Environment) -> Directory:
        """Return what everybody may read of all pairs of the environment.

        Raises:
            Unavailable: it cannot be reached now, or has no such thing.
        """
        raise Unavailable(f"{environment.value} does not tell of all its pairs")

    def health(self) -> Mapping[Environment, Health]:
        """Return how the ways to the environments are that have been used in this process and are measured."""
        return {}

    async def prices_from(self, environment: Environment) -> str | None:  # noqa: ARG002  # most need no word on it
        """Return where the environment's prices come from, for people; None where that goes without saying.

        Raises:
            Unavailable: it cannot be reached now.
        """
        return None

    async def forget(self, account: Account) -> None:
        """Close the exchange that was opened for the account and its key, so that the next call opens it anew."""
