"""What may go out. Commands are carried out in the order given.

When a buy is refused for want of balance, the buys behind it in the same decision are not sent and come back
`Refusal.NOT_TRIED`; sells and cancels are carried out whatever happened before them.
"""

from __future__ import annotations

import attrs

from dcacore.domain.ids import OrderId
from dcacore.domain.orders import Order


@attrs.frozen
class Place:
    """Place the order, once."""

    order: Order


@attrs.frozen
class Cancel:
    """Take the order off, and report how it ended: it may have filled."""

    order_id: OrderId


@attrs.frozen
class Forget:
    """Ask nothing more about the order: the exchange has forgotten all that it ever had."""

    order_id: OrderId


Command = Place | Cancel | Forget
