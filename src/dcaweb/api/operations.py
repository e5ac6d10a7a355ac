"""What the published schema says of bodies: the names of the bot file, with the bounds that it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from dcacore.domain.market import FeeAsset
from dcacore.domain.strategy import LadderReference, QuantityRounding, StopLossBasis, TakeProfitType
from dcacore.ports.intervals import INTERVALS

PLAIN: Final = r"^[0-9]{1,20}(\.[0-9]{1,40})?$"
"""What a number that is written as a text looks like; none of them is below zero."""
_PRINTABLE: Final = r"^[ -~]*[!-~][ -~]*$"


def text(description: str, *, longest: int = 100) -> Schema:
    """Return a text of printable characters."""
    return Schema(type=OpenAPIType.STRING, pattern=_PRINTABLE, max_length=longest, description=description)


def number(description: str, **bounds: float) -> Schema:
    """Return an exact number: a text, or a JSON number within *bounds*."""
    return Schema(
        any_of=[
            Schema(type=OpenAPIType.STRING, pattern=PLAIN),
            Schema(type=OpenAPIType.NUMBER, **{"minimum": 0, **bounds}),  # type: ignore[arg-type]  # its own names
        ],
        description=description,
    )


def whole(description: str, least: int, most: int) -> Schema:
    """Return a whole number from *least* to *most*."""
    return Schema(type=OpenAPIType.INTEGER, minimum=least, maximum=most, description=description)


def choice(description: str, values: Sequence[str]) -> Schema:
    """Return one of *values*."""
    return Schema(type=OpenAPIType.STRING, enum=list(values), description=description)


def boolean(description: str) -> Schema:
    """Return true or false."""
    return Schema(type=OpenAPIType.BOOLEAN, description=description)


def table(properties: Mapping[str, Schema], required: Sequence[str] = (), description: str | None = None) -> Schema:
    """Return an object of these names and no others."""
    return Schema(
        type=OpenAPIType.OBJECT,
        properties=dict(properties),
        required=list(required) or None,
        additional_properties=False,
        description=description,
    )


def taking(schema: Schema, *, is_required: bool = True) -> type[Operation]:
    """Return the class of operations whose body is as *schema* says."""
    body = RequestBody(content={"application/json": OpenAPIMediaType(schema=schema)}, required=is_required)

    @dataclass
    class Taking(Operation):
        def __post_init__(self) -> None:
            self.request_body = body

    return Taking


def _values(kind: Any) -> list[str]:
    return [member.value for member in kind]


PARAMETERS: Final[Mapping[str, Schema]] = {
    "base_order_size": number("Quote spent by the base order.", exclusive_minimum=0),
    "safety_order_size": number("Quote spent by safety order 1.", exclusive_minimum=0),
    "max_safety_orders": whole("How many safety orders a deal may have.", 0, 100),
    "safety_order_volume_scale": number(
        "Each safety order's size over the one before.", exclusive_minimum=0, maximum=10
    ),
    "price_deviation": number(
        "Percent of safety order 1 below the reference price.", exclusive_minimum=0, exclusive_maximum=100
    ),
    "safety_order_step_scale": number("Each further step down over the one before.", exclusive_minimum=0, maximum=10),
    "take_profit": number("The target in percent.", exclusive_minimum=0),
    "take_profit_type": choice("Percent of what.", _values(TakeProfitType)),
    "take_profit_net": boolean("Whether the target is what remains after all fees."),
    "trailing_deviation": number("Percent below the peak at which a reached target is sold.", exclusive_maximum=100),
    "stop_loss": number("Percent at which the whole deal is sold at market; 0 is off.", exclusive_maximum=100),
    "stop_loss_basis": choice("Below what.", _values(StopLossBasis)),
    "active_safety_orders": whole("How many safety orders rest at once; all unless given.", 0, 100),
    "ladder_reference": choice("What the ladder is measured from.", _values(LadderReference)),
    "quantity_rounding": choice("Which way buy quantities go onto the step size.", _values(QuantityRounding)),
    "cooldown": number("Seconds between a close and the next deal.", maximum=3_155_760_000),
    "auto_restart": boolean("Whether the next deal starts after a close."),
    "max_deals": whole("Stop after so many closed deals; 0 is no limit.", 0, 1_000_000_000),
}
MARKET: Final = table(
    {
        "base_asset": text("What is bought and sold.", longest=20),
        "quote_asset": text("What is paid with.", longest=20),
        "tick_size": number("Prices are multiples of it.", exclusive_minimum=0),
        "step_size": number("Quantities are multiples of it.", exclusive_minimum=0),
        "min_notional": number("Least price x quantity of an order, in quote."),
        "min_quantity": number("Least quantity of an order, in base."),
    },
    description="The rules of the pair; what is not given is what is known of it.",
)
FEES: Final = table(
    {
        "fee_maker": number("Of orders that rested, as a fraction.", exclusive_maximum=1),
        "fee_taker": number("Of orders that fill at once, as a fraction.", exclusive_maximum=1),
        "fee_asset": choice("In which asset.", _values(FeeAsset)),
    },
    description="What the account pays, as fractions.",
)
BOT: Final[Mapping[str, Schema]] = {
    "name": text("What the bot is called.", longest=60),
    "pair": text("The exchange's symbol.", longest=40),
    **PARAMETERS,
    "market": MARKET,
    "fees": FEES,
}
_BOT_NEEDS: Final = ("pair", "base_order_size", "max_safety_orders", "take_profit")

NewBot: Final = taking(
    table({"account": text("Where it trades: an account's name or id."), **BOT}, ("account", "name", *_BOT_NEEDS))
)
BotChanges: Final = taking(table({"name": BOT["name"], **PARAMETERS}))
StopBot: Final = taking(
    table({"sell": boolean("Whether what an open deal holds is sold at market, or kept.")}), is_required=False
)
LadderFrom: Final = taking(
    table({**BOT, "price": number("At which the base order fills.", exclusive_minimum=0)}, ("price", *_BOT_NEEDS))
)
NewBacktest: Final = taking(
    table(
        {
            **BOT,
            "interval": choice("Which candles of the local store.", list(INTERVALS)),
            "from_ms": whole("Start here: Unix milliseconds.", 0, 253_402_300_799_999),
            "to_ms": whole("End before: Unix milliseconds.", 0, 253_402_300_799_999),
            "path": choice("Which of a candle's extremes comes first.", ["nearest", "high_first", "low_first"]),
            "slippage": number("How far market orders move the price, as a fraction.", exclusive_maximum=1),
            "balance": number("Quote that the bot has; without limit unless given."),
        },
        ("interval", *_BOT_NEEDS),
    )
)
NewKey: Final = taking(
    table(
        {
            "account": text("What the account is called.", longest=60),
            "environment": choice("Where it trades, for a new account.", ["live", "testnet", "custom"]),
            "key": text("The API key.", longest=200),
            "secret": text("Its secret.", longest=200),
        },
        ("account", "key", "secret"),
    )
)
