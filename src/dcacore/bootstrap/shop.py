"""Billing, put together; nothing of it is there where it is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from dcacore.application.billing.keeping import Keeper
    from dcacore.application.billing.means import BillingMeans
    from dcacore.ports.billing import Hooks


@attrs.frozen(kw_only=True)
class Shop:
    """Billing, where it is on.

    Attributes:
        means: what its use cases work with.
        hooks: reads what billing tells by itself.
        keeper: keeps tiers true in this process; None where that is done elsewhere.
    """

    means: BillingMeans
    hooks: Hooks
    keeper: Keeper | None = None
