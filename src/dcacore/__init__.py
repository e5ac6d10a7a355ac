"""A library for DCA bots: exact ladders, one pure `decide` for live and backtest, candles in and reports out.

The names below are all that most programs need; `dcacore.ports` has the Protocols, `dcacore.adapters` what
implements them, and `dcacore.bootstrap` wires them. They are loaded when they are first used, so that a program that
only wants a ladder does not wait for numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dcacore._lazy import lazy

if TYPE_CHECKING:
    from dcacore.adapters.bot_file import read_bot
    from dcacore.adapters.candles import read_candles
    from dcacore.adapters.simulated import Path
    from dcacore.backtest.report import BacktestReport
    from dcacore.backtest.run import backtest
    from dcacore.backtest.sweep import SweepRow, sweep
    from dcacore.domain.bot import Bot, shown_state
    from dcacore.domain.engine import Decision, decide
    from dcacore.domain.errors import DcaError
    from dcacore.domain.market import FeeAsset, Fees, Market
    from dcacore.domain.preview import LadderPreview, ladder
    from dcacore.domain.strategy import Strategy
    from dcacore.domain.watch import Watches, watches
    from dcacore.ports.bot_file import BotFile
    from dcacore.ports.candles import Candles

__all__ = [
    "BacktestReport",
    "Bot",
    "BotFile",
    "Candles",
    "DcaError",
    "Decision",
    "FeeAsset",
    "Fees",
    "LadderPreview",
    "Market",
    "Path",
    "Strategy",
    "SweepRow",
    "Watches",
    "backtest",
    "decide",
    "ladder",
    "read_bot",
    "read_candles",
    "shown_state",
    "sweep",
    "watches",
]

_HOMES: Final = {
    "backtest": "dcacore.backtest",  # a package that can be called
    "BacktestReport": "dcacore.backtest.report",
    "Bot": "dcacore.domain.bot",
    "BotFile": "dcacore.ports.bot_file",
    "Candles": "dcacore.ports.candles",
    "DcaError": "dcacore.domain.errors",
    "Decision": "dcacore.domain.engine",
    "FeeAsset": "dcacore.domain.market",
    "Fees": "dcacore.domain.market",
    "LadderPreview": "dcacore.domain.preview",
    "Market": "dcacore.domain.market",
    "Path": "dcacore.adapters.simulated",
    "Strategy": "dcacore.domain.strategy",
    "SweepRow": "dcacore.backtest.sweep",
    "Watches": "dcacore.domain.watch",
    "decide": "dcacore.domain.engine",
    "ladder": "dcacore.domain.preview",
    "read_bot": "dcacore.adapters.bot_file",
    "read_candles": "dcacore.adapters.candles",
    "shown_state": "dcacore.domain.bot",
    "sweep": "dcacore.backtest.sweep",
    "watches": "dcacore.domain.watch",
}

__getattr__, __dir__ = lazy(__name__, _HOMES)
