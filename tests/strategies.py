"""What tests are built from: plain bots and markets to start from, and hypothesis strategies that draw nasty ones."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any, Final

import attrs
import numpy as np
from hypothesis import strategies as st

from dcacore.domain.bot import Bot
from dcacore.domain.ids import BotId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Price
from dcacore.domain.strategy import Strategy
from dcacore.ports.candles import Candles

NOON: Final = datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.UTC)
MINUTE: Final = 60_000

MARKET: Final = Market(
    pair="ABCXYZ", base_asset="ABC", quote_asset="XYZ", tick_size="0.01", step_size="0.001", min_notional="5"
)
FREE: Final = Fees(fee_maker="0", fee_taker="0")
USUAL_FEES: Final = Fees()


def strategy(**changes: Any) -> Strategy:
    """Return a bot with two safety orders of 100, 10 % apart, and a target of 10 %, but for *changes*."""
    usual: dict[str, Any] = {
        "pair": "ABCXYZ",
        "base_order_size": "100",
        "safety_order_size": "100",
        "max_safety_orders": 2,
        "price_deviation": "10",
        "take_profit": "10",
    }
    return Strategy(**{**usual, **changes})


def new_bot(strategy: Strategy, market: Market = MARKET, fees: Fees = FREE) -> Bot:
    """Return a bot that has never run."""
    return Bot(id=BotId("bot"), strategy=strategy, market=market, fees=fees)


def candles(rows: list[tuple[str, str, str, str]], source: str = "candles") -> Candles:
    """Return one-minute candles from rows of open, high, low, close."""
    columns = np.array([[float(price) for price in row] for row in rows], dtype=np.float64).reshape(len(rows), 4)
    return Candles(
        interval_ms=MINUTE,
        open_time=np.arange(len(rows), dtype=np.int64) * MINUTE,
        open=columns[:, 0].copy(),
        high=columns[:, 1].copy(),
        low=columns[:, 2].copy(),
        close=columns[:, 3].copy(),
        volume=np.zeros(len(rows)),
        source=source,
    )


# ---------------------------------------------------------------------------------------------- what hypothesis draws


@attrs.frozen(kw_only=True)
class Setting:
    """A bot that may run, the market it runs on, and where that market stands at first."""

    strategy: Strategy
    market: Market
    fees: Fees
    price: Price

    @property
    def ticks(self) -> int:
        """The first price, in ticks."""
        return int(self.price / self.market.tick_size)


def fees() -> st.SearchStrategy[Fees]:
    """Draw what an account pays."""
    rates = st.sampled_from(["0", "0.00075", "0.001", "0.0033333", "0.01"])
    return st.builds(Fees, fee_maker=rates, fee_taker=rates, fee_asset=st.sampled_from(["received", "quote"]))


@st.composite
def settings_to_trade(draw: st.DrawFn, /, **fixed: Any) -> Setting:
    """Draw a bot that its market takes; parameters in *fixed* stand as they are."""
    tick = Decimal(draw(st.sampled_from(["0.01", "0.5", "1"])))
    price = Price(draw(st.integers(100, 1_000)) * tick)
    step = Decimal(draw(st.sampled_from(["0.001", "0.01", "1"])))
    size = price * step * draw(st.integers(2, 400)) + tick * draw(st.integers(0, 50))
    market = Market(
        pair="ABCXYZ",
        base_asset="ABC",
        quote_asset="XYZ",
        tick_size=tick,
        step_size=step,
        min_notional=(price * step * draw(st.sampled_from([0, 1, 1, 2]))),
    )
    return Setting(strategy=draw(bots(size, **fixed)), market=market, fees=draw(fees()), price=price)


@st.composite
def bots(draw: st.DrawFn, /, size: Decimal, **fixed: Any) -> Strategy:
    """Draw a bot whose orders are of about *size*, with the last safety order well above zero."""
    count = draw(st.integers(0, 5))
    drawn: dict[str, Any] = {
        "pair": "ABCXYZ",
        "base_order_size": size,
        "safety_order_size": size * draw(st.sampled_from([1, 1, 2])),
        "max_safety_orders": count,
        "safety_order_volume_scale": draw(st.sampled_from(["1", "0.8", "1.4", "2"])),
        "price_deviation": draw(st.sampled_from(["0.5", "1", "2.5", "4"])),
        "safety_order_step_scale": draw(st.sampled_from(["1", "0.9", "1.37"])),
        "take_profit": draw(st.sampled_from(["0.3", "1", "2", "5"])),
        "take_profit_type": draw(st.sampled_from(["total", "base"])),
        "take_profit_net": draw(st.booleans()),
        "trailing_deviation": draw(st.sampled_from(["0", "0", "0.5", "2"])),
        "stop_loss": draw(st.sampled_from(["0", "0", "2", "6", "20"])),
        "stop_loss_basis": draw(st.sampled_from(["base", "average"])),
        "ladder_reference": draw(st.sampled_from(["fill", "cost"])),
        "quantity_rounding": draw(st.sampled_from(["down", "up"])),
        "cooldown": draw(st.sampled_from(["0", "0", "90"])),
        "auto_restart": draw(st.sampled_from([True, True, True, False])),
        "max_deals": draw(st.sampled_from([0, 0, 0, 3])),
        **fixed,
    }
    if drawn["max_safety_orders"]:
        drawn.setdefault("active_safety_orders", draw(st.sampled_from([None, 1, drawn["max_safety_orders"]])))
    return Strategy(**drawn)


def moves(ticks: int, most: int = 60) -> st.SearchStrategy[list[int]]:
    """Draw where a market goes from *ticks*, in ticks: mostly small steps, some far jumps."""
    small, far = max(2, ticks // 60), max(4, ticks // 5)
    move = st.one_of(st.integers(-small, small), st.integers(-small, small), st.integers(-far, far))
    return st.lists(move, min_size=1, max_size=most).map(lambda drawn: _walk(ticks, drawn))


def _walk(ticks: int, drawn: list[int]) -> list[int]:
    path, lowest = [], max(2, ticks // 4)
    for move in drawn:
        ticks = max(lowest, ticks + move)
        path.append(ticks)
    return path


@st.composite
def candles_from(draw: st.DrawFn, setting: Setting, most: int = 60) -> Candles:
    """Draw candles that begin at the setting's price; opens gap, and some candles are flat."""
    tick, small = setting.market.tick_size, max(2, setting.ticks // 40)
    reach = st.integers(0, small)
    opens = [setting.ticks, *draw(moves(setting.ticks, most))]
    rows = []
    for opened in opens:
        closed = max(2, opened + draw(st.integers(-small, small)))
        high = max(opened, closed) + draw(reach)
        low = max(1, min(opened, closed) - draw(reach))
        rows.append((opened, high, low, closed))
    return candles([tuple(str(price * tick) for price in row) for row in rows])  # type: ignore[misc]  # four each
