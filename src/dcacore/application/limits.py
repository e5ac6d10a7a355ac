"""How many bots a tier allows: to have, and to run."""

from __future__ import annotations

from typing import Final

from dcacore.application.refusals import NotFound, PlanLimitReached
from dcacore.domain.bot import Phase
from dcacore.domain.ids import BotId, UserId
from dcacore.ports.records import BotRecord, RequestKind, Tier
from dcacore.ports.store import Work

LIMITS: Final = {Tier.FREE: 1, Tier.PRO: 5}
"""How many bots a user may have, and how many of those that are there may run."""


async def refuse_beyond_limit(work: Work, user_id: UserId, *, starting: BotId | None = None) -> tuple[BotRecord, ...]:
    """Return the user's bots, if the tier allows another one, or allows *starting* to run beside those that run.

    A user who had more when the tier fell keeps them, but starts no more than the tier allows; what runs goes on.
    Nobody else counts this user's bots before *work* has ended.

    Raises:
        NotFound: there is no such user.
        PlanLimitReached: the tier does not allow it.
    """
    user = await work.users.hold(user_id)
    if user is None:
        raise NotFound("user", user_id)
    mine, limit = await work.bots.of(user_id), LIMITS[user.tier]
    counted = frozenset(record.bot.id for record in mine)
    if starting is not None:
        counted = await bots_to_run(work, user_id)
        if starting in counted:
            return mine
    if len(counted) >= limit:
        raise PlanLimitReached(user.tier.value, limit, is_start=starting is not None)
    return mine


async def bots_to_run(work: Work, user_id: UserId) -> frozenset[BotId]:
    """Return the user's bots that run, and those that stand still but have been asked to start.

    One that only ends its deal because the plan does not carry it is not among them.
    """
    asked = {
        request.bot_id: request.kind
        for request in await work.requests.waiting()
        if request.kind in {RequestKind.START, RequestKind.STOP}  # the last one of a bot counts
    }
    phases = {record.bot.id: record.bot.phase for record in await work.bots.of(user_id)}
    running = {it for it, phase in phases.items() if phase is not Phase.STOPPED or asked.get(it) is RequestKind.START}
    return frozenset(running - set(await work.plan_pauses.of(user_id)))
