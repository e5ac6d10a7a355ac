"""What the use cases of billing work with."""

from __future__ import annotations

from typing import Final

import attrs

from dcacore.application.billing.tiers import Selling
from dcacore.ports.billing import Billing
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.store import Store

SUCCESS_PATH: Final = "/billing/done?checkout_id={CHECKOUT_ID}"
RETURN_PATH: Final = "/subscription"


@attrs.frozen(kw_only=True)
class BillingMeans:
    """The ports, and what is sold.

    Attributes:
        store: the database.
        clock: time.
        ids: new ids.
        billing: sells, and knows who has bought.
        selling: what tiers follow from; with terms.
        base_url: what links back begin with, without a slash at the end.
    """

    store: Store
    clock: Clock
    ids: Ids
    billing: Billing
    selling: Selling
    base_url: str
