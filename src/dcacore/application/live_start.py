"""The last step before a bot spends real money: its user has seen what it may cost, and says so by its name."""

from __future__ import annotations

from collections.abc import Mapping

from dcacore.application import asking, editing
from dcacore.application.going_live import LiveStep, confirm, live_step
from dcacore.application.refusals import NotConfirmed
from dcacore.domain.ids import UserId
from dcacore.domain.money import HUNDRED, exact, plain
from dcacore.domain.numbers import typed_number
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.records import Request, RequestKind
from dcacore.ports.store import Store
from dcacore.ports.venues import Venues

_TOLERATED = 1
"""By how many percent the price may have raised the costs since they were shown."""


async def confirm_and_start(
    store: Store,
    clock: Clock,
    ids: Ids,
    venues: Venues,
    *,
    user_id: UserId,
    named: str,
    typed: str,
    shown: str,
) -> Request:
    """Store the user's word that the bot may spend real money, and ask it to start.

    Args:
        store: the database.
        clock: says when.
        ids: for the request.
        venues: the exchanges, which are asked once more what a deal may cost.
        user_id: who confirms.
        named: the bot's id or name.
        typed: what the user typed, which has to be the bot's name.
        shown: what a deal may cost at most, as the user was shown it.

    Raises:
        NotFound: the user has no such bot.
        NotConfirmed: something else was typed, or a deal may cost more than was shown.
        PlanLimitReached: the tier allows no further bot to run.
        InvalidParameter: *shown* is no number.
        PortError: the exchange cannot be asked now.
    """
    step = await live_step(store, venues, user_id=user_id, named=named)
    if step is not None:
        refuse_dearer(step, shown)
        await confirm(store, clock, user_id=user_id, step=step, typed=typed)
    return await asking.ask(store, clock, ids, user_id=user_id, bot=named, kind=RequestKind.START)


async def confirm_and_edit(
    store: Store,
    clock: Clock,
    ids: Ids,
    venues: Venues,
    *,
    user_id: UserId,
    named: str,
    changes: Mapping[str, str],
    typed: str,
    shown: str,
) -> Request:
    """Store the user's word that the bot may spend what *changes* make of it, and ask for them; as above.

    Raises:
        NotFound: the user has no such bot.
        NotConfirmed: something else was typed, or a deal may cost more than was shown.
        InvalidParameter: *changes* cannot be made, or *shown* is no number.
        PortError: the exchange cannot be asked now.
    """
    step = await live_step(store, venues, user_id=user_id, named=named, changes=changes)
    if step is not None:
        refuse_dearer(step, shown)
        await confirm(store, clock, user_id=user_id, step=step, typed=typed)
    return await editing.edit(store, clock, ids, user_id=user_id, named=named, changes=changes)


@exact
def refuse_dearer(step: LiveStep, shown: str) -> None:
    """Refuse what costs more than the user was shown.

    Raises:
        NotConfirmed: it does.
        InvalidParameter: *shown* is no number.
    """
    now = step.spending.total
    if now * HUNDRED > typed_number("shown", shown) * (HUNDRED + _TOLERATED):
        quote = step.record.bot.market.quote_asset
        raise NotConfirmed(step.record.name, f"a deal may now cost {plain(now)} {quote}: look at it once more")
