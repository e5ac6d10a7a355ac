"""Takes the mail out of the outbox and sends it, each at least once and, by its key, only once for who gets it."""

from __future__ import annotations

import asyncio
import datetime
from typing import Final

import attrs
import structlog

from dcacore.application.identity.sessions import IDLE, LONGEST
from dcacore.application.identity.throttling import LONGEST_WINDOW
from dcacore.application.telling import Post, tell_gathered
from dcacore.ports.clock import Clock
from dcacore.ports.errors import MailHeld, MailRefused, PortError, StoreError
from dcacore.ports.identity import QueuedMail
from dcacore.ports.mail import Mailer
from dcacore.ports.store import Store

log = structlog.get_logger("dcacore.mail")

POLL_S: Final = 5
"""How often the outbox is looked into when nobody pokes the courier: mail may come from another process."""
PAUSES: Final = tuple(datetime.timedelta(seconds=it) for it in (30, 60, 300, 900, 3600, 3 * 3600, 6 * 3600))
"""How long after each attempt the next one is made; after the one that follows the last pause a mail is given up."""
LONGEST_HOLD: Final = datetime.timedelta(hours=1)
"""How long nothing is tried at most when the service wants nothing: it may want something again sooner than it says."""
HELD_FOR: Final = datetime.timedelta(days=3)
"""How old a mail gets that the service does not want to have; links in it are of no use any more by then."""
TIDY_EVERY: Final = datetime.timedelta(hours=1)
_SHORTEST_HOLD: Final = datetime.timedelta(seconds=1)
KEPT: Final = datetime.timedelta(days=30)
"""How long it stays known that a mail was sent, or that a link has expired."""


@attrs.define
class Courier:
    """Sends what lies in the outbox, and clears away what has expired. Several may work on one database.

    Attributes:
        store: where the outbox is.
        mailer: carries mail away.
        clock: time.
        post: how mail is written about what has been gathered; None where another courier does that.
    """

    store: Store
    mailer: Mailer
    clock: Clock
    post: Post | None = None
    _poked: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _hold: MailHeld | None = attrs.field(default=None, init=False)
    _held_until: datetime.datetime | None = attrs.field(default=None, init=False)
    _tidied_at: datetime.datetime | None = attrs.field(default=None, init=False)

    def poke(self) -> None:
        """Let the outbox be looked into at once."""
        self._poked.set()

    async def run(self) -> None:
        """Send mail until this is cancelled.

        Raises:
            StoreError: the database cannot be used now; begin again later.
        """
        while True:
            self._poked.clear()
            while await self.send_due() or await self.gather():
                pass
            await self.tidy()
            await self._wait()

    async def _wait(self) -> None:
        waits = {asyncio.create_task(self._poked.wait()), asyncio.create_task(self.clock.sleep(POLL_S))}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()

    async def gather(self) -> int:
        """Put the mails into the outbox that tell of all that has come since the last ones; return how many were due.

        Raises:
            StoreError: the database cannot be used now.
        """
        return 0 if self.post is None else await tell_gathered(self.store, self.clock.now(), self.post)

    async def send_due(self) -> int:
        """Try what is due by now, and return how many that was; none while the service wants nothing.

        Raises:
            StoreError: the database cannot be used now.
        """
        if self.held() is not None:
            return 0
        async with self.store.begin(reads_only=True) as work:
            due = await work.outbox.due(self.clock.now())
        for queued in due:
            await self._try(queued)
            if self.held() is not None:
                break
        return len(due)

    def held(self) -> MailHeld | None:
        """Return why nothing is sent now, as the service has said; None when nothing holds mail back."""
        now = self.clock.now()  # a clock that has been put right holds nothing back for longer than it should
        if self._held_until is not None and self._held_until - LONGEST_HOLD <= now < self._held_until:
            return self._hold
        return None

    async def _try(self, queued: QueuedMail) -> None:
        key, now = queued.mail.key, self.clock.now()
        if queued.attempts > len(PAUSES):  # the last attempt did not come back: this process ended in it
            await self._give_up(key, "the last attempt was interrupted")
            return
        async with self.store.begin() as work:
            claimed = await work.outbox.claim(queued, now + PAUSES[min(queued.attempts, len(PAUSES) - 1)])
            await work.commit()
        if claimed is None:
            return
        try:
            await self.mailer.send(claimed.mail)
        except MailRefused as refusal:
            await self._give_up(key, str(refusal))
        except StoreError:
            raise
        except MailHeld as hold:
            await self._put_off(claimed, hold)
        except PortError as failure:
            if claimed.attempts > len(PAUSES):
                await self._give_up(key, str(failure))
            else:
                log.warning("mail_put_off", key=key, attempts=claimed.attempts, reason=str(failure))
        else:
            async with self.store.begin() as work:
                await work.outbox.mark_sent(key, self.clock.now())
                await work.commit()

    async def _put_off(self, claimed: QueuedMail, hold: MailHeld) -> None:
        """Give back what was not even looked at, and let everything wait: more requests would only be refused, too."""
        now = self.clock.now()
        self._hold = hold
        self._held_until = max(min(hold.retry_at, now + LONGEST_HOLD), now + _SHORTEST_HOLD)
        say = log.error if hold.is_misset else log.warning
        say("mail_held", key=claimed.mail.key, until=f"{self._held_until:%Y-%m-%d %H:%M:%S}", reason=str(hold))
        if now - claimed.queued_at >= HELD_FOR:
            await self._give_up(claimed.mail.key, str(hold))
            return
        async with self.store.begin() as work:
            await work.outbox.put_off(claimed, self._held_until)
            await work.commit()

    async def _give_up(self, key: str, reason: str) -> None:
        async with self.store.begin() as work:
            await work.outbox.mark_failed(key, self.clock.now())
            await work.commit()
        log.error("mail_failed", key=key, reason=reason)

    async def tidy(self) -> None:
        """Forget sessions, links, tries and mail that are of no use any more; once an hour.

        Raises:
            StoreError: the database cannot be used now.
        """
        now = self.clock.now()
        if self._tidied_at is not None and now - self._tidied_at < TIDY_EVERY:
            return
        async with self.store.begin() as work:
            await work.sessions.forget_older(now - IDLE, now - LONGEST)
            await work.mail_links.forget_expired(now - KEPT)
            await work.throttle.forget_older(now - LONGEST_WINDOW)
            await work.outbox.forget_older(now - KEPT)
            await work.commit()
        self._tidied_at = now
