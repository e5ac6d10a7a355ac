"""Reading an order from a request: which parameters each type needs and forbids, and what they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import attrs

from dcacore.adapters.simulated.account import Account
from dcacore.adapters.simulated.books import Ticket, TimeInForce
from dcacore.adapters.simulated.floor import PairState
from dcacore.domain.ids import OrderId
from dcacore.domain.market import Market
from dcacore.domain.money import BaseQty, Price, QuoteAmount, Quotient, exact
from dcacore.domain.orders import Side
from dcacore.local_exchange.errors import error
from dcacore.local_exchange.filters import Asked, check_filters, standing
from dcacore.local_exchange.params import Params


@attrs.frozen
class TypeRules:
    """What goes with an order type (rest-api.md, "New order").

    Attributes:
        needs: parameters that have to be there.
        forbids: parameters that may not.
        response: the default of `newOrderRespType`.
    """

    needs: tuple[str, ...]
    forbids: tuple[str, ...]
    response: str


TYPES: Final[Mapping[str, TypeRules]] = {
    "LIMIT": TypeRules(("timeInForce", "quantity", "price"), ("quoteOrderQty", "stopPrice", "trailingDelta"), "FULL"),
    "MARKET": TypeRules((), ("price", "timeInForce", "icebergQty", "stopPrice", "trailingDelta"), "FULL"),
    "LIMIT_MAKER": TypeRules(
        ("quantity", "price"), ("timeInForce", "quoteOrderQty", "icebergQty", "stopPrice", "trailingDelta"), "ACK"
    ),
}
UNSUPPORTED: Final[Mapping[str, str]] = {
    "STOP_LOSS": "Stop loss orders are not supported for this symbol.",
    "STOP_LOSS_LIMIT": "Stop loss limit orders are not supported for this symbol.",
    "TAKE_PROFIT": "Take profit orders are not supported for this symbol.",
    "TAKE_PROFIT_LIMIT": "Take profit limit orders are not supported for this symbol.",
}
"""Types that there are and that no symbol here has."""
PEGGED: Final = ("pegPriceType", "pegOffsetType", "pegOffsetValue")
"""Parameters of orders whose price follows the book; no symbol here has them (`pegInstructionsAllowed`)."""
SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
RESPONSES: Final = frozenset({"ACK", "RESULT", "FULL"})
PREVENTION: Final = "EXPIRE_MAKER"
"""The default of self-trade prevention; orders here trade with the market and never with each other."""
PREVENTIONS: Final = frozenset({"NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER"})
_LEAST_STRATEGY_TYPE: Final = 1_000_000


@attrs.frozen
class NewOrder:
    """An order request that is in order.

    Attributes:
        response: how much of it the answer tells: ACK, RESULT or FULL.
    """

    ticket: Ticket
    response: str


@exact
def read_order(params: Params, state: PairState, account: Account, make_id: Callable[[], str]) -> NewOrder:
    """Return the order that *params* ask for.

    Args:
        params: what came.
        state: the market.
        account: whose order it is to be.
        make_id: makes a client id for an order that has none.

    Raises:
        ApiError: whatever is wrong with it.
    """
    market, price = state.market, state.price
    side = params.need("side")
    if side not in SIDES:
        raise error(-1117)
    kind = params.need("type")
    rules = _rules(kind, params)
    is_market = kind == "MARKET"
    force = params.one_of("timeInForce", frozenset(TimeInForce.__members__), -1115, "GTC") or "GTC"
    response = params.one_of("newOrderRespType", RESPONSES, -1130, rules.response) or rules.response
    limit = _positive(params, "price")
    quote = _positive(params, "quoteOrderQty") if is_market else None
    quantity = _positive(params, "quantity")
    if quantity is None and quote is not None:
        quantity = _bought_for(quote, market, price)
    if quantity is None:
        raise error(-1102, name="quantity")
    resting, position = standing(account, market)
    asked = Asked(side=SIDES[side], quantity=quantity, price=limit, reference=price, resting=resting, position=position)
    check_filters(state, asked)
    ticket = Ticket(
        order_id=OrderId(params.get("newClientOrderId", "client id") or make_id()),
        side=SIDES[side],
        quantity=BaseQty(quantity),
        price=None if limit is None else Price(limit),
        time_in_force=TimeInForce(force),
        is_maker_only=kind == "LIMIT_MAKER",
        quote_amount=None if quote is None else QuoteAmount(quote),
        labels=_labels(params),
    )
    return NewOrder(ticket, response)


def _rules(kind: str, params: Params) -> TypeRules:
    if kind in UNSUPPORTED:
        raise error(-2010, UNSUPPORTED[kind])
    rules = TYPES.get(kind)
    if rules is None:
        raise error(-1116)
    for name in rules.needs:
        params.need(name)
    for name in (*rules.forbids, *PEGGED):
        if params.has(name):
            raise error(-1106, name=name)
    if params.has("icebergQty"):
        raise error(-2010, "Iceberg orders are not supported for this symbol.")
    if kind == "MARKET" and params.has("quantity") == params.has("quoteOrderQty"):
        raise error(-1128) if params.has("quantity") else error(-1102, name="quantity")
    return rules


def _positive(params: Params, name: str) -> Decimal | None:
    value = params.decimal(name)
    if value is not None and not value:
        raise error(-1013, "Invalid price." if name == "price" else "Invalid quantity.")
    return value


def _bought_for(quote: Decimal, market: Market, price: Price | None) -> Decimal | None:
    """Return the most on the LOT_SIZE grid that costs no more than *quote*; part of the sum stays unspent."""
    return None if price is None else Quotient(quote, price).floor(market.step_size)


def _labels(params: Params) -> dict[str, str]:
    labels = {name: params.get(name, "integer") for name in ("strategyId", "strategyType")}
    if labels["strategyType"] is not None and int(labels["strategyType"]) < _LEAST_STRATEGY_TYPE:
        raise error(-1130, name="strategyType")
    labels["selfTradePreventionMode"] = params.one_of("selfTradePreventionMode", PREVENTIONS, -1130)
    return {name: value for name, value in labels.items() if value is not None}
