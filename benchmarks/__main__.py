"""Print what the exact engine, the commands, the live engine, the local exchange and the dashboard cost.

Run it with `make bench`: some five minutes, and a table for each, printed as soon as it is there. Backtests, commands
and the live engine by itself are in CPU time where they can be, as machines are shared; the way from a price to the
order and the local exchange in wall time, as what lies between two processes cannot be told otherwise: nothing else
should run meanwhile. Backtests play a seeded random walk of 525,600 one-minute candles with the bot of
examples/btc-calm.toml, so that everybody measures the same.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from benchmarks import engine, latency, local_exchange, web
from dcacore import BacktestReport, Candles, backtest, read_bot, read_candles
from dcacore.bootstrap import market_of, random_walk

ROOT = Path(__file__).parents[1]
BOT = ROOT / "examples" / "btc-calm.toml"
DCA = Path(sys.executable).with_name("dca")
MEBIBYTE = 1024  # ru_maxrss counts KiB on Linux
RUNS = 5


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the median CPU time of *RUNS* calls."""
    taken = []
    for _ in range(RUNS):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return median(taken)


def command(*arguments: str) -> tuple[float, float]:
    """Return the median CPU seconds and the largest memory in MiB of *RUNS* runs of `dca`."""
    seconds, memory = [], 0.0
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(1 + RUNS):  # the first one compiles what has changed
        quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
        child = os.posix_spawn(DCA, [str(DCA), *arguments], environment, file_actions=quiet)
        _, status, usage = os.wait4(child, 0)
        if status:
            sys.exit(f"dca {' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
        seconds.append(usage.ru_utime + usage.ru_stime)
        memory = max(memory, usage.ru_maxrss / MEBIBYTE)
    return median(seconds[1:]), memory


def save(candles: Candles, path: Path) -> None:
    """Write *candles* as a Parquet file."""
    names = ("open_time", "open", "high", "low", "close", "volume")
    pq.write_table(pa.table({name: getattr(candles, name) for name in names}), path, compression="zstd")


def fills(report: BacktestReport) -> int:
    """Return how many orders filled in the closed deals."""
    return sum(len(deal.deal.orders) for deal in report.deals)


def main() -> None:
    """Measure, and print a table with the goals beside the figures."""
    bot = read_bot(str(BOT))
    market = market_of(bot)
    candles = random_walk(market, 7)
    report = backtest(bot.strategy, market, bot.fees, candles)
    seconds = cpu_seconds(lambda: backtest(bot.strategy, market, bot.fees, candles))
    table = Table("what", "measured", "goal", title=f"{len(candles):,} candles, {fills(report):,} fills")
    table.add_row("backtest(), loaded candles", f"{len(candles) / seconds:,.0f} candles a CPU second", "2,000,000")
    table.add_row("", f"{seconds * 1e6 / fills(report):.0f} us a fill", "170")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "BTCUSDT-1m.parquet"
        save(candles, file)
        table.add_row("read_candles(), Parquet", f"{cpu_seconds(lambda: read_candles(file)):.3f} CPU seconds", "")
        played, memory = command("backtest", str(BOT), "--data", str(file))
    table.add_row("dca backtest, whole command", f"{played:.2f} CPU seconds", "1")
    table.add_row("", f"{memory:.0f} MiB", "300")
    table.add_row("dca ladder", f"{command('ladder', str(BOT), '--price', '30000')[0]:.2f} CPU seconds", "0.5")
    table.add_row("dca --help", f"{command('--help')[0]:.2f} CPU seconds", "0.25")
    console = Console()
    console.print(table)
    for part in (engine, latency, local_exchange):
        console.print(part.measure())
    for table in web.measure():
        console.print(table)


if __name__ == "__main__":
    main()
