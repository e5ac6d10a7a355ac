"""One backtest in a process of its own, so that an engine here is not kept from its work."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import zlib
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any, Final, cast

import attrs

from dcacore.domain.errors import DcaError
from dcacore.domain.market import Market
from dcacore.domain.numbers import Number
from dcacore.ports.backtests import Outcome
from dcacore.ports.bot_file import BotFile
from dcacore.ports.intervals import DAY_MS
from dcacore.ports.records import Environment

MAX_GAP_MS: Final = DAY_MS
"""Candles with a longer stretch missing are not played."""
LARGEST_REPORT: Final = 16 << 20
"""How long a report may be as JSON: some 70,000 deals."""
_FIGURES: Final = ("profit", "fees_quote", "fees_base")


@attrs.frozen(kw_only=True)
class Order:
    """What is played.

    Attributes:
        bot: the bot.
        market: the rules of its market.
        data_dir: folder of the candle store.
        interval: which candles of it.
        from_ms: where to start, Unix milliseconds; None is the first candle.
        to_ms: before which time to end; None is after the last.
        path: which of a candle's extremes comes first.
        slippage: how far a market order's price moves against it, as a fraction.
        balance: quote that the bot has; None is without limit.
        environment: whose candles they are, where what is missing is fetched first; None fetches nothing.
    """

    bot: BotFile
    market: Market
    data_dir: str
    interval: str
    from_ms: int | None = None
    to_ms: int | None = None
    path: str = "nearest"
    slippage: Number = 0
    balance: Number | None = None
    environment: Environment | None = None


@attrs.frozen(kw_only=True)
class Told:
    """What a process says in the end.

    Attributes:
        outcome: what came of it; None when it failed.
        figures: the numbers by which backtests are compared.
        warnings: what to know before believing it.
        failure: why it failed; empty otherwise.
    """

    outcome: Outcome | None = None
    figures: Mapping[str, str] = attrs.field(factory=dict)
    warnings: tuple[str, ...] = ()
    failure: str = ""


class TooMuchToKeep(DcaError):
    """A report is longer than may be kept."""


def play(order: Order, progress: Callable[[float], None] = lambda _: None) -> Told:
    """Return what comes of a backtest.

    Raises:
        DcaError: it cannot be played; the text says why.
    """
    from dcacore import bootstrap
    from dcacore.application.playable import playable
    from dcacore.backtest import played
    from dcacore.backtest.as_json import report_as_json
    from dcacore.backtest.drawings import drawings

    store = bootstrap.candle_store(order.data_dir)
    candles = store.load(order.bot.strategy.pair, order.interval, order.from_ms, order.to_ms)
    found = playable(candles, from_ms=order.from_ms, to_ms=order.to_ms, max_gap_ms=MAX_GAP_MS)
    done = played.play(
        order.bot,
        order.market,
        found,
        path=order.path,
        slippage=order.slippage,
        balance=order.balance,
        progress=progress,
    )
    report = report_as_json(done.report)
    text = json.dumps(report)
    if len(text) > LARGEST_REPORT:
        raise TooMuchToKeep(f"it made {len(done.report.deals):,} deals, too many to keep: play a shorter time")
    outcome = Outcome(report=zlib.compress(text.encode()), drawings=zlib.compress(json.dumps(drawings(done)).encode()))
    return Told(outcome=outcome, figures=_figures(report), warnings=done.warnings)


def unpacked(packed: bytes) -> dict[str, Any]:
    """Return the JSON values of a part of an outcome."""
    found: dict[str, Any] = json.loads(zlib.decompress(packed))
    return found


def _figures(report: Mapping[str, object]) -> dict[str, str]:
    open_deal = cast("Mapping[str, str] | None", report["open_deal"])
    statistics = cast("Mapping[str, object]", report["statistics"])
    return {
        "deals": str(len(cast("list[object]", report["deals"]))),
        "candles": str(report["candles"]),
        "from_ms": str(report["from_ms"]),
        "to_ms": str(report["to_ms"]),
        "unrealized": "0" if open_deal is None else open_deal["unrealized"],
        **{name: str(report[name]) for name in _FIGURES},
        **{name: str(value) for name, value in statistics.items()},
    }


def _child(sending: Connection, order: Order) -> None:
    """Play in this process, and send how far it is and what came of it; errors go as text: not all can be packed."""
    last = 0

    def tell(share: float) -> None:
        nonlocal last
        percent = int(share * 100)
        if percent > last:
            last = percent
            sending.send(percent)

    try:
        told = play(order, tell)
    except DcaError as exc:
        told = Told(failure=str(exc))
    sending.send(told)


async def play_apart(order: Order, progress: Callable[[int], None]) -> Told:
    """Return what comes of a backtest that is played in a process of its own; *progress* is told percents.

    Raises:
        EOFError: the process has died; OSError: it could not be started.
    """
    context: Any = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sending, order), daemon=True)
    with receiving:
        try:
            with sending:
                await asyncio.to_thread(process.start)
            while True:
                said: int | Told = await asyncio.to_thread(receiving.recv)
                if isinstance(said, Told):
                    return said
                progress(said)
        finally:
            if process.pid is not None:
                process.kill()
                process.join()
                process.close()
