"""Billing, put together; nothing of it is there where it is off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import attrs

from dcacore.adapters.letters import TemplateLetters
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.store import Store
from dcacore.settings import Settings

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


@asynccontextmanager
async def shop_of(settings: Settings, store: Store, clock: Clock, ids: Ids) -> AsyncIterator[Shop | None]:
    """Yield what sells by *settings*; None where nothing is sold. No request goes out for it."""
    if not settings.polar_access_token:
        yield None
        return
    from dcacore.adapters.polar import PolarAccess, PolarBilling, PolarHooks
    from dcacore.application.billing.means import BillingMeans
    from dcacore.application.billing.tiers import Selling
    from dcacore.application.telling import Post
    from dcacore.domain.entitlement import Terms

    access = PolarAccess(
        token=settings.polar_access_token,
        product_id=settings.polar_product_id,
        server_url=settings.polar_server_url,
    )
    selling = Selling(
        terms=Terms(product_id=settings.polar_product_id, grace=settings.pro_grace),
        post=Post(letters=TemplateLetters(), base_url=settings.base_url),
    )
    billing = PolarBilling(access, clock)
    try:
        means = BillingMeans(
            store=store, clock=clock, ids=ids, billing=billing, selling=selling, base_url=settings.base_url
        )
        yield Shop(means=means, hooks=PolarHooks(settings.polar_webhook_secrets))
    finally:
        await billing.aclose()
