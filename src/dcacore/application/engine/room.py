"""Room for orders: an exchange lets an account have only so many resting on a pair, whichever bot they are of."""

from __future__ import annotations

from dcacore.application.engine.desk import Desk
from dcacore.application.engine.runner import Runner
from dcacore.domain.money import plain
from dcacore.domain.orders import Order, Role, Side
from dcacore.ports.exchange import Listing


def lacks_room(desk: Desk, runner: Runner, order: Order) -> str | None:
    """Return why a safety order had better not be sent now, in words; None when there is room, or no such bound.

    Room for one sell of each bot is kept free: without it a deal has no target.
    """
    limits, pair = runner.bot.limits, runner.market.pair
    if order.role is not Role.SAFETY or limits is None or limits.orders is None:
        return None
    traders = [it for it in desk.runners if it.market.pair == pair]
    ours = [intent.order for it in traders for intent in it.unsettled if intent.pair == pair and intent.sent_at]
    resting = max(sum(it.price is not None for it in ours), desk.resting.get(pair, 0))
    kept = len(traders) - sum(it.side is Side.SELL for it in ours)
    if resting + max(kept, 0) < limits.orders.value:
        return None
    most = f"{plain(limits.orders.value)} orders of an account rest on {pair} ({limits.orders.rule})"
    return f"{resting} rest already, and the exchange lets {most}; the last ones are kept for targets"


def crowding(desk: Desk, runner: Runner, listing: Listing) -> tuple[str, ...]:
    """Return what its user should know when all bots there may want more orders resting than an account may have."""
    most, pair = None if listing.limits is None else listing.limits.orders, listing.market.pair
    there = {it.bot.id: it for it in (*desk.runners, runner) if it.market.pair == pair}
    wanted = sum(it.bot.strategy.resting_limit + 1 for it in there.values())
    if most is None or wanted <= most.value:
        return ()
    who = "this bot" if len(there) == 1 else f"the {len(there)} bots that run there"
    bound = f"the exchange lets an account have {plain(most.value)} there ({most.rule})"
    beyond = "safety orders beyond that are held back until there is room; set active_safety_orders lower"
    return (f"{who} may want {wanted} orders resting on {pair}, and {bound}: {beyond}",)
