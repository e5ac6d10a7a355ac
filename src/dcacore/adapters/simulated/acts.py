"""What can be done to a simulated venue from outside its requests, by name: for scripts and tests.

Every value is text, or for `list` and `rules` a market as `pack` writes it. What is listed or open already stays as it
is when `list` or `open` comes again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from dcacore.adapters.simulated.hands import Hand, Staff
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.adapters.simulated.wire import unpack
from dcacore.domain.ids import AccountId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.venue import VenueOrderId

Params = Mapping[str, Any]


def act(venue: SimulatedVenue, name: str, params: Params) -> None:
    """Carry out the act *name*.

    Raises:
        KeyError: there is no such act, or *params* lacks something.
        PortError: as the venue says.
    """
    ACTS[name](venue, params)


def _hand(venue: SimulatedVenue, params: Params) -> Hand:
    return Hand(venue, _account(params))


def _account(params: Params) -> AccountId:
    return AccountId(params["account"])


def _quantity(params: Params) -> BaseQty:
    return BaseQty(Decimal(params["quantity"]))


def _price(params: Params) -> Price | None:
    return Price(Decimal(params["price"])) if params.get("price") is not None else None


def _holdings(params: Mapping[str, str]) -> dict[str, Decimal]:
    return {asset: Decimal(amount) for asset, amount in params.items()}


def _order(params: Params) -> VenueOrderId:
    return VenueOrderId(params["venue_order_id"])


def _open(venue: SimulatedVenue, params: Params) -> None:
    if _account(params) in venue.accounts:
        return
    fees = unpack(params["fees"], Fees) if params.get("fees") else None
    venue.open_account(_account(params), _holdings(params["holdings"]), fees, pays_with=params.get("pays_with"))


def _list(venue: SimulatedVenue, params: Params) -> None:
    market = unpack(params["market"], Market)
    if market.pair not in venue.pairs:
        venue.list_pair(market, _price(params))


def _reset(venue: SimulatedVenue, params: Params) -> None:
    given = params["holdings"].items()
    Staff(venue).reset({AccountId(account): _holdings(holdings) for account, holdings in given})


def _rules(venue: SimulatedVenue, params: Params) -> None:
    most = params.get("most_open")
    Staff(venue).change_rules(unpack(params["market"], Market), most_open=None if most is None else int(most))


ACTS: Final[Mapping[str, Callable[[SimulatedVenue, Params], object]]] = {
    "move": lambda venue, params: venue.move(params["pair"], Price(Decimal(params["price"]))),
    "list": _list,
    "open": _open,
    "rate": lambda venue, params: venue.set_rate(params["asset"], params["quote_asset"], Decimal(params["rate"])),
    "buy": lambda venue, params: _hand(venue, params).buy(params["pair"], _quantity(params), _price(params)),
    "sell": lambda venue, params: _hand(venue, params).sell(params["pair"], _quantity(params), _price(params)),
    "cancel_by_hand": lambda venue, params: _hand(venue, params).cancel(params["pair"], _order(params)),
    "deposit": lambda venue, params: _hand(venue, params).deposit(params["asset"], Decimal(params["amount"])),
    "withdraw": lambda venue, params: _hand(venue, params).withdraw(params["asset"], Decimal(params["amount"])),
    "rules": _rules,
    "halt": lambda venue, params: Staff(venue).halt(params["pair"]),
    "resume": lambda venue, params: Staff(venue).resume(params["pair"]),
    "delist": lambda venue, params: Staff(venue).delist(params["pair"]),
    "expire": lambda venue, params: Staff(venue).expire(_account(params), params["pair"], _order(params)),
    "fill": lambda venue, params: Staff(venue).fill_in_part(
        _account(params), params["pair"], _order(params), _quantity(params)
    ),
    "thin_out": lambda venue, params: Staff(venue).thin_out(params["pair"], Decimal(params["share"])),
    "revoke": lambda venue, params: Staff(venue).revoke(_account(params)),
    "restore": lambda venue, params: Staff(venue).restore(_account(params)),
    "disable": lambda venue, params: Staff(venue).disable(_account(params)),
    "enable": lambda venue, params: Staff(venue).disable(_account(params), is_disabled=False),
    "reset": _reset,
}
"""By name, what it does."""
