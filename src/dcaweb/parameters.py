"""The parameters of a bot as pages show and ask for them: what each is called, in what unit, among which others."""

from __future__ import annotations

from typing import Final

import attrs

from dcacore.application.parameters import texts_of
from dcacore.domain.strategy import (
    LadderReference,
    QuantityRounding,
    StopLossBasis,
    Strategy,
    TakeProfitType,
)

QUOTE: Final = "quote"
"""The unit of an amount of the pair's quote asset."""


@attrs.frozen
class Parameter:
    """A parameter.

    Attributes:
        name: in the bot file.
        label: for people.
        unit: behind its value; `QUOTE` stands for the quote asset.
        choices: value and label of each; empty for a number.
        help: what to know of it.
        off: how its being 0 is shown; empty shows 0.
    """

    name: str
    label: str
    unit: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    help: str = ""
    off: str = ""


@attrs.frozen
class Group:
    """Parameters that belong together."""

    title: str
    parameters: tuple[Parameter, ...]


@attrs.frozen
class Shown:
    """A parameter with its value."""

    label: str
    value: str
    unit: str = ""


_YES_NO: Final = (("true", "Yes"), ("false", "No"))

GROUPS: Final = (
    Group(
        "Orders",
        (
            Parameter("base_order_size", "Base order", QUOTE, help="What opens each deal, at market."),
            Parameter("safety_order_size", "First safety order", QUOTE),
            Parameter("max_safety_orders", "Safety orders at most", help="0 to 100"),
            Parameter("active_safety_orders", "Resting at once", help="Empty: all of them."),
            Parameter("price_deviation", "First safety order below", "%", help="Below the base order's price."),
            Parameter("safety_order_volume_scale", "Each order's size", "x", help="Over the one before."),
            Parameter("safety_order_step_scale", "Each step", "x", help="Over the one before."),
            Parameter(
                "ladder_reference",
                "Measured from",
                choices=(
                    (LadderReference.FILL.value, "The base order's price"),
                    (LadderReference.COST.value, "That price with its fee"),
                ),
            ),
            Parameter(
                "quantity_rounding",
                "Quantities are rounded",
                choices=((QuantityRounding.DOWN.value, "Down"), (QuantityRounding.UP.value, "Up")),
            ),
        ),
    ),
    Group(
        "Exits",
        (
            Parameter("take_profit", "Take profit", "%"),
            Parameter(
                "take_profit_type",
                "Of what",
                choices=(
                    (TakeProfitType.TOTAL.value, "All that was spent"),
                    (TakeProfitType.BASE.value, "The base order"),
                ),
            ),
            Parameter("take_profit_net", "After all fees", choices=_YES_NO),
            Parameter("trailing_deviation", "Trail below the peak", "%", help="0 sells at the target.", off="Off"),
            Parameter("stop_loss", "Stop loss", "%", help="0 is off.", off="Off"),
            Parameter(
                "stop_loss_basis",
                "Stop loss below",
                choices=(
                    (StopLossBasis.BASE.value, "The base order's price"),
                    (StopLossBasis.AVERAGE.value, "The average price"),
                ),
            ),
        ),
    ),
    Group(
        "Next deals",
        (
            Parameter("cooldown", "Pause between deals", "s", off="None"),
            Parameter("auto_restart", "Next deal by itself", choices=_YES_NO),
            Parameter("max_deals", "Stop after so many deals", help="0 is no limit.", off="No limit"),
        ),
    ),
)
NAMES: Final = tuple(it.name for group in GROUPS for it in group.parameters)


def shown(strategy: Strategy, quote_asset: str) -> list[tuple[str, list[Shown]]]:
    """Return every parameter by group, as a page shows it."""
    texts = texts_of(strategy)
    return [(group.title, [_shown(it, texts.get(it.name), quote_asset) for it in group.parameters]) for group in GROUPS]


def _shown(parameter: Parameter, text: str | None, quote_asset: str) -> Shown:
    if text is None:
        return Shown(parameter.label, "All")
    if parameter.choices:
        return Shown(parameter.label, dict(parameter.choices).get(text, text))
    if text == "0" and parameter.off:
        return Shown(parameter.label, parameter.off)
    return Shown(parameter.label, text, unit_of(parameter, quote_asset))


def unit_of(parameter: Parameter, quote_asset: str) -> str:
    """Return the unit to be shown."""
    return quote_asset if parameter.unit == QUOTE else parameter.unit
