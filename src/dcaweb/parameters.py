"""The parameters of a bot as pages show and ask for them: what each is called, in what unit, among which others."""

from __future__ import annotations

from typing import Final

import attrs

from dcacore.application.parameters import texts_of
from dcacore.domain.market import FeeAsset
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
        is_rare: whether most people leave it as it is, so that forms show it only to those who ask for more.
        is_required: whether it has no default.
    """

    name: str
    label: str
    unit: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    help: str = ""
    off: str = ""
    is_rare: bool = False
    is_required: bool = False


@attrs.frozen
class Group:
    """Parameters that belong together."""

    title: str
    parameters: tuple[Parameter, ...]

    @property
    def usual(self) -> tuple[Parameter, ...]:
        """Those that every form shows."""
        return tuple([it for it in self.parameters if not it.is_rare])

    @property
    def rare(self) -> tuple[Parameter, ...]:
        """Those that a form shows to those who ask for more."""
        return tuple([it for it in self.parameters if it.is_rare])


@attrs.frozen
class Shown:
    """A parameter with its value."""

    label: str
    value: str
    unit: str = ""


_YES_NO: Final = (("true", "Yes"), ("false", "No"))

ORDERS: Final = Group(
    "Orders",
    (
        Parameter(
            "base_order_size", "Base order", QUOTE, help="What opens each deal, bought at market.", is_required=True
        ),
        Parameter("safety_order_size", "First safety order", QUOTE, help="The first of the buys that wait below."),
        Parameter("max_safety_orders", "Safety orders at most", help="0 to 100.", is_required=True),
        Parameter(
            "price_deviation",
            "First safety order below",
            "%",
            help="How far below the price of the base order it lies.",
        ),
        Parameter(
            "safety_order_volume_scale",
            "Each order's size",
            "x",
            help="Over the one before: 1 keeps them even, 1.5 makes each half as large again.",
        ),
        Parameter(
            "safety_order_step_scale",
            "Each step down",
            "x",
            help="Over the one before: above 1 the orders spread out further down.",
        ),
        Parameter(
            "active_safety_orders",
            "Resting at once",
            help="How many safety orders wait on the exchange and bind funds there. Empty: all of them.",
            is_rare=True,
        ),
        Parameter(
            "ladder_reference",
            "Measured from",
            choices=(
                (LadderReference.FILL.value, "The base order's price"),
                (LadderReference.COST.value, "That price with its fee"),
            ),
            help="From where the deviations and the stop loss are measured.",
            is_rare=True,
        ),
        Parameter(
            "quantity_rounding",
            "Quantities are rounded",
            choices=((QuantityRounding.DOWN.value, "Down"), (QuantityRounding.UP.value, "Up")),
            help="Onto the market's step size. Down never costs more than the sizes above.",
            is_rare=True,
        ),
    ),
)
EXITS: Final = Group(
    "Exits",
    (
        Parameter("take_profit", "Take profit", "%", help="The profit at which a deal is sold.", is_required=True),
        Parameter(
            "trailing_deviation",
            "Trail below the peak",
            "%",
            help="Lets a price above the target run, and sells once it falls back by so much. 0 sells at the target.",
            off="Off",
        ),
        Parameter(
            "stop_loss",
            "Stop loss",
            "%",
            help="The fall at which all is sold at a loss, at market. 0 is off.",
            off="Off",
        ),
        Parameter(
            "stop_loss_basis",
            "Stop loss below",
            choices=(
                (StopLossBasis.BASE.value, "The base order's price"),
                (StopLossBasis.AVERAGE.value, "The average price"),
            ),
            help="The average falls with each safety order, and the stop loss with it.",
        ),
        Parameter(
            "take_profit_type",
            "Take profit of",
            choices=(
                (TakeProfitType.TOTAL.value, "All that was spent"),
                (TakeProfitType.BASE.value, "The base order"),
            ),
            help="Of the base order, the target comes down faster as safety orders fill, and earns less.",
            is_rare=True,
        ),
        Parameter(
            "take_profit_net",
            "After all fees",
            choices=_YES_NO,
            help="Yes: the target is what is left after the fees of buying and selling. No: over the average price.",
            is_rare=True,
        ),
    ),
)
NEXT_DEALS: Final = Group(
    "Next deals",
    (
        Parameter("cooldown", "Pause between deals", "s", help="Seconds between a sale and the next deal.", off="None"),
        Parameter(
            "auto_restart",
            "Next deal by itself",
            choices=_YES_NO,
            help="No: the bot stops after each deal.",
        ),
        Parameter("max_deals", "Stop after so many deals", help="0 is no limit.", off="No limit"),
    ),
)
GROUPS: Final = (ORDERS, EXITS, NEXT_DEALS)
FEES: Final = Group(
    "Fees",
    (
        Parameter(
            "fee_maker",
            "Fee of resting orders",
            help="A fraction: 0.001 is 0.1 %. Empty: what the account pays. Once the bot runs, only that counts.",
            is_rare=True,
        ),
        Parameter(
            "fee_taker",
            "Fee of market orders",
            help="Likewise.",
            is_rare=True,
        ),
        Parameter(
            "fee_asset",
            "Fees are paid in",
            choices=(
                ("", "As the account pays them"),
                (FeeAsset.RECEIVED.value, "What an order brings in"),
                (FeeAsset.QUOTE.value, "The quote asset, or BNB"),
            ),
            is_rare=True,
        ),
    ),
)
NAMES: Final = tuple(it.name for group in GROUPS for it in group.parameters)
LABELS: Final = {it.name: it.label for group in (*GROUPS, FEES) for it in group.parameters}


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
