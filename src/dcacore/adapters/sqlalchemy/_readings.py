"""What pages ask of deals: pages, sums, days.

Sums come from the totals of whole days (UTC); only what lies at the edges of a range, or closed on another day by a
zone's clocks than by UTC's, is looked up deal by deal, in an index that holds all that is needed. SQLite, whose sums
of decimals would be binary floats, hands the numbers over as one text, and they are added up here.
"""

from __future__ import annotations

import datetime
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Date,
    Interval,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    type_coerce,
)

from dcacore.adapters.sqlalchemy._bot_values import lifetime_of, spread_of
from dcacore.adapters.sqlalchemy._people_rows import DayTotalRow
from dcacore.adapters.sqlalchemy._rows import BotRow, DealRow
from dcacore.adapters.sqlalchemy._session import Session, chunks
from dcacore.domain.books import NOTHING_CARRIED, Books, Result
from dcacore.domain.deal import Exit
from dcacore.domain.ids import BotId, DealId
from dcacore.domain.money import ZERO, QuoteAmount, exact
from dcacore.ports.readings import DayProfit, DealQuery, DealState, Offset
from dcacore.ports.records import Lifetime
from dcacore.ports.results import ClosedDeal, closed_deal

_BOTS: Final = BotRow.__table__
_DEALS: Final = DealRow.__table__
_DAYS: Final = DayTotalRow.__table__
_IDS: Final[BindParameter[Sequence[str]]] = bindparam("ids", expanding=True)
_DAY: Final = datetime.timedelta(days=1)
_DAY_US: Final = 86_400_000_000
_EPOCH: Final = datetime.date(1970, 1, 1).toordinal()

_ENDED: Final = and_(_DEALS.c.bot_id.in_(_IDS), _DEALS.c.closed_at.is_not(None))
_IS_CANCELLED: Final = and_(_DEALS.c.exit.is_not(None), _DEALS.c.exit == Exit.CANCEL.value)
_IS_CLOSED: Final = or_(_DEALS.c.exit.is_(None), _DEALS.c.exit != Exit.CANCEL.value)
_COUNTS: Final = and_(_IS_CLOSED, _DEALS.c.profit.is_not(None))
_LIFETIMES: Final = select(_BOTS).where(_BOTS.c.id.in_(_IDS), _BOTS.c.deals > 0)
_NUMBERS: Final = ("gross", "base_fees", "buy_fees", "proceeds", "sell_fees", "bought", "profit", "cost_of_sold")
_CLOSED: Final = select(
    _DEALS.c.id, _DEALS.c.bot_id, _DEALS.c.opened_at, _DEALS.c.closed_at, *[_DEALS.c[name] for name in _NUMBERS]
).where(_ENDED, _COUNTS)
_OTHERS: Final = _DEALS.alias()
_FIRST_ID: Final = (
    select(_OTHERS.c.id)
    .where(_OTHERS.c.bot_id == _BOTS.c.id, _OTHERS.c.closed_at >= bindparam("since", type_=_DEALS.c.closed_at.type))
    .where(_OTHERS.c.profit.is_not(None), or_(_OTHERS.c.exit.is_(None), _OTHERS.c.exit != Exit.CANCEL.value))
    .order_by(_OTHERS.c.closed_at, _OTHERS.c.id)
    .limit(1)
    .correlate(_BOTS)
    .scalar_subquery()
)
_FIRST_CLOSED: Final = select(
    _DEALS.c.id, _DEALS.c.bot_id, _DEALS.c.opened_at, _DEALS.c.closed_at, *[_DEALS.c[name] for name in _NUMBERS]
).where(_DEALS.c.id.in_(select(_FIRST_ID).where(_BOTS.c.id.in_(_IDS))))
_SUMMED: Final = ("profit", "volume", "fees_quote", "fees_base", "fees_valued", "cost", "tied")
_OF_DAYS: Final = select(_DAYS.c.bot_id, _DAYS.c.day, _DAYS.c.deals, _DAYS.c.won, _DAYS.c.profit).where(
    _DAYS.c.bot_id.in_(_IDS)
)


# ------------------------------------------------------------------------------------------------------- which deals


