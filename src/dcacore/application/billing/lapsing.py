"""A plan that carries fewer bots: which of them goes on, and that the others end their deals and start no new one.

Nothing is ever sold or cancelled for that. A bot that pauses for the plan manages its open deal to its end; which one
goes on is its user's choice, else the one that was made first of those that run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from dcacore.application import asking
from dcacore.application.consent import unconfirmed
from dcacore.application.finding import bot_of
from dcacore.application.limits import LIMITS, bots_to_run
from dcacore.application.refusals import NotFound
from dcacore.application.waiting import strategy_to_be
from dcacore.domain.bot import Wanted
from dcacore.domain.errors import NotNow
from dcacore.domain.ids import BotId, UserId
from dcacore.ports.billing_store import PlanPause
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.records import BotRecord, Request, RequestKind, Tier
from dcacore.ports.store import Store, Work

_WANTS: Final[Mapping[RequestKind | None, Wanted]] = {
    RequestKind.START: Wanted.RUN,
    RequestKind.PAUSE: Wanted.PAUSE,
    RequestKind.STOP: Wanted.STOP,
}
"""What a user wants of a bot who asks this of it."""


def who_goes_on(records: Iterable[BotRecord], preferred: BotId | None, limit: int) -> tuple[BotId, ...]:
    """Return which bots a plan for *limit* carries on, of those that run: first the preferred one, then the oldest.

    One that is paused comes behind those that start deals.
    """
    order = sorted(
        records,
        key=lambda it: (it.bot.id != preferred, it.bot.wanted is Wanted.PAUSE, it.created_at, it.bot.id),
    )
    return tuple([it.bot.id for it in order[:limit]])


async def hand_back(work: Work, user_id: UserId, tier: Tier) -> None:
    """Let bots that their user had paused already pause for the user again, as far as *tier* carries them.

    The caller holds the user, and commits.
    """
    room = LIMITS[tier] - len(await bots_to_run(work, user_id))
    pauses = await work.plan_pauses.of(user_id)
    theirs = [it.bot.id for it in await paused_for_plan(work, user_id) if pauses[it.bot.id].user_paused]
    await work.plan_pauses.forget(theirs[: max(0, room)])


async def paused_for_plan(work: Work, user_id: UserId) -> tuple[BotRecord, ...]:
    """Return the user's bots that pause for the plan, the first made first; not those that were stopped since."""
    paused = await work.plan_pauses.of(user_id)
    mine = sorted(await work.bots.of(user_id), key=lambda it: (it.created_at, it.bot.id))
    return tuple([it for it in mine if it.bot.id in paused and it.bot.wanted is not Wanted.STOP])


async def pause_beyond(work: Work, clock: Clock, ids: Ids, user_id: UserId, tier: Tier) -> tuple[BotRecord, ...]:
    """Let those of the user's bots start no new deal that *tier* does not carry, and return them.

    The caller holds the user, and commits.
    """
    running = await bots_to_run(work, user_id)
    mine = [it for it in await work.bots.of(user_id) if it.bot.id in running]
    stay = who_goes_on(mine, await work.plan_pauses.preferred(user_id), LIMITS[tier])
    others = [it for it in mine if it.bot.id not in stay]
    await _pause(work, clock, ids, others, tier)
    return tuple(others)


async def _pause(work: Work, clock: Clock, ids: Ids, records: Iterable[BotRecord], tier: Tier) -> None:
    limit = LIMITS[tier]
    reason = f"the plan {tier.value} carries {limit} bot{'' if limit == 1 else 's'}"
    asked_last = {it.bot_id: it.kind for it in await work.requests.waiting() if it.kind in _WANTS}
    for record in records:
        wanted = _WANTS.get(asked_last.get(record.bot.id), record.bot.wanted)
        pause = PlanPause(since=clock.now(), user_paused=wanted is Wanted.PAUSE)
        await work.plan_pauses.put({record.bot.id: pause})
        await asking.add_request(work, clock, ids, record=record, kind=RequestKind.PAUSE, details={"reason": reason})


async def let_go_on(store: Store, clock: Clock, ids: Ids, *, user_id: UserId, bot: str) -> tuple[Request, ...]:
    """Let this bot of the user's go on with the plan that there is, in the place of another one if it has to be.

    It is remembered for the next time that the plan gets smaller, too.

    Returns:
        What was asked of bots, the one that goes on last; empty when nothing pauses for the plan.

    Raises:
        NotFound: the user has no such bot.
        NotNow: it may only trade real money when its user has confirmed that; or the one in whose place it would go on
            holds an open deal, and it holds none: by turns there would be more deals than the plan carries.
    """
    async with store.begin() as work:
        user = await work.users.hold(user_id)
        if user is None:
            raise NotFound("user", user_id)
        record = await bot_of(work, user_id, bot)
        await work.plan_pauses.prefer(user_id, record.bot.id)
        asked: list[Request] = []
        if record.bot.id in await work.plan_pauses.of(user_id):
            if await unconfirmed(work, record, await strategy_to_be(work, record)) is not None:
                raise NotNow(f"{record.name} has to be started on its page: it trades real money")
            running = await bots_to_run(work, user_id)
            others = [it for it in await work.bots.of(user_id) if it.bot.id in running]
            stay = who_goes_on(others, None, LIMITS[user.tier] - 1)
            leave = [it for it in others if it.bot.id not in stay]
            _refuse_one_deal_more(record, leave)
            await _pause(work, clock, ids, leave, user.tier)
            asked.append(await asking.ask_in(work, clock, ids, user_id=user_id, bot=bot, kind=RequestKind.START))
        await work.commit()
    return tuple(asked)


def _refuse_one_deal_more(record: BotRecord, leave: Iterable[BotRecord]) -> None:
    busy = [it.name for it in leave if it.bot.deal is not None]
    if busy and record.bot.deal is None:
        raise NotNow(
            f"{', '.join(busy)} has an open deal and {record.name} has none: they can change places when it has ended"
        )


async def resume(store: Store, clock: Clock, ids: Ids, *, user_id: UserId) -> tuple[Request, ...]:
    """Start the bots of the user that pause for the plan, the first made first, as far as the plan carries them.

    Returns:
        What was asked of them. Those that their user had paused before, and those that trade real money that nobody
        has confirmed, stay as they are.

    Raises:
        NotFound: there is no such user.
    """
    async with store.begin() as work:
        user = await work.users.hold(user_id)
        if user is None:
            raise NotFound("user", user_id)
        room = LIMITS[user.tier] - len(await bots_to_run(work, user_id))
        pauses = await work.plan_pauses.of(user_id)
        mine = [it for it in await paused_for_plan(work, user_id) if not pauses[it.bot.id].user_paused]
        asked: list[Request] = []
        for record in mine:
            if len(asked) < room and await unconfirmed(work, record, await strategy_to_be(work, record)) is None:
                ask = asking.ask_in(work, clock, ids, user_id=user_id, bot=record.bot.id, kind=RequestKind.START)
                asked.append(await ask)
        await work.commit()
    return tuple(asked)
