"""What a user asks of a bot: stored first, carried out by an engine, in this process or elsewhere."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Final

import attrs

from dcacore.application.consent import refuse_unconfirmed
from dcacore.application.finding import bot_of
from dcacore.application.limits import refuse_beyond_limit
from dcacore.application.waiting import strategy_to_be
from dcacore.domain.ids import RequestId, UserId
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.records import BotRecord, Request, RequestKind
from dcacore.ports.store import Store, Work

ALIVE_WITHIN: Final = datetime.timedelta(seconds=30)
"""An engine that has not reported itself for so long is taken for gone."""
POLL_S: Final = 0.2


@attrs.frozen(kw_only=True)
class Outcome:
    """How a request stands.

    Attributes:
        request: as it is stored now.
        is_engine_alive: whether an engine that could carry it out has reported itself lately.
    """

    request: Request
    is_engine_alive: bool

    @property
    def is_settled(self) -> bool:
        """Whether an engine has dealt with it, by doing or by refusing it."""
        return self.request.done_at is not None


async def ask(
    store: Store,
    clock: Clock,
    ids: Ids,
    *,
    user_id: UserId,
    bot: str,
    kind: RequestKind,
    details: Mapping[str, str] | None = None,
) -> Request:
    """Store a request of the user's bot of that id or name.

    Raises:
        NotFound: the user has no such bot.
        PlanLimitReached: it is to start, and as many run already as the tier allows.
        NotConfirmed: it is to start on a live account, and its user has not confirmed what it may spend.
    """
    async with store.begin() as work:
        request = await ask_in(work, clock, ids, user_id=user_id, bot=bot, kind=kind, details=details)
        await work.commit()
    return request


async def ask_in(
    work: Work,
    clock: Clock,
    ids: Ids,
    *,
    user_id: UserId,
    bot: str,
    kind: RequestKind,
    details: Mapping[str, str] | None = None,
) -> Request:
    """Do the same in *work*, which the caller commits, and in which nothing of the user's has been held so far."""
    if kind is RequestKind.START:
        await work.users.hold(user_id)  # before anything is read that another start could change
    record = await bot_of(work, user_id, bot)
    if kind is RequestKind.START:
        await refuse_beyond_limit(work, user_id, starting=record.bot.id)
        await refuse_unconfirmed(work, record, await strategy_to_be(work, record))
        await work.plan_pauses.forget([record.bot.id])
    return await add_request(work, clock, ids, record=record, kind=kind, details=details or {})


async def stop_all(store: Store, clock: Clock, ids: Ids, *, user_id: UserId, sell: bool) -> tuple[Request, ...]:
    """Ask every bot of the user that is not stopped to stop, in one transaction."""
    details = {"sell": "true" if sell else "false"}
    async with store.begin() as work:
        awake = await _awake(work, user_id)
        requests = [
            await add_request(work, clock, ids, record=record, kind=RequestKind.STOP, details=details)
            for record in awake
        ]
        await work.commit()
    return tuple(requests)


async def _awake(work: Work, user_id: UserId) -> tuple[BotRecord, ...]:
    """Return the user's bots that are to run, or are asked to."""
    to_run = frozenset(await work.bots.to_run())
    return tuple(record for record in await work.bots.of(user_id) if record.bot.id in to_run)


async def add_request(
    work: Work, clock: Clock, ids: Ids, *, record: BotRecord, kind: RequestKind, details: Mapping[str, str]
) -> Request:
    """Store a request in *work*, which the caller commits."""
    request = Request(
        id=RequestId(ids.new()), bot_id=record.bot.id, kind=kind, details=dict(details), asked_at=clock.now()
    )
    await work.requests.add(request)
    return request


async def wait_for(
    store: Store, clock: Clock, request: Request, *, timeout_s: float, is_engine_here: bool = False
) -> Outcome:
    """Return how *request* stands once it is settled, or after *timeout_s*, or when there is no engine to wait for.

    Args:
        store: where it is stored.
        clock: for all waiting.
        request: what was asked.
        timeout_s: how long to wait.
        is_engine_here: an engine runs in this process, though it may not have reported itself yet.
    """
    deadline = clock.monotonic() + timeout_s
    while True:
        async with store.begin(reads_only=True) as work:
            found = await work.requests.get(request.id) or request
            engines = await work.leases.engines(ALIVE_WITHIN)
        outcome = Outcome(request=found, is_engine_alive=is_engine_here or bool(engines))
        if outcome.is_settled or not outcome.is_engine_alive or clock.monotonic() >= deadline:
            return outcome
        await clock.sleep(POLL_S)
