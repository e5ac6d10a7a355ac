"""Run simulated lives from the command line."""

# ruff: noqa: T201  # it prints

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from enum import Enum

from tests.simulation.faults import ALL
from tests.simulation.life import simulate


def main() -> int:
    """Simulate what the arguments say; return how many lives failed, at most 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first seed; the time of day unless given")
    parser.add_argument("--hours", type=float, default=1, help="simulated hours of a life")
    parser.add_argument("--lives", type=int, default=1, help="how many, with a seed each")
    parser.add_argument("--trace", action="store_true", help="print every call")
    parser.add_argument("--digest", action="store_true", help="print only what tells one trace from another")
    args = parser.parse_args()
    if args.digest:
        print(simulate(args.seed, args.hours).digest)
        return 0
    seed = int(time.time()) if args.seed is None else args.seed
    hits: Counter[Enum] = Counter()
    failed = orders = deals = starts = calls = 0
    began, used = time.perf_counter(), time.process_time()
    for number in range(seed, seed + args.lives):
        outcome = simulate(number, args.hours, is_told=args.trace)
        hits += outcome.hits
        orders, deals, starts = orders + outcome.orders, deals + outcome.deals, starts + outcome.starts
        calls += outcome.calls
        if outcome.violations:
            failed += 1
            print(f"seed {number} failed: {replay(number, args.hours)}")
            for violation in outcome.violations[:10]:
                print("   ", violation)
            sys.stdout.flush()
    for kind in ALL:
        print(f"{kind.value:24}{hits[kind]:8}")
    took, cpu = time.perf_counter() - began, time.process_time() - used
    speed = args.lives * args.hours * 3600 / took
    print(f"{args.lives} lives of {args.hours:g} h: {failed} failed; {orders} orders, {deals} deals, {starts} starts,")
    print(f"{calls} calls; {took:.0f} s, {cpu:.0f} s of CPU, {speed:.0f} times real time")
    return min(failed, 1)


def replay(seed: int, hours: float) -> str:
    """Return the command that lives a life again."""
    return f".venv/bin/python -m tests.simulation --seed {seed} --hours {hours:g}"


if __name__ == "__main__":
    sys.exit(main())