def open_ids(query: DealQuery) -> Select[Any] | None:
    """Return what finds the ids of the open deals that are wanted; None when none are."""
    if DealState.OPEN not in query.states or query.until is not None:
        return None
    wanted = select(_DEALS.c.id).where(_DEALS.c.bot_id.in_(_IDS), _DEALS.c.is_open)
    return wanted.order_by(_DEALS.c.opened_at.desc(), _DEALS.c.id)


def ended_ids(query: DealQuery) -> Select[Any]:
    """Return what finds the ids of the ended deals that are wanted, newest first."""
    kinds = {DealState.CLOSED: _IS_CLOSED, DealState.CANCELLED: _IS_CANCELLED}
    wanted = select(_DEALS.c.id).where(_ENDED, *between(query.since, query.until))
    if not query.states >= kinds.keys():
        wanted = wanted.where(or_(false(), *[kinds[state] for state in kinds if state in query.states]))
    return wanted.order_by(_DEALS.c.closed_at.desc(), _DEALS.c.id)


def between(since: datetime.datetime | None, until: datetime.datetime | None) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of having ended in between."""
    if since is not None:
        yield _DEALS.c.closed_at >= since
    if until is not None:
        yield _DEALS.c.closed_at < until


# -------------------------------------------------------------------------------------------------------------- sums


async def totals(
    session: Session, bot_ids: Iterable[BotId], since: datetime.datetime | None, until: datetime.datetime | None
) -> dict[BotId, Lifetime]:
    """Return what the deals came to that closed in between."""
    found: dict[BotId, Lifetime] = {}
    for ids in chunks(bot_ids):
        if since is None and until is None:
            rows = await session.read(BotRow, _LIFETIMES, {"ids": ids})
            found.update({BotId(row.id): lifetime_of(row) for row in rows})
        else:
            found.update(await _in_range(session, ids, since, until))
    return found


async def _in_range(
    session: Session, ids: Sequence[str], since: datetime.datetime | None, until: datetime.datetime | None
) -> dict[BotId, Lifetime]:
    first = None if since is None else _utc_day(since - datetime.timedelta.resolution) + _DAY
    behind = None if until is None else _utc_day(until)
    edges: list[tuple[datetime.datetime | None, datetime.datetime | None]] = [(since, until)]
    found: dict[BotId, Lifetime] = {}
    if first is None or behind is None or first < behind:
        found = await _of_whole_days(session, ids, first, behind)
        edges = [(since, _midnight(first))] if first is not None else []
        edges += [(_midnight(behind), until)] if behind is not None else []
    for begin, end in edges:
        if begin == end:
            continue
        for row in await session.read_any(_CLOSED.where(*between(begin, end)), {"ids": ids}):
            deal = _closed(row)
            found[deal.bot_id] = found.get(deal.bot_id, Lifetime()).with_closed(deal)
    return found


async def first_closed(session: Session, bot_ids: Iterable[BotId], since: datetime.datetime) -> dict[BotId, ClosedDeal]:
    """Return of each bot the deal that closed first from *since* on, which the index finds bot by bot."""
    found: dict[BotId, ClosedDeal] = {}
    for ids in chunks(bot_ids):
        for row in await session.read_any(_FIRST_CLOSED, {"ids": ids, "since": since}):
            found[BotId(row.bot_id)] = _closed(row)
    return found


def _utc_day(at: datetime.datetime) -> datetime.date:
    return at.astimezone(datetime.UTC).date()


def _midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), datetime.UTC)


@exact
def _closed(row: Any) -> ClosedDeal:
    books = Books(
        bought=row.bought,
        gross=row.gross,
        base_fees=row.base_fees,
        buy_fees=row.buy_fees,
        proceeds=row.proceeds,
        sell_fees=row.sell_fees,
    )
    result = Result(profit=row.profit, cost_of_sold=row.cost_of_sold, carried=NOTHING_CARRIED)
    return closed_deal(DealId(row.id), BotId(row.bot_id), (row.opened_at, row.closed_at), books, result)


async def _of_whole_days(
    session: Session, ids: Sequence[str], first: datetime.date | None, behind: datetime.date | None
) -> dict[BotId, Lifetime]:
    is_text = session.dialect == "sqlite"
    sums = [_together(_DAYS.c[name], is_text=is_text).label(name) for name in _SUMMED]
    extremes = [_extreme(_DAYS.c[name], name, is_text=is_text).label(name) for name in ("best", "worst")]
    counts = [func.sum(_DAYS.c[name]).label(name) for name in ("deals", "won", "duration_s")]
    spread = _joined(_DAYS.c.spread, ";", is_sqlite=is_text).label("spread")
    wanted = select(_DAYS.c.bot_id, *sums, *extremes, *counts, spread).where(_DAYS.c.bot_id.in_(_IDS))
    if first is not None:
        wanted = wanted.where(_DAYS.c.day >= first)
    if behind is not None:
        wanted = wanted.where(_DAYS.c.day < behind)
    rows = await session.read_any(wanted.group_by(_DAYS.c.bot_id), {"ids": ids})
    return {BotId(row.bot_id): _lifetime(row) for row in rows}


def _together(column: ColumnElement[Any], *, is_text: bool) -> ColumnElement[Any]:
    return _joined(column, " ", is_sqlite=True) if is_text else func.sum(column)


def _extreme(column: ColumnElement[Any], name: str, *, is_text: bool) -> ColumnElement[Any]:
    if is_text:
        return _joined(column, " ", is_sqlite=True)
    return func.max(column) if name == "best" else func.min(column)


def _joined(column: ColumnElement[Any], by: str, *, is_sqlite: bool) -> ColumnElement[str]:
    join = func.group_concat if is_sqlite else func.string_agg
    joined: ColumnElement[str] = join(type_coerce(column, Text()), literal(by, Text()), type_=Text())
    return joined


@exact
def _lifetime(row: Any) -> Lifetime:
    sums = {name: _sum(getattr(row, name)) for name in _SUMMED}
    spreads = [spread_of(text) for text in row.spread.split(";")]
    return Lifetime(
        deals=int(row.deals),
        won=int(row.won),
        duration_s=int(row.duration_s),
        best=QuoteAmount(max(_numbers(row.best))),
        worst=QuoteAmount(min(_numbers(row.worst))),
        spread=tuple(map(sum, zip(*spreads, strict=True))),
        profit=QuoteAmount(sums["profit"]),
        volume=QuoteAmount(sums["volume"]),
        fees_quote=sums["fees_quote"],
        fees_base=sums["fees_base"],
        fees_valued=QuoteAmount(sums["fees_valued"]),
        cost=QuoteAmount(sums["cost"]),
        tied=sums["tied"],
    )


def _numbers(value: Any) -> list[Decimal]:
    return list(map(Decimal, value.split())) if isinstance(value, str) else [value]


def _sum(value: Any) -> Decimal:
    return sum(_numbers(value), ZERO)


# -------------------------------------------------------------------------------------------------------------- days


_Sums = defaultdict[tuple[datetime.date, str], list[Any]]
"""By day and bot: how many deals, how many of them won, and their profit. A year of twenty bots has thousands."""


def _nothing() -> list[Any]:
    return [0, 0, ZERO]


async def by_day(
    session: Session,
    bot_ids: Iterable[BotId],
    offsets: Sequence[Offset],
    first: datetime.date,
    last: datetime.date,
) -> tuple[DayProfit, ...]:
    """Return what the deals brought by day and bot."""
    days: _Sums = defaultdict(_nothing)
    around = first - _DAY, last + _DAY
    for ids in chunks(bot_ids):
        wanted = _OF_DAYS.where(_DAYS.c.day >= around[0], _DAYS.c.day <= around[1])
        whole = await session.read_any(wanted, {"ids": ids})
        slices = _slices(sorted({row.day for row in whole}), offsets)
        moved = await _moved(session, ids, slices, offsets) if slices else ()
        _add_up(days, whole, moved)
    return tuple(
        [
            DayProfit(bot_id=BotId(bot_id), day=day, deals=deals, won=won, profit=QuoteAmount(profit))
            for (day, bot_id), (deals, won, profit) in sorted(days.items(), key=lambda found: found[0])
            if first <= day <= last and deals
        ]
    )


@exact
def _add_up(days: _Sums, whole: Sequence[Any], moved: Sequence[Any]) -> None:
    for bot_id, day, deals, won, profit in whole:
        _add(days[day, bot_id], deals, won, profit)
    for bot_id, utc_day, zone_day, deals, profit, *counted in moved:
        profits = _numbers(profit)
        together = sum(profits, ZERO)
        won = counted[0] if counted else sum(it > 0 for it in profits)
        _add(days[_date(utc_day), bot_id], -deals, -won, -together)
        _add(days[_date(zone_day), bot_id], deals, won, together)


def _add(found: list[Any], deals: int, won: int, profit: Decimal) -> None:
    found[0] += deals
    found[1] += won
    found[2] += profit


def _date(value: Any) -> datetime.date:
    return datetime.date.fromordinal(_EPOCH + value) if isinstance(value, int) else value


_Slice = tuple[datetime.datetime, datetime.datetime, datetime.date, datetime.date]


def _slices(days: Sequence[datetime.date], offsets: Sequence[Offset]) -> list[_Slice]:
    """Return from when to when, on these days of UTC, the zone's clocks show another day, and both days."""
    found: list[_Slice] = []
    ends = [*[it.since for it in offsets[1:]], None]
    for index, (offset, end) in enumerate(zip(offsets, ends, strict=True)):
        since = None if index == 0 else offset.since
        for day in days:
            midnight = _midnight(day)
            if offset.ahead > datetime.timedelta():
                begin, behind, there = midnight + _DAY - offset.ahead, midnight + _DAY, day + _DAY
            else:
                begin, behind, there = midnight, midnight - offset.ahead, day - _DAY
            begin = begin if since is None else max(begin, since)
            behind = behind if end is None else min(behind, end)
            if begin < behind:
                found.append((begin, behind, day, there))
    return found


