"""What a decision did and why, in sentences for people: told by comparing the bot before with the bot after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dcacore.domain.bot import Bot, Phase, TroubleKind, Wanted
from dcacore.domain.deal_story import tell_deal, tell_opening
from dcacore.domain.engine import Decision
from dcacore.domain.events import EditBotRequested, Event, PauseRequested, RetryDue, StartRequested, StopRequested
from dcacore.domain.market import Market
from dcacore.domain.money import exact
from dcacore.domain.notes import NOTIFY, Kind, Level, Note, note
from dcacore.domain.words import changes_between

__all__ = ["NOTIFY", "Kind", "Level", "Note", "tell"]

TROUBLES: Final = {
    TroubleKind.WAITING_FOR_BALANCE: Kind.WAITING_FOR_BALANCE,
    TroubleKind.NEEDS_ATTENTION: Kind.ATTENTION,
    TroubleKind.ERROR: Kind.ERROR,
}
"""What a trouble is told as."""


@exact
def tell(before: Bot, event: Event, decision: Decision) -> tuple[Note, ...]:
    """Return what happened when *before* heard *event* and came to *decision*, in order; nothing when nothing did."""
    return tuple(_tell(before, event, decision))


def _tell(before: Bot, event: Event, decision: Decision) -> Iterator[Note]:
    after, deal = decision.bot, before.deal
    yield from _of_wishes(before, event, after)
    yield from _of_rules(before.market, after.market)
    if deal is not None:
        yield from tell_deal(deal, event, decision)
    yield from _of_trouble(before, event, after)
    yield from _of_stopping(before, event, after)
    if after.deal is not None and (deal is None or deal.id != after.deal.id):
        yield tell_opening(after.deal)


def _of_wishes(before: Bot, event: Event, after: Bot) -> Iterator[Note]:
    if isinstance(event, StartRequested) and (before.wanted is not Wanted.RUN or before.phase is Phase.STOPPED):
        yield note(Kind.STARTED, "started by its user")
    elif after.wanted is Wanted.PAUSE and before.wanted is not Wanted.PAUSE:
        open_deal = "; the open deal is managed to its end" if after.deal is not None else ""
        why = f", because {event.reason}" if isinstance(event, PauseRequested) and event.reason else " by its user"
        yield note(Kind.PAUSED, f"paused{why}: no new deal starts{open_deal}")
    elif isinstance(event, StopRequested) and before.wanted is not Wanted.STOP and after.phase is not Phase.STOPPED:
        what = "its coins are sold at market" if event.sell else "its coins stay in the account"
        yield note(Kind.STOPPING, f"stopped by its user: the open deal ends, {what}")
    if isinstance(event, EditBotRequested) and (changes := changes_between(before.strategy, after.strategy)):
        yield note(Kind.BOT_EDITED, f"changed for the next deal: {changes}")


def _of_rules(before: Market, after: Market) -> Iterator[Note]:
    if before.pair == after.pair and before != after:
        changes = changes_between(before, after)
        yield note(Kind.RULES_CHANGED, f"the exchange has changed the rules of {after.pair}: {changes}")


def _of_trouble(before: Bot, event: Event, after: Bot) -> Iterator[Note]:
    old, new = before.trouble, after.trouble
    deal_id = None if after.deal is None else after.deal.id
    if new is not None and new != old:
        yield note(TROUBLES[new.kind], new.reason, deal_id=deal_id)
    elif old is not None and new is None and after.wanted is not Wanted.STOP:
        text = "tries again what it waited for" if isinstance(event, RetryDue) else f"goes on; before: {old.reason}"
        yield note(Kind.RESUMED, text, deal_id=deal_id)


def _of_stopping(before: Bot, event: Event, after: Bot) -> Iterator[Note]:
    if after.phase is not Phase.STOPPED or before.phase is Phase.STOPPED:
        return
    if before.wanted is Wanted.STOP or isinstance(event, StopRequested):
        yield note(Kind.STOPPED, "stopped")
        return
    deals, limit = after.deals_closed - after.closed_before, after.strategy.max_deals
    is_last = bool(limit) and deals >= limit
    why = f"{deals} of max_deals = {limit} deals have closed" if is_last else "auto_restart is off"
    yield note(Kind.FINISHED, f"stopped by itself: {why}")
