"""The parameters of a bot's strategy, and what must hold for each."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import Final

import attrs

from dcacore.domain.errors import InvalidParameter
from dcacore.domain.money import HUNDRED, exact, plain
from dcacore.domain.numbers import (
    above,
    as_count,
    as_member,
    as_number,
    at_least,
    at_most,
    below,
    counted,
    named,
    one_of,
    rule,
    true_or_false,
)

_CENTURY: Final = 3_155_760_000
WITHOUT_SAFETY_ORDERS: Final[Mapping[str, int]] = {"safety_order_size": 0, "price_deviation": 1}
"""What a ladder of no orders leaves open: the values that stand in for it are never used."""


class TakeProfitType(Enum):
    """What the target is a percentage of: all that the deal spent, or what its base order spent."""

    TOTAL = "total"
    BASE = "base"


class StopLossBasis(Enum):
    """What the stop loss lies below: the reference price, or the average entry price."""

    BASE = "base"
    AVERAGE = "average"


class LadderReference(Enum):
    """What the ladder hangs from: the base order's average fill price, or its cost per unit with the fee."""

    FILL = "fill"
    COST = "cost"


class QuantityRounding(Enum):
    """Which way buy quantities go onto the step size."""

    DOWN = "down"
    UP = "up"


def _take_profit_type(value: TakeProfitType | str) -> TakeProfitType:
    return as_member(TakeProfitType, value)


def _stop_loss_basis(value: StopLossBasis | str) -> StopLossBasis:
    return as_member(StopLossBasis, value)


def _ladder_reference(value: LadderReference | str) -> LadderReference:
    return as_member(LadderReference, value)


def _quantity_rounding(value: QuantityRounding | str) -> QuantityRounding:
    return as_member(QuantityRounding, value)


@attrs.frozen(kw_only=True, cache_hash=True)
class Strategy:
    """How one bot trades. Every number may be given as `Decimal`, `int` or text; percentages are in percent.

    Attributes:
        pair: the exchange's symbol, such as BTCUSDT.
        base_order_size: quote spent by the base order.
        safety_order_size: quote spent by safety order 1; 0 only without safety orders.
        max_safety_orders: how many safety orders a deal may have, 0 to 100.
        safety_order_volume_scale: each safety order's size over the one before.
        price_deviation: percent of safety order 1 below the reference price.
        safety_order_step_scale: each further step of deviation over the one before.
        take_profit: the target in percent.
        take_profit_type: what the target is a percentage of.
        take_profit_net: whether the target is what remains after all fees, or lies over the gross average price.
        trailing_deviation: percent below the peak at which a reached target is sold; 0 rests a plain limit order.
        stop_loss: percent at which the whole deal is sold at market; 0 is off.
        stop_loss_basis: what the stop loss is measured from.
        active_safety_orders: how many safety orders rest at once; None is all.
        ladder_reference: what the ladder and the stop loss are measured from.
        quantity_rounding: which way buy quantities go onto the step size.
        cooldown: seconds between a close and the next deal; at most a century.
        auto_restart: whether the next deal starts after a close.
        max_deals: stop after so many closed deals; 0 is no limit.

    Raises:
        InvalidParameter: a parameter breaks its rule, or the last safety order would not lie above zero.
    """

    pair: str = attrs.field(validator=named)
    base_order_size: Decimal = attrs.field(converter=as_number, validator=rule(above(0)))
    safety_order_size: Decimal = attrs.field(converter=as_number, validator=rule(at_least(0)))
    max_safety_orders: int = attrs.field(converter=as_count, validator=rule(counted, at_least(0), at_most(100)))
    safety_order_volume_scale: Decimal = attrs.field(
        default=Decimal(1), converter=as_number, validator=rule(above(0), at_most(10))
    )
    price_deviation: Decimal = attrs.field(converter=as_number, validator=rule(above(0), below(100)))
    safety_order_step_scale: Decimal = attrs.field(
        default=Decimal(1), converter=as_number, validator=rule(above(0), at_most(10))
    )
    take_profit: Decimal = attrs.field(converter=as_number, validator=rule(above(0)))
    take_profit_type: TakeProfitType = attrs.field(
        default=TakeProfitType.TOTAL, converter=_take_profit_type, validator=one_of(TakeProfitType)
    )
    take_profit_net: bool = attrs.field(default=True, validator=true_or_false)
    trailing_deviation: Decimal = attrs.field(
        default=Decimal(0), converter=as_number, validator=rule(at_least(0), below(100))
    )
    stop_loss: Decimal = attrs.field(default=Decimal(0), converter=as_number, validator=rule(at_least(0), below(100)))
    stop_loss_basis: StopLossBasis = attrs.field(
        default=StopLossBasis.BASE, converter=_stop_loss_basis, validator=one_of(StopLossBasis)
    )
    active_safety_orders: int | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(as_count),
        validator=rule(counted),
    )
    ladder_reference: LadderReference = attrs.field(
        default=LadderReference.FILL, converter=_ladder_reference, validator=one_of(LadderReference)
    )
    quantity_rounding: QuantityRounding = attrs.field(
        default=QuantityRounding.DOWN, converter=_quantity_rounding, validator=one_of(QuantityRounding)
    )
    cooldown: Decimal = attrs.field(
        default=Decimal(0), converter=as_number, validator=rule(at_least(0), at_most(_CENTURY))
    )
    auto_restart: bool = attrs.field(default=True, validator=true_or_false)
    max_deals: int = attrs.field(default=0, converter=as_count, validator=rule(counted, at_least(0)))

    @exact
    def __attrs_post_init__(self) -> None:
        if self.max_safety_orders:
            self._check_ladder()
        active = self.active_safety_orders
        if active is not None and not (min(1, self.max_safety_orders) <= active <= self.max_safety_orders):
            between = f"must be from {min(1, self.max_safety_orders)} to max_safety_orders ({self.max_safety_orders})"
            raise InvalidParameter("active_safety_orders", active, between)

    def _check_ladder(self) -> None:
        if not self.safety_order_size:
            raise InvalidParameter("safety_order_size", self.safety_order_size, "must be above 0")
        for index, leg in enumerate(_legs(self), start=1):
            if leg.deviation >= HUNDRED:
                reach = f"safety order {index} of {self.max_safety_orders} would lie {_short(leg.deviation)} % below"
                raise InvalidParameter(
                    "price_deviation", plain(self.price_deviation), f"{reach}; the last one must lie above zero"
                )

    @property
    def resting_limit(self) -> int:
        """How many safety orders may rest at once."""
        return self.max_safety_orders if self.active_safety_orders is None else self.active_safety_orders


def _short(percent: Decimal) -> str:
    return plain(percent // Decimal("0.01") * Decimal("0.01"))


@attrs.frozen
class Leg:
    """A safety order before there is a price: its distance below the reference in percent, its size in quote."""

    deviation: Decimal
    size: Decimal


@functools.lru_cache(maxsize=1024)
@exact
def legs(strategy: Strategy) -> tuple[Leg, ...]:
    """Return all safety orders of *strategy*, nearest first, exact.

    The deviation of leg i is price_deviation * (1 + step_scale + ... + step_scale^(i-1)), its size
    safety_order_size * volume_scale^(i-1).
    """
    return tuple(_legs(strategy))


def _legs(strategy: Strategy) -> Iterator[Leg]:
    deviation, step, size = Decimal(0), strategy.price_deviation, strategy.safety_order_size
    for _ in range(strategy.max_safety_orders):
        deviation += step
        yield Leg(deviation, size)
        step *= strategy.safety_order_step_scale
        size *= strategy.safety_order_volume_scale
