"""What pages ask of deals: pages, sums, days.

Sums come from the totals of whole days (UTC); only what lies at the edges of a range, or closed on another day by a
zone's clocks than by UTC's, is looked up deal by deal, in an index that holds all that is needed. SQLite, whose sums
of decimals would be binary floats, hands the numbers over as one text, and they are added up here.
"""

from __future__ import annotations

import datetime
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
        moved = []
        if any(offset.ahead for offset in offsets):
            statement = _moved(offsets, is_sqlite=session.dialect == "sqlite")
            range_ = between(_midnight(around[0]), _midnight(around[1] + _DAY))
            moved = list(await session.read_any(statement.where(*range_), {"ids": ids}))
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


def _moved(offsets: Sequence[Offset], *, is_sqlite: bool) -> Select[Any]:
    """Return what finds the deals that closed on another day by the zone's clocks than by UTC's."""
    closed_at = _DEALS.c.closed_at
    kind: Any = BigInteger() if is_sqlite else Interval()
    steps = [literal(it.ahead // datetime.timedelta(microseconds=1) if is_sqlite else it.ahead, kind) for it in offsets]
    changes = [(closed_at < it.since, step) for step, it in zip(steps, offsets[1:], strict=False)]
    ahead: ColumnElement[Any] = case(*changes, else_=steps[-1]) if changes else steps[-1]
    utc_day: ColumnElement[Any]
    zone_day: ColumnElement[Any]
    if is_sqlite:
        moment = type_coerce(closed_at, BigInteger())
        utc_day, zone_day = moment // _DAY_US, (moment + ahead) // _DAY_US
    else:  # the session's time zone is UTC
        utc_day, zone_day = cast(closed_at, Date), cast(closed_at + ahead, Date)
    utc_day, zone_day = utc_day.label("utc_day"), zone_day.label("zone_day")
    wanted = select(
        _DEALS.c.bot_id,
        utc_day,
        zone_day,
        func.count().label("deals"),
        _together(_DEALS.c.profit, is_text=is_sqlite).label("profit"),
        *([] if is_sqlite else [func.count().filter(_DEALS.c.profit > ZERO).label("won")]),
    )
    is_moved = utc_day.element != zone_day.element
    return wanted.where(_ENDED, _COUNTS, is_moved).group_by(_DEALS.c.bot_id, "utc_day", "zone_day")
