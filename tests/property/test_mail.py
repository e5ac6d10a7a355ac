"""Whatever a mail service does, and wherever couriers end: each mail is sent once by its key, or given up."""

from __future__ import annotations

import asyncio
import datetime
from collections import Counter
from enum import Enum

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from dcacore.adapters.memory import MemoryStore
from dcacore.application.identity.courier import PAUSES, Courier
from dcacore.ports.errors import MailHeld, MailRefused, StoreUnavailable, Unavailable
from dcacore.ports.mail import Mail, Mailer
from tests.unit.simulated.clock import ManualClock

DAYS = 12  # longer than anything waits


class Fate(Enum):
    """What becomes of one try."""

    TAKEN = "taken"
    LOST_BEFORE = "lost before"
    LOST_AFTER = "lost after"
    REFUSED = "refused"
    HELD = "held"
    ENDS_BEFORE = "the process ends before"
    ENDS_AFTER = "the process ends after"


@attrs.define
class Service(Mailer):
    """Takes a mail once by its key, and does with each try what has been drawn for it, then takes it."""

    fates: list[Fate]
    clock: ManualClock
    taken: Counter[str] = attrs.field(factory=Counter)
    refused: set[str] = attrs.field(factory=set)
    keys: dict[str, str] = attrs.field(factory=dict)

    async def send(self, mail: Mail) -> None:
        fate = self.fates.pop(0) if self.fates else Fate.TAKEN
        await asyncio.sleep(0)
        if fate in {Fate.TAKEN, Fate.LOST_AFTER, Fate.ENDS_AFTER}:
            self.taken[mail.key] += mail.key not in self.keys
            assert self.keys.setdefault(mail.key, mail.text) == mail.text != ""
        match fate:
            case Fate.LOST_BEFORE | Fate.LOST_AFTER:
                raise Unavailable("no answer")
            case Fate.REFUSED:
                self.refused.add(mail.key)
                raise MailRefused("never")
            case Fate.HELD:
                raise MailHeld("later", self.clock.now() + datetime.timedelta(minutes=7))
            case Fate.ENDS_BEFORE | Fate.ENDS_AFTER:
                raise StoreUnavailable("gone")  # as good as an end: nothing is noted after it
            case Fate.TAKEN:
                pass


async def _story(fates: list[Fate], mails: int, couriers: int) -> None:
    clock = ManualClock()
    store, service = MemoryStore(clock), Service(fates, clock)
    async with store.begin() as work:
        for number in range(mails):
            mail = Mail(to="a@b.org", subject="Hello", text=f"text {number}", html="page", key=f"{number}")
            await work.outbox.add(mail, clock.now())
        await work.commit()
    working = [Courier(store, service, clock) for _ in range(couriers)]
    begun = clock.now()
    while clock.now() - begun < datetime.timedelta(days=DAYS):
        ends = await asyncio.gather(*[it.send_due() for it in working], return_exceptions=True)
        for number, end in enumerate(ends):
            assert not isinstance(end, BaseException) or isinstance(end, StoreUnavailable)
            if isinstance(end, StoreUnavailable):
                working[number] = Courier(store, service, clock)  # somebody starts it again
        clock.pass_by(1800)
    async with store.begin(reads_only=True) as work:
        assert await work.outbox.due(clock.now() + datetime.timedelta(days=99)) == ()
        found = [await work.outbox.get(f"{number}") for number in range(mails)]
    for queued in found:
        assert queued is not None
        key = queued.mail.key
        assert (queued.sent_at is None) != (queued.failed_at is None)
        assert queued.attempts <= len(PAUSES) + 1
        assert service.taken[key] <= 1
        if queued.sent_at is not None:
            assert service.taken[key] == 1
        if key in service.refused:
            assert queued.failed_at is not None
        assert queued.mail.text == ""


@settings(max_examples=60)
@given(fates=st.lists(st.sampled_from(Fate), max_size=60), mails=st.integers(1, 6), couriers=st.integers(1, 3))
def test_each_mail_is_sent_once_or_given_up(fates: list[Fate], mails: int, couriers: int) -> None:
    asyncio.run(_story(fates, mails, couriers))
