"""What an account holds on a simulated exchange."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import attrs

from dcacore.domain.money import ZERO
from dcacore.ports.exchange import Balance

UNLIMITED: Final = Decimal("Infinity")
"""An amount that never runs out; what is left of it is as much."""


@attrs.define
class Wallet:
    """Free and locked amounts by asset. Nothing in it ever falls below zero; whoever changes it works exactly."""

    _free: dict[str, Decimal] = attrs.field(factory=dict)
    _locked: dict[str, Decimal] = attrs.field(factory=dict)

    @classmethod
    def holding(cls, free: Mapping[str, Decimal]) -> Wallet:
        """Return a wallet with these free amounts."""
        return cls(dict(free))

    def free(self, asset: str) -> Decimal:
        """Return what can be spent of *asset*."""
        return self._free.get(asset, ZERO)

    def locked(self, asset: str) -> Decimal:
        """Return what resting orders hold of *asset*."""
        return self._locked.get(asset, ZERO)

    @property
    def assets(self) -> tuple[str, ...]:
        """All assets that the wallet has ever held, by name."""
        return tuple(sorted({*self._free, *self._locked}))

    def amounts(self) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
        """Return copies of what is free and of what is locked, by asset."""
        return dict(self._free), dict(self._locked)

    def add(self, asset: str, amount: Decimal) -> None:
        """Add *amount* to what is free; below zero takes it away."""
        self._free[asset] = self.free(asset) + amount

    def restore(self, balances: Mapping[str, Balance]) -> None:
        """Hold *balances*, and nothing else."""
        self._free = {asset: balance.free for asset, balance in balances.items()}
        self._locked = {asset: balance.locked for asset, balance in balances.items()}

    def lock(self, asset: str, amount: Decimal) -> None:
        """Set *amount* of what is free aside for a resting order; below zero gives it back."""
        self._free[asset] = self.free(asset) - amount
        self._locked[asset] = self.locked(asset) + amount
