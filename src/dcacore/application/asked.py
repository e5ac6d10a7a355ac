"""What became of what a user has asked: read again by its id, for the page that shows it."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from dcacore.application.asking import ALIVE_WITHIN, Outcome
from dcacore.domain.ids import RequestId, UserId
from dcacore.ports.records import BotRecord
from dcacore.ports.store import Store

_MOST = 100


@attrs.frozen(kw_only=True)
class Asked:
    """Something that a user has asked of a bot.

    Attributes:
        outcome: how it stands.
        bot: the bot, as it is now.
    """

    outcome: Outcome
    bot: BotRecord


async def asked(store: Store, user_id: UserId, ids: Iterable[RequestId]) -> tuple[Asked, ...]:
    """Return how these requests of the user's bots stand, in this order; those that are not the user's are left out."""
    found = []
    async with store.begin(reads_only=True) as work:
        mine = {record.bot.id: record for record in await work.bots.of(user_id)}
        is_alive = bool(await work.leases.engines(ALIVE_WITHIN))
        for request_id in list(dict.fromkeys(ids))[:_MOST]:
            request = await work.requests.get(request_id)
            if request is not None and request.bot_id in mine:
                outcome = Outcome(request=request, is_engine_alive=is_alive)
                found.append(Asked(outcome=outcome, bot=mine[request.bot_id]))
    return tuple(found)