async def _moved(
    session: Session, ids: Sequence[str], slices: Sequence[_Slice], offsets: Sequence[Offset]
) -> Sequence[Any]:
    """Return what the deals came to that closed on another day by the zone's clocks than by UTC's."""
    if session.dialect == "sqlite":
        found: list[Any] = []
        for way in (1, -1):  # a zone that lies now ahead of UTC, now behind it, is asked for twice
            rows = [(_micros(it[0]), _micros(it[1])) for it in slices if (it[3] > it[2]) is (way > 0)]
            if rows:
                found += await session.read_any(_MOVED[way], {"ids": ids, "slices": json.dumps(rows)})
        return found
    range_ = between(slices[0][0], max(it[1] for it in slices))
    return await session.read_any(_moved_by_postgres(offsets).where(*range_), {"ids": ids})


def _micros(at: datetime.datetime) -> int:
    return (at - _midnight(datetime.date.fromordinal(_EPOCH))) // datetime.timedelta.resolution


def _moved_in_slices(way: int) -> Select[Any]:
    """Return what finds them on SQLite, slice by slice: most zones move few of all deals, and the index leads there."""
    slices = func.json_each(bindparam("slices", type_=Text())).table_valued("value")
    begin, behind = (func.json_extract(slices.c.value, f"$[{place}]", type_=BigInteger()) for place in (0, 1))
    closed_at = type_coerce(_DEALS.c.closed_at, BigInteger())
    utc_day = closed_at // _DAY_US
    return (
        select(
            _DEALS.c.bot_id,
            utc_day.label("utc_day"),
            (utc_day + way).label("zone_day"),
            func.count().label("deals"),
            _together(_DEALS.c.profit, is_text=True).label("profit"),
        )
        .select_from(slices.join(_DEALS, and_(closed_at >= begin, closed_at < behind)))
        .where(_DEALS.c.bot_id.in_(_IDS), _COUNTS)
        .group_by(_DEALS.c.bot_id, "utc_day")
    )


_MOVED: Final = {way: _moved_in_slices(way) for way in (1, -1)}


def _moved_by_postgres(offsets: Sequence[Offset]) -> Select[Any]:
    closed_at = _DEALS.c.closed_at
    steps = [literal(it.ahead, Interval()) for it in offsets]
    changes = [(closed_at < it.since, step) for step, it in zip(steps, offsets[1:], strict=False)]
    ahead: ColumnElement[Any] = case(*changes, else_=steps[-1]) if changes else steps[-1]
    # The session's time zone is UTC.
    utc_day, zone_day = cast(closed_at, Date).label("utc_day"), cast(closed_at + ahead, Date).label("zone_day")
    return (
        select(
            _DEALS.c.bot_id,
            utc_day,
            zone_day,
            func.count().label("deals"),
            _together(_DEALS.c.profit, is_text=False).label("profit"),
            func.count().filter(_DEALS.c.profit > ZERO).label("won"),
        )
        .where(_ENDED, _COUNTS, utc_day.element != zone_day.element)
        .group_by(_DEALS.c.bot_id, "utc_day", "zone_day")
    )
