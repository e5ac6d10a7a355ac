"""What a user does with bots, besides what an engine does for him: make, name, look at, delete."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from dcacore.application.accounts import account_of
from dcacore.application.finding import bot_of
from dcacore.application.limits import refuse_beyond_limit
from dcacore.application.refusals import checked_name
from dcacore.domain.bot import Bot, Phase
from dcacore.domain.errors import NotNow
from dcacore.domain.ids import OWN_PREFIX, BotId, UserId
from dcacore.domain.market import Market
from dcacore.ports.bot_file import BotFile
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.errors import Conflict
from dcacore.ports.records import BotRecord
from dcacore.ports.store import Store, Work


async def create(
    store: Store,
    clock: Clock,
    ids: Ids,
    *,
    user_id: UserId,
    account: str,
    bot_file: BotFile,
    market: Market,
    name: str | None = None,
) -> BotRecord:
    """Store a new bot, stopped, on the user's account of that id or name.

    Args:
        bot_file: its parameters, its name and the fees until the exchange has told its own.
        market: the rules of its pair, likewise.
        name: another name than the file's.

    Raises:
        NotFound: there is no such user or account.
        PlanLimitReached: the tier allows no further bot.
        Conflict: the user has a bot of that name.
        InvalidParameter: the name cannot be one.
    """
    name = checked_name("name", bot_file.name if name is None else name)
    prefix = OWN_PREFIX + await store.epoch()
    bot = Bot(id=BotId(ids.new()), strategy=bot_file.strategy, market=market, fees=bot_file.fees, order_prefix=prefix)
    async with store.begin() as work:
        mine = await refuse_beyond_limit(work, user_id)
        belongs_to = await account_of(work, user_id, account)
        _refuse_taken(mine, name)
        record = BotRecord(bot=bot, user_id=user_id, account_id=belongs_to.id, name=name, created_at=clock.now())
        await work.bots.add(record)
        await work.commit()
    return record


async def of(store: Store, user_id: UserId) -> tuple[BotRecord, ...]:
    """Return a user's bots, oldest first."""
    async with store.begin(reads_only=True) as work:
        return await work.bots.of(user_id)


async def find(store: Store, user_id: UserId, named: str) -> BotRecord:
    """Return the user's bot of that id or name.

    Raises:
        NotFound: the user has none.
    """
    async with store.begin(reads_only=True) as work:
        return await bot_of(work, user_id, named)


async def rename(store: Store, *, user_id: UserId, named: str, name: str) -> BotRecord:
    """Give a bot another name.

    Raises:
        NotFound: the user has no such bot.
        Conflict: the user has a bot of that name.
        InvalidParameter: the name cannot be one.
    """
    name = checked_name("name", name)
    async with store.begin() as work:
        record = await bot_of(work, user_id, named)
        if name != record.name:
            _refuse_taken([it for it in await work.bots.of(user_id) if it.bot.id != record.bot.id], name)
            await work.bots.rename(record.bot.id, name)
            await work.commit()
    return attrs.evolve(record, name=name)


async def delete(store: Store, *, user_id: UserId, named: str) -> BotRecord:
    """Forget a bot with all its history.

    Raises:
        NotFound: the user has no such bot.
        NotNow: something of it is open; what, is told.
    """
    async with store.begin() as work:
        record = await bot_of(work, user_id, named)
        if (reason := await _still_open(work, record)) is not None:
            raise NotNow(f"{record.name} cannot be deleted: {reason}")
        await work.bots.remove(record.bot.id)
        await work.commit()
    return record


async def _still_open(work: Work, record: BotRecord) -> str | None:
    bot = record.bot
    if bot.deal is not None:
        return f"deal {bot.deal.id} is open; stop the bot first"
    if bot.phase is not Phase.STOPPED:
        return "it is not stopped"
    if await work.intents.unsettled([bot.id]):
        return "the fate of an order of its is not known yet"
    if any(request.bot_id == bot.id for request in await work.requests.waiting()):
        return "a request waits for an engine"
    return None


def _refuse_taken(records: Sequence[BotRecord], name: str) -> None:
    for record in records:
        if record.name == name:
            raise Conflict(f"there is a bot {name} already")
        if name == record.bot.id:  # whoever says it would get that bot
            raise Conflict(f"{name} is the id of the bot {record.name}: take another name")
