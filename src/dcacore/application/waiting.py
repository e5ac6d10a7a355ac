"""What a bot will be once the requests that wait have been carried out."""

from __future__ import annotations

from dcacore.application.parameters import strategy_of
from dcacore.domain.bot import Phase
from dcacore.domain.strategy import Strategy
from dcacore.ports.records import BotRecord, Request, RequestKind
from dcacore.ports.store import Work


async def strategy_to_be(work: Work, record: BotRecord) -> Strategy:
    """Return the parameters as they will be: of two edits in a row both must count."""
    edits = [it for it in await _waiting(work, record) if it.kind is RequestKind.EDIT_BOT]
    return strategy_of(edits[-1].details) if edits else record.bot.strategy


async def will_run(work: Work, record: BotRecord) -> bool:
    """Say whether the bot runs, or has been asked to start since it was last asked to stop."""
    asked = [it.kind for it in await _waiting(work, record) if it.kind in {RequestKind.START, RequestKind.STOP}]
    return record.bot.phase is not Phase.STOPPED or asked[-1:] == [RequestKind.START]


async def _waiting(work: Work, record: BotRecord) -> list[Request]:
    return [request for request in await work.requests.waiting() if request.bot_id == record.bot.id]
