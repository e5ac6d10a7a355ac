"""What there is of everybody, counted."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping

import attrs

from dcacore.adapters.memory._tables import Draft
from dcacore.domain.bot import shown_state
from dcacore.domain.ids import UserId
from dcacore.domain.intents import IntentState
from dcacore.ports.census import Census, MailCount, UserLine, UserPage, UserQuery
from dcacore.ports.records import User


@attrs.frozen
class MemoryCensus(Census):
    """What there is of everybody, counted."""

    draft: Draft

    async def users(self, query: UserQuery) -> UserPage:
        fit = [user for user in self.draft.tables.users.values() if query.text.lower() in user.email]
        fit.sort(key=lambda user: (user.created_at, user.id), reverse=True)
        shown = fit[query.skip : query.skip + query.limit]
        return UserPage(lines=tuple([self._line(user) for user in shown]), total=len(fit))

    def _line(self, user: User) -> UserLine:
        return UserLine(user=user, bots=self._bots_of(user.id), seen_at=self._seen(user.id))

    def _bots_of(self, user_id: UserId) -> int:
        return sum([record.user_id == user_id for record in self.draft.tables.bots.values()])

    def _seen(self, user_id: UserId) -> datetime.datetime | None:
        sessions = self.draft.tables.sessions.values()
        return max([it.seen_at for it in sessions if it.user_id == user_id], default=None)

    async def bots(self) -> Mapping[str, int]:
        return Counter([shown_state(record.bot) for record in self.draft.tables.bots.values()])

    async def orders(self) -> Mapping[IntentState, int]:
        return Counter([it.state for it in self.draft.tables.intents.values() if not it.has_ended])

    async def requests(self) -> int:
        return sum([request.done_at is None for request in self.draft.tables.requests.values()])

    async def mail(self) -> MailCount:
        outbox = self.draft.tables.outbox.values()
        waiting = [it for it in outbox if it.sent_at is None and it.failed_at is None]
        return MailCount(
            waiting=len(waiting),
            put_off=sum([it.attempts > 0 for it in waiting]),
            failed=sum([it.failed_at is not None for it in outbox]),
            oldest=min([it.queued_at for it in waiting], default=None),
        )
