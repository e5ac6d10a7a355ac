"""A bot once more: with the same parameters, under another name."""

from __future__ import annotations

from dcacore.application import bots
from dcacore.application.bot_pages import name_for_copy
from dcacore.domain.ids import UserId
from dcacore.ports.bot_file import BotFile
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.records import BotRecord
from dcacore.ports.store import Store


async def copy(store: Store, clock: Clock, ids: Ids, *, user_id: UserId, named: str) -> BotRecord:
    """Store a copy of the user's bot, stopped, on the same account, and return it.

    Raises:
        NotFound: the user has no such bot.
        PlanLimitReached: the tier allows no further bot.
        Conflict: another bot has got the copy's name meanwhile.
    """
    record, name = await name_for_copy(store, user_id, named)
    bot = record.bot
    file = BotFile(file=record.name, name=name, strategy=bot.strategy, market={}, fees=bot.fees)
    return await bots.create(
        store, clock, ids, user_id=user_id, account=record.account_id, bot_file=file, market=bot.market
    )
