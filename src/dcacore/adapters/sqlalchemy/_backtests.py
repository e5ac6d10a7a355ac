"""The backtests that users have asked for."""

from __future__ import annotations

import datetime
import json
from typing import Final

import attrs
from sqlalchemy import BindParameter, bindparam, delete, insert, select, update

from dcacore.adapters.sqlalchemy._backtest_rows import BacktestRow
from dcacore.adapters.sqlalchemy._errors import making_sense_of
from dcacore.adapters.sqlalchemy._session import Session, Values
from dcacore.domain.ids import UserId
from dcacore.ports.backtests import BacktestRun, BacktestRuns, Outcome, RunState
from dcacore.ports.records import Environment

_RUNS: Final = BacktestRow.__table__
_PACKED: Final = ("report", "drawings")
_THIS: Final[BindParameter[str]] = bindparam("this")
_WHOSE: Final[BindParameter[str]] = bindparam("whose")
_LIGHT: Final = select(*[it for it in _RUNS.c if it.name not in _PACKED]).where(_RUNS.c.user_id == _WHOSE)
_OF: Final = _LIGHT.order_by(_RUNS.c.asked_at.desc(), _RUNS.c.id.desc())
_GET: Final = _LIGHT.where(_RUNS.c.id == _THIS)
_OUTCOME: Final = select(_RUNS.c.report, _RUNS.c.drawings).where(_RUNS.c.user_id == _WHOSE, _RUNS.c.id == _THIS)
_SAVE: Final = update(_RUNS).where(_RUNS.c.id == _THIS)
_TAKEN: Final = "there is such a backtest already, or no such user"


@attrs.frozen
class SqlBacktests(BacktestRuns):
    """The backtests."""

    session: Session

    async def add(self, run: BacktestRun) -> None:
        await self.session.write(insert(_RUNS), _values(run), _TAKEN)

    async def save(self, run: BacktestRun, outcome: Outcome | None = None) -> None:
        packed = {} if outcome is None else {"report": outcome.report, "drawings": outcome.drawings}
        await self.session.write(_SAVE, {"this": run.id, **_values(run), **packed})

    async def get(self, user_id: UserId, run_id: str) -> BacktestRun | None:
        found = await self.session.read(BacktestRow, _GET, {"whose": user_id, "this": run_id})
        return _run_of(found[0]) if found else None

    async def outcome(self, user_id: UserId, run_id: str) -> Outcome | None:
        found = await self.session.read(BacktestRow, _OUTCOME, {"whose": user_id, "this": run_id})
        if not found or found[0].report is None or found[0].drawings is None:
            return None
        return Outcome(report=found[0].report, drawings=found[0].drawings)

    async def of(self, user_id: UserId) -> tuple[BacktestRun, ...]:
        return tuple([_run_of(row) for row in await self.session.read(BacktestRow, _OF, {"whose": user_id})])

    async def see(self, run_id: str, at: datetime.datetime) -> None:
        await self.session.write(_SAVE, {"this": run_id, "seen_at": at})

    async def remove(self, user_id: UserId, run_id: str) -> bool:
        theirs = _RUNS.c.user_id == user_id, _RUNS.c.id == run_id
        return bool(await self.session.write(delete(_RUNS).where(*theirs)))


def _values(run: BacktestRun) -> Values:
    return {
        **attrs.asdict(run, recurse=False),
        "state": run.state.value,
        "environment": None if run.environment is None else run.environment.value,
        "warnings": json.dumps(run.warnings),
        "figures": json.dumps(dict(run.figures)),
    }


def _run_of(row: BacktestRow) -> BacktestRun:
    with making_sense_of("one of the backtests"):
        columns = {field.name: getattr(row, field.name) for field in attrs.fields(BacktestRun)}
        return BacktestRun(
            **{
                **columns,
                "user_id": UserId(row.user_id),
                "state": RunState(row.state),
                "environment": None if row.environment is None else Environment(row.environment),
                "warnings": tuple(json.loads(row.warnings)),
                "figures": json.loads(row.figures),
            }
        )
