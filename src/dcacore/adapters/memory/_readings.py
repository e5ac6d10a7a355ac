"""What pages ask of deals: pages, sums, days. Everything is looked through; a database has indexes."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from dcacore.adapters.memory._tables import Draft, StoredDeal
from dcacore.domain.deal import Exit
from dcacore.domain.ids import BotId
from dcacore.domain.money import NO_QUOTE, QuoteAmount, exact
from dcacore.ports.readings import DayProfit, DealQuery, DealState, Offset
from dcacore.ports.records import Lifetime
from dcacore.ports.results import ClosedDeal, closed_deal


def closed_deals(draft: Draft, bot_ids: Iterable[BotId]) -> Iterator[ClosedDeal]:
    """Yield the numbers of the closed deals of these bots, those that were cancelled left out."""
    wanted = set(bot_ids)
    for stored in draft.tables.deals.values():
        deal = stored.deal
        if stored.bot_id not in wanted or stored.is_dropped or deal.closed_at is None or deal.result is None:
            continue
        if deal.exit is not Exit.CANCEL:
            yield closed_deal(deal.id, stored.bot_id, (deal.opened_at, deal.closed_at), deal.books, deal.result)


def totals(
    draft: Draft, bot_ids: Iterable[BotId], since: datetime.datetime | None, until: datetime.datetime | None
) -> dict[BotId, Lifetime]:
    """Return what the deals came to that closed in between."""
    found: dict[BotId, Lifetime] = {}
    for deal in closed_deals(draft, bot_ids):
        if _is_between(deal.closed_at, since, until):
            found[deal.bot_id] = found.get(deal.bot_id, Lifetime()).with_closed(deal)
    return found


def first_closed(draft: Draft, bot_ids: Iterable[BotId], since: datetime.datetime) -> dict[BotId, ClosedDeal]:
    """Return of each bot the deal that closed first from *since* on."""
    found = [deal for deal in closed_deals(draft, bot_ids) if deal.closed_at >= since]
    return {deal.bot_id: deal for deal in sorted(found, key=lambda it: (it.closed_at, it.deal_id), reverse=True)}


@exact
def by_day(
    draft: Draft, bot_ids: Iterable[BotId], offsets: Sequence[Offset], first: datetime.date, last: datetime.date
) -> tuple[DayProfit, ...]:
    """Return what the deals brought by day and bot."""
    found: dict[tuple[datetime.date, BotId], list[ClosedDeal]] = defaultdict(list)
    for deal in closed_deals(draft, bot_ids):
        ahead = next((it.ahead for it in reversed(offsets) if it.since <= deal.closed_at), offsets[0].ahead)
        day = (deal.closed_at.astimezone(datetime.UTC) + ahead).date()
        if first <= day <= last:
            found[day, deal.bot_id].append(deal)
    return tuple(
        [
            DayProfit(
                bot_id=bot_id,
                day=day,
                deals=len(deals),
                won=sum(it.profit > 0 for it in deals),
                profit=QuoteAmount(sum([it.profit for it in deals], NO_QUOTE)),
            )
            for (day, bot_id), deals in sorted(found.items(), key=lambda it: it[0])
        ]
    )


def fits(stored: StoredDeal, query: DealQuery) -> bool:
    """Say whether a deal is among those that are wanted, whosever it is."""
    deal = stored.deal
    if stored.is_dropped or state_of(stored) not in query.states:
        return False
    if deal.closed_at is None:
        return query.until is None
    return _is_between(deal.closed_at, query.since, query.until)


def state_of(stored: StoredDeal) -> DealState:
    """Return how a deal stands."""
    if stored.deal.closed_at is None:
        return DealState.OPEN
    return DealState.CANCELLED if stored.deal.exit is Exit.CANCEL else DealState.CLOSED


def ended_between(
    draft: Draft, bot_id: BotId, since: datetime.datetime | None, until: datetime.datetime | None
) -> list[StoredDeal]:
    """Return the deals of a bot that ended in between, oldest end first."""
    theirs = [it for it in draft.tables.deals.values() if it.bot_id == bot_id and not it.is_dropped]
    ended = [it for it in theirs if it.deal.closed_at is not None and _is_between(it.deal.closed_at, since, until)]
    return sorted(ended, key=end_of)


def end_of(stored: StoredDeal) -> tuple[datetime.datetime, str]:
    """Return by what ended deals are in order."""
    return stored.deal.closed_at or stored.deal.opened_at, stored.deal.id


def _is_between(at: datetime.datetime, since: datetime.datetime | None, until: datetime.datetime | None) -> bool:
    return (since is None or since <= at) and (until is None or at < until)
