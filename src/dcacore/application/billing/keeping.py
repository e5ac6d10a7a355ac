"""Keeps tiers true: deals with what billing has told, watches graces end, and asks by itself now and then.

What was told is a hint: the user's subscriptions are asked for anew, whatever it says. So it does not matter in which
order events come, how often, or whether one is missing: what is asked by itself finds that, too.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs
import structlog

from dcacore.application.billing.fetching import believe, fetch
from dcacore.application.billing.means import BillingMeans
from dcacore.application.billing.tiers import WARN_BEFORE, bring_up_to_date
from dcacore.domain.ids import UserId
from dcacore.ports.billing import Hooks
from dcacore.ports.billing_store import Customer, Told
from dcacore.ports.errors import PortError, RateLimited, StoreError

log = structlog.get_logger("dcacore.billing")

POLL_S: Final = 5
"""How often the inbox is looked into when nobody pokes: another process may have put something there."""
ASK_EVERY: Final = datetime.timedelta(hours=1)
"""How often billing is asked by itself about everybody who has ever begun to buy; and at the start."""
AFTER_FAILURE: Final = datetime.timedelta(minutes=1)
PAUSES: Final = tuple(datetime.timedelta(seconds=it) for it in (5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600))
"""How long after each vain try an event is dealt with again; after the last one it is left to the asking by itself."""
KEPT: Final = datetime.timedelta(days=90)
"""For how long events are kept, and known again by their ids."""
_LOOK_EVERY_S: Final = 60.0
_VAIN: Final = 3
"""After so many vain questions in a row it is billing that fails, and not one answer that cannot be read."""


async def receive(means: BillingMeans, hooks: Hooks, headers: Mapping[str, str], body: bytes) -> bool:
    """Store what billing tells, and say whether it is news; it is dealt with afterwards.

    Raises:
        BadSignature: it is not billing's.
        BadFile: it is, and makes no sense.
        StoreError: it could not be stored: billing tells it again.
    """
    now = means.clock.now()
    event = hooks.verified(headers, body, now)
    async with means.store.begin() as work:
        is_news = await work.billing_inbox.add(event, body, now)
        await work.commit()
    log.info("billing_event", id=event.id, type=event.type, is_news=is_news)
    return is_news


def _warn_of_charges(some: Iterable[Told]) -> None:
    """Tell the operator of what is charged and belongs to nobody here: to an account that is gone, or elsewhere."""
    charged = [it.event.subscription for it in some if it.event.subscription is not None]
    ids = sorted({it.id for it in charged if it.will_be_charged})
    if ids:
        log.warning("billing_charges_nobody_here", subscriptions=ids)


@attrs.define(eq=False)
class Keeper:
    """Keeps tiers true. Several may work on one database: all that they do may be done twice.

    Attributes:
        means: the ports.
    """

    means: BillingMeans
    _poked: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _begun_s: float | None = attrs.field(default=None, init=False)
    _look_s: float | None = attrs.field(default=None, init=False)
    _vain: set[UserId] = attrs.field(factory=set, init=False)

    def poke(self) -> None:
        """Let the inbox be looked into at once."""
        self._poked.set()

    async def run(self) -> None:
        """Keep tiers true until this is cancelled.

        Raises:
            StoreError: the database cannot be used now; begin again later.
        """
        while True:
            self._poked.clear()
            while await self.deal_with_due():
                pass
            await self.look_around()
            await self._wait()

    async def _wait(self) -> None:
        waits = {asyncio.create_task(self._poked.wait()), asyncio.create_task(self.means.clock.sleep(POLL_S))}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()

    async def deal_with_due(self) -> int:
        """Deal with what has been told and is due by now, and return how much that was.

        Raises:
            StoreError: the database cannot be used now.
        """
        async with self.means.store.begin(reads_only=True) as work:
            due = await work.billing_inbox.due(self.means.clock.now())
        of: dict[UserId | None, list[Told]] = {}
        for told in due:
            of.setdefault(await self._whom(told), []).append(told)
        for user_id, some in of.items():
            await self._deal_with(user_id, some)
        return len(due)

    async def _deal_with(self, user_id: UserId | None, some: Sequence[Told]) -> None:
        """Ask once about a user, however much has been told of the user."""
        if user_id is None:
            await self._settle(some, "nobody here")
            _warn_of_charges(some)
            return
        names = [it.event.customer_id for it in some if it.event.customer_id]
        try:
            user = await fetch(self.means, user_id, customer_id=names[-1] if names else "")
        except StoreError:
            raise
        except PortError as failure:
            said = [it.event.subscription for it in some if it.event.subscription is not None]
            if said:
                await believe(self.means, user_id, said)
            await self._put_off(some, failure)
        else:
            await self._settle(some, "nobody here" if user is None else user.tier.value)

    async def _whom(self, told: Told) -> UserId | None:
        """Return the user it is about; never by an address, which nobody has confirmed over there."""
        async with self.means.store.begin(reads_only=True) as work:
            if told.event.user_id is not None and await work.users.get(told.event.user_id) is not None:
                return told.event.user_id
            if told.event.user_id is None and told.event.customer_id:
                known = await work.customers.by_customer_id(told.event.customer_id)
                return None if known is None else known.user_id
        return None

    async def _settle(self, some: Sequence[Told], outcome: str) -> None:
        async with self.means.store.begin() as work:
            for told in some:
                await work.billing_inbox.settle(told.event.id, self.means.clock.now(), outcome)
            await work.commit()
        log.info("billing_events_settled", ids=[it.event.id for it in some], outcome=outcome)

    async def _put_off(self, some: Sequence[Told], failure: PortError) -> None:
        tired = [it for it in some if it.tries >= len(PAUSES)]
        if tired:
            await self._settle(tired, "billing did not answer")
        now = self.means.clock.now()
        retry_at = failure.retry_at if isinstance(failure, RateLimited) else now
        async with self.means.store.begin() as work:
            for told in some:
                if told not in tired:
                    await work.billing_inbox.put_off(told.event.id, max(now + PAUSES[told.tries], retry_at))
            await work.commit()
        log.warning("billing_events_put_off", ids=[it.event.id for it in some], reason=str(failure))

    async def look_around(self) -> None:
        """See to graces that end, ask billing about whom it has not been asked for long, and forget what is old.

        Raises:
            StoreError: the database cannot be used now.
        """
        now, now_s = self.means.clock.now(), self.means.clock.monotonic()  # the latter, as a clock may be set back
        if self._look_s is not None and now_s < self._look_s:
            return
        if self._begun_s is None:
            self._begun_s = now_s
        self._look_s = now_s + _LOOK_EVERY_S
        await self._see_to_graces(now)
        before = now - min(ASK_EVERY, datetime.timedelta(seconds=now_s - self._begun_s))
        async with self.means.store.begin() as work:
            await work.billing_inbox.forget_older(now - KEPT)
            due = await work.customers.asked_before(before, now=now)
            await work.commit()
        await self._ask_about(due)

    async def _ask_about(self, customers: Iterable[Customer]) -> None:
        """Ask billing about customers until that is vain, or until somebody is told of: a purchase does not wait.

        About whom it was vain the last time it is asked last: one whose answer cannot be read holds up nobody else.
        """
        vain = 0
        for customer in sorted(customers, key=lambda it: it.user_id in self._vain):
            try:
                await fetch(self.means, customer.user_id)
            except StoreError:
                raise
            except PortError as failure:
                vain += 1
                self._vain.add(customer.user_id)
                log.warning("billing_not_asked", user_id=customer.user_id, reason=str(failure))
                if vain >= _VAIN or isinstance(failure, RateLimited):  # the others would fare no better
                    self._put_asking_off(failure)
                    return
            else:
                vain = 0
                self._vain.discard(customer.user_id)
            if self._poked.is_set():
                self._look_s = None
                return

    def _put_asking_off(self, failure: PortError) -> None:
        pause = AFTER_FAILURE
        if isinstance(failure, RateLimited):
            pause = max(pause, failure.retry_at - self.means.clock.now())
        self._look_s = self.means.clock.monotonic() + pause.total_seconds()

    async def _see_to_graces(self, now: datetime.datetime) -> None:
        terms = self.means.selling.terms
        if terms is None:
            return
        async with self.means.store.begin(reads_only=True) as work:
            ending = await work.subscriptions.falling_due(now - terms.grace + WARN_BEFORE)
        for user_id in ending:
            async with self.means.store.begin() as work:
                await bring_up_to_date(work, self.means.clock, self.means.ids, user_id, self.means.selling)
                await work.commit()
