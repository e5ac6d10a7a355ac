"""What a comparison has found, and what all of its parts need: the bots of an account, and telling one something."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from dcacore.application.engine.desk import Desk
from dcacore.application.engine.runner import Ended, Runner
from dcacore.application.engine.surroundings import log
from dcacore.domain.bot import Bot
from dcacore.domain.events import Event
from dcacore.domain.ids import OrderId
from dcacore.ports.errors import StoreError, StoreUnavailable
from dcacore.ports.records import BotRecord


@attrs.define
class Findings:
    """What a comparison has found so far."""

    adopted: list[OrderId] = attrs.field(factory=list)
    filled: list[OrderId] = attrs.field(factory=list)
    gone: list[OrderId] = attrs.field(factory=list)
    stray: list[OrderId] = attrs.field(factory=list)
    differences: list[str] = attrs.field(factory=list)

    def __bool__(self) -> bool:
        return bool(self.adopted or self.filled or self.gone or self.stray or self.differences)


async def bots_of(desk: Desk) -> tuple[Bot, ...]:
    """Return all bots of the account, those that run here as they are now."""
    records: Sequence[BotRecord] = ()
    try:
        async with desk.around.store.begin(reads_only=True) as work:
            records = await work.bots.of(desk.account.user_id)
    except StoreUnavailable:
        raise
    except StoreError as exc:  # rows that make no sense: what runs here is compared all the same
        log.warning("holdings_in_part", account=desk.account.id, reason=str(exc))
    bots = {record.bot.id: record.bot for record in records if record.account_id == desk.account.id}
    bots.update((runner.bot.id, runner.bot) for runner in desk.runners)
    return tuple(bots.values())


async def tell(runner: Runner, *events: Event) -> None:
    try:
        await runner.turn(*events)
    except Ended:
        return
