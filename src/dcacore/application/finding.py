"""Bots and deals by what users call them. Another user's are not found."""

from __future__ import annotations

from collections.abc import Sequence

from dcacore.application.refusals import NotFound
from dcacore.domain.errors import NotNow
from dcacore.domain.ids import DealId, UserId
from dcacore.ports.records import BotRecord, DealRecord
from dcacore.ports.store import Work


async def bot_of(work: Work, user_id: UserId, named: str) -> BotRecord:
    """Return the user's bot of that id or name.

    Raises:
        NotFound: the user has none.
    """
    records = await work.bots.of(user_id)
    record = _named(records, named)
    if record is None:
        raise NotFound("bot", named, f"; there are {', '.join(it.name for it in records)}" if records else "")
    return record


def _named(records: Sequence[BotRecord], named: str) -> BotRecord | None:
    """Return the one of that id, else the one of that name."""
    by_id = next((it for it in records if it.bot.id == named), None)
    return by_id or next((it for it in records if it.name == named), None)


async def deal_of(work: Work, user_id: UserId, named: str) -> DealRecord:
    """Return the user's deal of that id; or the open deal of the bot of that id or name.

    Raises:
        NotFound: the user has neither such a deal nor such a bot.
        NotNow: the bot has no open deal.
    """
    found = await work.deals.get(DealId(named)) if named.isprintable() else None  # no database can be asked for others
    if found is not None and found.user_id == user_id:
        return found
    record = _named(await work.bots.of(user_id), named)
    if record is None:
        raise NotFound("deal", named, ", and no bot of that name")
    if record.bot.deal is None:
        raise NotNow(f"{record.name} has no open deal")
    opened = await work.deals.get(record.bot.deal.id)
    if opened is None:
        raise NotNow(f"{record.name} has no open deal")
    return opened
