"""Random bots and markets, nasty but valid, to play on two engines and compare.

`random_case` draws everything from the ``random.Random`` it is given, so a seed is a case. The grids are small, so
that prices stand on the levels of orders often; opens gap; candles are flat, or touch their open; some jumps pass many
safety orders at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from random import Random

from tests.reference.player import CandleRow, ceil_onto, floor_onto, plain

MINUTE_MS = 60_000
FOUR_DECIMALS = Fraction(1, 10**4)
HUNDRED = Fraction(100)

TICK_SIZES = ("0.00000001", "0.0001", "0.01", "0.01", "0.1", "0.25", "0.5", "1", "5")
STEP_SIZES = ("0.00000001", "0.00001", "0.001", "0.01", "0.1", "0.5", "1", "10", "1000", "1000000")
FEES = ("0", "0.00075", "0.001", "0.001", "0.0025", "0.0033333", "0.01")
DEVIATIONS = ("0.1", "0.37", "0.5", "1", "1", "1.5", "2", "2.5", "5")
STEP_SCALES = ("1", "1", "0.5", "0.93", "1.1", "1.2", "1.37", "2")
VOLUME_SCALES = ("1", "1", "0.5", "0.87", "1.05", "1.4", "2", "2.5")
TAKE_PROFITS = ("0.05", "0.3", "0.5", "1", "1", "1.5", "2", "4", "10")
TRAILS = ("0.05", "0.2", "0.5", "1", "3", "20")
STOP_LOSSES = ("0.1", "0.5", "1", "2", "3.3", "5", "10", "25")


@dataclass(frozen=True)
class Case:
    """One backtest: the arguments of `play`."""

    strategy: dict[str, str | int | bool]
    market: dict[str, str]
    fees: dict[str, str]
    candles: list[CandleRow]
    path: str
    slippage: str
    balance: str | None


def random_case(rng: Random) -> Case:
    """Return a bot, a market and 50 to 400 one-minute candles."""
    tick = Fraction(rng.choice(TICK_SIZES))
    first_open_ticks = rng.choice([rng.randint(40, 120), rng.randint(120, 1000), rng.randint(1000, 30000)])
    first_open = tick * first_open_ticks
    slippage = rng.choice(["0", "0", "0", "0.001", "0.001", "0.02"])
    rounds_up = rng.random() < 0.35

    market, base_order_size = random_market(rng, tick, first_open, rounds_up)
    strategy = random_strategy(rng, market, first_open, base_order_size, rounds_up)
    fees = {
        "fee_maker": rng.choice(FEES),
        "fee_taker": rng.choice(FEES),
        "fee_asset": rng.choice(["received", "received", "quote"]),
    }
    return Case(
        strategy=strategy,
        market=market,
        fees=fees,
        candles=random_candles(rng, tick, first_open_ticks, Fraction(str(strategy["price_deviation"]))),
        path=rng.choice(["nearest", "nearest", "nearest", "high_first", "low_first"]),
        slippage=slippage,
        balance=random_balance(rng, base_order_size, Fraction(str(strategy["safety_order_size"]))),
    )


def random_market(
    rng: Random, tick: Fraction, first_open: Fraction, rounds_up: bool
) -> tuple[dict[str, str], Fraction]:
    """Return the market and a base order size that this market takes at *first_open*."""
    # A step worth neither next to nothing nor a fortune; how many of them a base order buys decides how much dust
    # matters.
    steps = [step for step in STEP_SIZES if Fraction(1, 1000) <= Fraction(step) * first_open <= 1000]
    step_text = rng.choice(steps) if steps else plain(ceil_onto(Fraction(1, 10**8), 1 / first_open))
    step = Fraction(step_text)
    base_steps = rng.choice([rng.randint(1, 3), rng.randint(3, 30), rng.randint(30, 5000)])
    base_order_size = ceil_onto(FOUR_DECIMALS, first_open * step * (base_steps + Fraction(rng.randint(0, 9), 10)))
    bought_steps = base_order_size / first_open / step
    base_quantity = (ceil(bought_steps) if rounds_up else floor(bought_steps)) * step

    # Both the size asked for and the size after rounding must be worth the minimum notional.
    worth = min(base_order_size, base_quantity * first_open)
    share = rng.choice(
        [Fraction(1, 1000), Fraction(1, 10), Fraction(1, 2), Fraction(9, 10), Fraction(98, 100), Fraction(1)]
    )
    min_notional = floor_onto(FOUR_DECIMALS, worth * share) or min(worth, Fraction(1, 10**8))
    min_quantity = step if rng.random() < 0.7 else step * rng.randint(1, int(base_quantity / step))
    market = {
        "pair": "ABCXYZ",
        "base_asset": "ABC",
        "quote_asset": "XYZ",
        "tick_size": plain(tick),
        "step_size": step_text,
        "min_notional": plain(min_notional),
        "min_quantity": plain(min_quantity),
    }
    return market, base_order_size


def random_strategy(
    rng: Random, market: dict[str, str], first_open: Fraction, base_order_size: Fraction, rounds_up: bool
) -> dict[str, str | int | bool]:
    """Return a bot whose first orders this market takes and whose last safety order lies above zero."""
    # No first safety order lies more than 5 % above the first open, whatever slippage and fees do to the reference
    # price.
    smallest = max(
        Fraction(market["min_notional"]),
        Fraction(market["min_quantity"]) * first_open * Fraction(105, 100),
        FOUR_DECIMALS,
    )
    share = rng.choice([Fraction(1, 2), Fraction(1), Fraction(1), Fraction(13, 10), Fraction(2)])
    safety_order_size = ceil_onto(FOUR_DECIMALS, max(base_order_size * share, smallest))
    price_deviation = rng.choice(DEVIATIONS)
    step_scale = rng.choice(STEP_SCALES)
    wanted = rng.choice([0, 1, 2, rng.randint(2, 6), rng.randint(5, 12), rng.randint(10, 30)])
    max_safety_orders = count_above_zero(Fraction(price_deviation), Fraction(step_scale), wanted)

    strategy: dict[str, str | int | bool] = {
        "pair": "ABCXYZ",
        "base_order_size": plain(base_order_size),
        "safety_order_size": plain(safety_order_size),
        "max_safety_orders": max_safety_orders,
        "safety_order_volume_scale": rng.choice(VOLUME_SCALES),
        "price_deviation": price_deviation,
        "safety_order_step_scale": step_scale,
        "take_profit": rng.choice(TAKE_PROFITS),
        "take_profit_type": rng.choice(["total", "total", "base"]),
        "take_profit_net": rng.random() < 0.6,
        "quantity_rounding": "up" if rounds_up else "down",
        "ladder_reference": rng.choice(["fill", "cost"]),
    }
    if rng.random() < 0.35:
        strategy["trailing_deviation"] = rng.choice(TRAILS)
    if rng.random() < 0.35:
        strategy["stop_loss"] = rng.choice(STOP_LOSSES)
        strategy["stop_loss_basis"] = rng.choice(["base", "average"])
    if max_safety_orders > 0 and rng.random() < 0.5:
        strategy["active_safety_orders"] = rng.randint(1, min(max_safety_orders, rng.choice([1, 2, 3, 30])))
    if rng.random() < 0.35:
        strategy["cooldown"] = rng.choice([1, 7, 59, 60, 61, 119, 180, 1800])
    if rng.random() < 0.06:
        strategy["auto_restart"] = False
    if rng.random() < 0.15:
        strategy["max_deals"] = rng.randint(1, 12)
    return strategy


def count_above_zero(step: Fraction, scale: Fraction, wanted: int) -> int:
    """Return how many of *wanted* safety orders have a deviation below 100 %."""
    deviation = Fraction(0)
    for count in range(wanted):
        deviation += step
        if deviation >= HUNDRED:
            return count
        step *= scale
    return wanted


def random_balance(rng: Random, base_order_size: Fraction, safety_order_size: Fraction) -> str | None:
    """Return no balance mostly, else one that lasts for a few orders and makes the bot wait."""
    if rng.random() < 0.6:
        return None
    sizes = base_order_size + safety_order_size * Fraction(rng.choice([0, 0, 5, 10, 20, 35, 80]), 10)
    return plain(ceil_onto(FOUR_DECIMALS, sizes * Fraction(rng.choice([101, 102, 105, 130]), 100)))


def random_candles(rng: Random, tick: Fraction, first_open_ticks: int, price_deviation: Fraction) -> list[CandleRow]:
    """Return candles on the tick grid that move by about *price_deviation* percent a candle, more or less."""
    lowest = max(10, first_open_ticks // 5)
    highest = first_open_ticks * 5
    usual = first_open_ticks * float(price_deviation) / 100 * rng.choice([0.2, 0.5, 1, 3])
    swing = max(rng.choice([1.0, 2.0]), min(usual, first_open_ticks / 12))
    drift = rng.choice([0.0, 0.0, 0.0, -0.15, 0.15]) * swing
    gap_chance = rng.choice([0.1, 0.4, 0.8])
    jump_chance = rng.choice([0.0, 0.02, 0.06])
    missing_chance = rng.choice([0.0, 0.0, 0.03])

    def move(scale: float = 1.0) -> int:
        return round(rng.gauss(drift, swing * scale))

    def within(ticks: int) -> int:
        return min(highest, max(lowest, ticks))

    rows: list[CandleRow] = []
    open_time = 1_600_000_020_000
    close = first_open_ticks
    for index in range(rng.randint(50, 400)):
        opened = close
        if index > 0:
            if rng.random() < jump_chance:
                opened = within(round(close * rng.uniform(0.6, 1.5)))
            elif rng.random() < gap_chance:
                opened = within(close + move(0.5))
        shape = rng.random()
        if shape < 0.08:  # flat
            high = low = close = opened
        elif shape < 0.18:  # doji, its wicks often alike
            wick = abs(move())
            high, low = opened + wick, within(opened - (wick if rng.random() < 0.6 else abs(move())))
            close = opened
        else:
            close = within(opened + move())
            reach = rng.choice([0.0, 0.3, 1.0, 1.0, 6.0])  # from no wicks to a long range
            high = max(opened, close) + (0 if shape < 0.3 else abs(move(reach)))
            low = within(min(opened, close) - (0 if 0.25 < shape < 0.38 else abs(move(reach))))
        low = min(low, opened, close)
        prices = [plain(tick * ticks) for ticks in (opened, high, low, close)]
        rows.append((open_time, prices[0], prices[1], prices[2], prices[3]))
        open_time += MINUTE_MS * (rng.randint(2, 6) if rng.random() < missing_chance else 1)
    return rows
