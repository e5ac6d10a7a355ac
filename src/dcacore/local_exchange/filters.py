"""The filters of a symbol: how `exchangeInfo` shows them, and what they refuse."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from dcacore.adapters.simulated.account import Account
from dcacore.adapters.simulated.floor import PairState
from dcacore.domain.market import Market
from dcacore.domain.money import ZERO
from dcacore.domain.orders import Side
from dcacore.local_exchange.errors import error
from dcacore.local_exchange.formats import ZERO_TEXT, amount

HIGHEST_PRICE: Final = Decimal(1_000_000)
LARGEST_QUANTITY: Final = Decimal(900000000)
LARGEST_NOTIONAL: Final = Decimal(900000000)
PERCENT_UP: Final = Decimal(5)
PERCENT_DOWN: Final = Decimal("0.2")
MOST_ORDERS: Final = 200
AVERAGE_MINUTES: Final = 5
_NUMBER: Final = re.compile(r"\d{1,20}(\.\d{1,20})?", re.ASCII)


Rule = Mapping[str, Any]
"""What `exchangeInfo` shows of a filter, besides its type."""


@attrs.frozen(kw_only=True)
class Asked:
    """An order as filters see it.

    Attributes:
        price: its limit; None at market.
        reference: the symbol's reference price, which is the last one; None when there is none yet.
        resting: how many orders the account has open on the symbol.
        position: what the account holds of the base asset, and what its open buys would bring.
    """

    side: Side
    quantity: Decimal
    price: Decimal | None
    reference: Decimal | None
    resting: int = 0
    position: Decimal = ZERO


@attrs.frozen
class Filter:
    """One kind of filter.

    Attributes:
        told: what `exchangeInfo` shows of it for a market; None when only symbols have it that were given it.
        allows: whether it lets an order through.
    """

    told: Callable[[Market], dict[str, Any]] | None
    allows: Callable[[Rule, Asked], bool]


def _within(rule: Rule, value: Decimal, least: str, most: str) -> bool:
    """Say whether *value* lies in the range; a bound of 0 is none."""
    low, high = Decimal(str(rule.get(least, 0))), Decimal(str(rule.get(most, 0)))
    return low <= value and (not high or value <= high)


def _on_grid(rule: Rule, value: Decimal, name: str) -> bool:
    step = Decimal(rule[name])
    return not step or not value % step


def _price(rule: Rule, asked: Asked) -> bool:
    price = asked.price
    return price is None or (_within(rule, price, "minPrice", "maxPrice") and _on_grid(rule, price, "tickSize"))


def _percent(down: str, up: str) -> Callable[[Rule, Asked], bool]:
    def allows(rule: Rule, asked: Asked) -> bool:
        if asked.price is None or asked.reference is None:
            return True
        side = "bid" if asked.side is Side.BUY else "ask"
        low, high = (asked.reference * Decimal(rule[name.format(side)]) for name in (down, up))
        return low <= asked.price <= high

    return allows


def _lot(rule: Rule, asked: Asked) -> bool:
    return _within(rule, asked.quantity, "minQty", "maxQty") and _on_grid(rule, asked.quantity, "stepSize")


def _notional(rule: Rule, asked: Asked) -> bool:
    price = asked.price if asked.price is not None else asked.reference
    if price is None:
        return True
    is_least = asked.price is not None or rule["applyMinToMarket"]
    is_most = asked.price is not None or rule["applyMaxToMarket"]
    applied = {
        "minNotional": rule["minNotional"] if is_least else 0,
        "maxNotional": rule["maxNotional"] if is_most else 0,
    }
    return _within(applied, price * asked.quantity, "minNotional", "maxNotional")


def _position(rule: Rule, asked: Asked) -> bool:
    return asked.side is Side.SELL or asked.position + asked.quantity <= Decimal(rule["maxPosition"])


FILTERS: Final[Mapping[str, Filter]] = {
    "PRICE_FILTER": Filter(
        lambda market: {
            "minPrice": amount(market.tick_size),
            "maxPrice": amount(HIGHEST_PRICE),
            "tickSize": amount(market.tick_size),
        },
        _price,
    ),
    "LOT_SIZE": Filter(
        lambda market: {
            "minQty": amount(market.min_quantity),
            "maxQty": amount(LARGEST_QUANTITY),
            "stepSize": amount(market.step_size),
        },
        _lot,
    ),
    "MARKET_LOT_SIZE": Filter(  # real symbols switch its minimum and its step off, and so do these
        lambda _: {"minQty": ZERO_TEXT, "maxQty": amount(LARGEST_QUANTITY), "stepSize": ZERO_TEXT},
        lambda rule, asked: asked.price is not None or _lot(rule, asked),
    ),
    "PERCENT_PRICE_BY_SIDE": Filter(
        lambda _: {
            "bidMultiplierUp": amount(PERCENT_UP),
            "bidMultiplierDown": amount(PERCENT_DOWN),
            "askMultiplierUp": amount(PERCENT_UP),
            "askMultiplierDown": amount(PERCENT_DOWN),
            "avgPriceMins": AVERAGE_MINUTES,
        },
        _percent("{}MultiplierDown", "{}MultiplierUp"),
    ),
    "PERCENT_PRICE": Filter(None, _percent("multiplierDown", "multiplierUp")),
    "NOTIONAL": Filter(
        lambda market: {
            "minNotional": amount(market.min_notional),
            "applyMinToMarket": True,
            "maxNotional": amount(LARGEST_NOTIONAL),
            "applyMaxToMarket": True,
            "avgPriceMins": AVERAGE_MINUTES,
        },
        _notional,
    ),
    "MAX_POSITION": Filter(None, _position),
    "MAX_NUM_ORDERS": Filter(
        lambda _: {"maxNumOrders": MOST_ORDERS}, lambda rule, asked: asked.resting < int(rule["maxNumOrders"])
    ),
    "MAX_NUM_ALGO_ORDERS": Filter(lambda _: {"maxNumAlgoOrders": 5}, lambda *_: True),  # there are none
    "MAX_NUM_ORDER_AMENDS": Filter(lambda _: {"maxNumOrderAmends": 10}, lambda *_: True),  # amending counts
}
"""By `filterType`, in the order in which they are applied."""


def rules_of(state: PairState) -> dict[str, Rule]:
    """Return the filters of a market by type: the usual ones, with what was set for it."""
    usual = {name: known.told(state.market) for name, known in FILTERS.items() if known.told is not None}
    return {
        name: {**usual.get(name, {}), **state.filters.get(name, {})}
        for name in FILTERS
        if name in usual or name in state.filters
    }


def told_filters(state: PairState) -> list[dict[str, Any]]:
    """Return the filters of a market, as `exchangeInfo` shows them."""
    return [{"filterType": name, **rule} for name, rule in rules_of(state).items()]


def check_filters(state: PairState, asked: Asked) -> None:
    """Refuse an order that a filter does not let through (filters.md).

    Raises:
        ApiError: -1013, naming the first of them.
    """
    for name, rule in rules_of(state).items():
        if not FILTERS[name].allows(rule, asked):
            raise error(-1013, filter=name)


def standing(account: Account, market: Market) -> tuple[int, Decimal]:
    """Return how many orders of an account are open on a market, and what it holds there or has open buys for."""
    resting = [order for order in account.open.values() if order.pair == market.pair]
    wallet, base = account.wallet, market.base_asset
    buys = sum((it.ticket.quantity - it.executed for it in resting if it.ticket.side is Side.BUY), ZERO)
    return len(resting), wallet.free(base) + wallet.locked(base) + buys


def checked_filters(told: object) -> dict[str, dict[str, Any]]:
    """Return what *told* sets of filters: by type, by name.

    Raises:
        ValueError: there is no such filter, or it lacks something, or something of it is no number.
    """
    if not isinstance(told, dict):
        message = "filters has to be an object"
        raise ValueError(message)  # noqa: TRY004  # it was read from JSON
    for name, rule in told.items():
        if name not in FILTERS or not isinstance(rule, dict):
            message = f"filters has to name filters, of {', '.join(FILTERS)}, each with its values"
            raise ValueError(message)
        for field, value in rule.items():
            if not isinstance(value, bool) and not _NUMBER.fullmatch(str(value)):
                message = f"{field} of {name} has to be a number, as text"
                raise ValueError(message)
    return told
