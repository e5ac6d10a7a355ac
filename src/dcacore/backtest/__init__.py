"""Candles in, report out: `dcacore.backtest(strategy, market, fees, candles)`.

The library promises a function of this name, and the package that holds it is called the same: so the package can be
called, and hands on to `dcacore.backtest.run.backtest`, whose docstring says what it takes and returns.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dcacore.backtest.report import BacktestReport


class _CallablePackage(ModuleType):
    def __call__(self, *args: object, **terms: object) -> BacktestReport:
        """Return what `dcacore.backtest.run.backtest` returns for the same arguments."""
        from dcacore.backtest.run import backtest  # numpy is loaded when something is played

        return backtest(*args, **terms)  # type: ignore[arg-type]  # callers are checked against the function itself


sys.modules[__name__].__class__ = _CallablePackage
