"""How far an exchange lets orders go: how large, how far from the market, how many. A backtest knows of none.

`Market` says on which grid an order lies and how small it may be: by that a ladder is built. What is here never changes
a ladder. An order beyond it is held back until it may be placed, and its user is told.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

from dcacore.domain.market import Market
from dcacore.domain.money import HUNDRED, BaseQty, Price, Quotient, ceil_to, exact, floor_to, plain
from dcacore.domain.orders import Side

NEAR: Final = Decimal("0.01")
"""How much of a band's width is left free: the exchange measures it from an average, we from the last price."""


@attrs.frozen
class Bound:
    """One number that an order may not pass.

    Attributes:
        rule: what the exchange calls it.
        value: the number.
    """

    rule: str
    value: Decimal


@attrs.frozen
class Band:
    """Between which multiples of the market's price a limit has to lie.

    Attributes:
        rule: what the exchange calls it.
        lowest: the lower one, below 1; 0 where there is none.
        highest: the higher one, above 1; None where there is none.
    """

    rule: str
    lowest: Decimal = Decimal(0)
    highest: Decimal | None = None

    @exact
    def floor(self, at: Price) -> Decimal:
        """Return the lowest limit that may safely be placed while the market stands at *at*."""
        return at * self._lowest

    @exact
    def ceiling(self, at: Price) -> Decimal | None:
        """Return the highest one; None where there is no such bound."""
        return None if self._highest is None else at * self._highest

    @exact
    def reached_by_fall(self, price: Price, tick: Decimal) -> Price:
        """Return the highest market price at which a limit of *price* below it may be placed."""
        return Price(Quotient(price, self._lowest).floor(tick) if self._lowest else price)

    @exact
    def reached_by_rise(self, price: Price, tick: Decimal) -> Price:
        """Return the lowest market price at which a limit of *price* above it may be placed."""
        return price if self._highest is None else Price(Quotient(price, self._highest).ceil(tick))

    @property
    def _lowest(self) -> Decimal:
        return self.lowest + (1 - self.lowest) * NEAR if self.lowest else self.lowest

    @property
    def _highest(self) -> Decimal | None:
        return None if self.highest is None else self.highest - (self.highest - 1) * NEAR


@attrs.frozen(kw_only=True)
class Limits:
    """The bounds of one pair; None where the exchange has none.

    Attributes:
        buys: how far from the market buys may lie.
        sells: how far sells may.
        least_price: the lowest limit.
        most_price: the highest limit.
        quantity: the largest quantity of any order, in base.
        market_quantity: the largest of a market order, in base.
        notional: the largest price x quantity of any order, in quote.
        market_notional: the same of a market order.
        orders: how many orders of an account may rest on the pair, whoever placed them.
        position: how much base an account may hold, open buys included.
    """

    buys: Band | None = None
    sells: Band | None = None
    least_price: Bound | None = None
    most_price: Bound | None = None
    quantity: Bound | None = None
    market_quantity: Bound | None = None
    notional: Bound | None = None
    market_notional: Bound | None = None
    orders: Bound | None = None
    position: Bound | None = None

    def band(self, side: Side) -> Band | None:
        """Return how far from the market orders of *side* may lie."""
        return self.buys if side is Side.BUY else self.sells

    def passes(self, side: Side, rule: str) -> bool:
        """Say whether *rule* is one of these that stops an order of *side* only for now: a limit, of a safety order."""
        band = self.band(side)
        known = {band.rule} if band is not None else set()
        if side is Side.BUY:  # a sell that finds no room must be told: without it the deal has no target
            known.update(bound.rule for bound in (self.orders, self.position) if bound is not None)
        return rule in known

    @exact
    def never(self, market: Market, price: Price, quantity: Decimal) -> str | None:
        """Return why a limit order is not taken wherever the market stands, in words; None when it is."""
        base, quote = market.base_asset, market.quote_asset
        if self.quantity is not None and quantity > self.quantity.value:
            return f"is for {plain(quantity)} {base}, and the exchange takes {_at_most(self.quantity, base)}"
        if self.notional is not None and price * quantity > self.notional.value:
            return (
                f"is worth {plain(price * quantity)} {quote}, and the exchange takes {_at_most(self.notional, quote)}"
            )
        if self.least_price is not None and price < self.least_price.value:
            return f"lies at {plain(price)}, and the exchange takes no price below {_named(self.least_price)}"
        if self.most_price is not None and price > self.most_price.value:
            return f"lies at {plain(price)}, and the exchange takes no price above {_named(self.most_price)}"
        return None

    @exact
    def never_at_market(self, market: Market, price: Price, quantity: Decimal) -> str | None:
        """Return why a market order that fills at about *price* is not taken, in words; None when it is."""
        base, quote = market.base_asset, market.quote_asset
        for most in (self.quantity, self.market_quantity):
            if most is not None and quantity > most.value:
                return f"is for {plain(quantity)} {base}, and the exchange takes {_at_most(most, base)} at market"
        for most in (self.notional, self.market_notional):
            if most is not None and price * quantity > most.value:
                worth = f"{plain(price * quantity)} {quote}"
                return f"is worth {worth}, and the exchange takes {_at_most(most, quote)} at market"
        return None

    @exact
    def too_far(self, side: Side, price: Price, at: Price) -> str | None:
        """Return why a limit order that would rest is not taken while the market stands at *at*; None when it is."""
        band = self.band(side)
        if band is None:
            return None
        ceiling = band.ceiling(at)
        if side is Side.BUY and price < band.floor(at):
            takes, how = HUNDRED - band.lowest * HUNDRED, "below"
        elif side is Side.SELL and ceiling is not None and price > ceiling:
            takes, how = ((band.highest or Decimal(1)) - 1) * HUNDRED, "above"
        else:
            return None
        lies = Quotient(abs(at - price) * HUNDRED, at).floor(Decimal("0.1"))
        bound = f"the exchange takes {side.value}s up to {plain(takes)} % {how} it ({band.rule})"
        return f"lies {plain(lies)} % {how} the price, and {bound}"

    def placeable(self, market: Market, side: Side, price: Price, quantity: Decimal, at: Price | None) -> bool:
        """Say whether a limit order can be placed while the market stands at *at*."""
        if self.never(market, price, quantity) is not None:
            return False
        return at is None or self.too_far(side, price, at) is None

    def brought_near(self, market: Market, side: Side, price: Price, at: Price | None) -> Price:
        """Return the limit for an order that the market has passed by more than the exchange allows; it fills at once.

        Everywhere else it is *price* itself.
        """
        band = self.band(side)
        if band is None or at is None:
            return price
        ceiling = band.ceiling(at)
        if side is Side.BUY and ceiling is not None and price > ceiling:
            return Price(floor_to(ceiling, market.tick_size))
        if side is Side.SELL and price < band.floor(at):
            return Price(ceil_to(band.floor(at), market.tick_size))
        return price

    def at_once(self, market: Market, quantity: BaseQty) -> BaseQty:
        """Return how much of *quantity* one market order may be for, on the step grid."""
        bounds = [bound.value for bound in (self.quantity, self.market_quantity) if bound is not None]
        most = floor_to(min(bounds), market.step_size) if bounds else quantity
        return BaseQty(min(quantity, most)) if most else quantity


def _named(bound: Bound) -> str:
    return f"{plain(bound.value)} ({bound.rule})"


def _at_most(bound: Bound, asset: str) -> str:
    return f"at most {plain(bound.value)} {asset} an order ({bound.rule})"
