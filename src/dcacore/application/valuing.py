"""Amounts of several assets in one currency, at the last prices; what has no price is named, and never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import attrs

from dcacore.domain.errors import InvalidParameter
from dcacore.domain.money import ZERO, Price, exact
from dcacore.domain.worth import worth
from dcacore.ports.clock import Clock
from dcacore.ports.errors import PortError
from dcacore.ports.records import Environment
from dcacore.ports.venues import Venues

_LONGEST_ASSET = 20
FRESH_FOR_S = 10


@attrs.frozen(kw_only=True)
class Money:
    """An amount of an asset in one environment; those of two environments or assets are never added up.

    Attributes:
        environment: where.
        asset: of what.
        amount: how much.
    """

    environment: Environment
    asset: str
    amount: Decimal


@attrs.frozen(kw_only=True)
class Valued:
    """Amounts of one environment together, in one currency, at the last prices.

    Attributes:
        environment: where.
        currency: in what.
        amount: the sum, half-even at 8 decimals each; None where nothing of it has a price.
        unvalued: the assets that the sum leaves out.
        reason: why something is left out; empty when nothing is.
    """

    environment: Environment
    currency: str
    amount: Decimal | None
    unvalued: tuple[str, ...] = ()
    reason: str = ""


def currency_of(text: str) -> str:
    """Return *text* as the name of an asset, in capitals.

    Raises:
        InvalidParameter: it cannot be one.
    """
    name = text.strip().upper()
    if not name.isalnum() or not name.isascii() or len(name) > _LONGEST_ASSET:
        raise InvalidParameter("currency", name if name.isprintable() else None, "must be an asset such as USDT")
    return name


@attrs.define
class LastPrices:
    """The last price of every pair of every environment, asked for at most once in `FRESH_FOR_S`.

    One of them serves all users: everybody may know prices.
    """

    venues: Venues
    clock: Clock
    _known: dict[Environment, tuple[float, Mapping[str, Price]]] = attrs.field(factory=dict, init=False)

    async def of(self, environment: Environment) -> Mapping[str, Price]:
        """Return them.

        Raises:
            PortError: the exchange cannot be asked now, or does not tell of all its pairs.
        """
        known, now = self._known.get(environment), self.clock.monotonic()
        if known is not None and now - known[0] <= FRESH_FOR_S:
            return known[1]
        prices = await (await self.venues.directory(environment)).prices()
        self._known[environment] = (now, prices)
        return prices


async def valued(prices: LastPrices, amounts: Iterable[Money], currency: str) -> tuple[Valued, ...]:
    """Return the amounts of each environment together in *currency*, in the order of `Environment`.

    Raises:
        InvalidParameter: *currency* cannot be the name of an asset.
    """
    name, by_environment = currency_of(currency), dict[Environment, list[Money]]()
    for money in amounts:
        by_environment.setdefault(money.environment, []).append(money)
    return tuple([await _together(prices, it, by_environment[it], name) for it in Environment if it in by_environment])


async def _together(prices: LastPrices, environment: Environment, amounts: list[Money], currency: str) -> Valued:
    known: Mapping[str, Price] = {}
    reason = ""
    if any(it.asset != currency and it.amount for it in amounts):
        try:
            known = await prices.of(environment)
        except PortError as exc:
            reason = f"the prices of {environment.value} are not known now: {exc}"
    return sum_of(environment, amounts, currency, known, reason)


@exact
def sum_of(
    environment: Environment, amounts: Iterable[Money], currency: str, prices: Mapping[str, Price], reason: str = ""
) -> Valued:
    """Return the amounts, all of one environment, together in *currency* at *prices*."""
    total, has_any, lacking = ZERO, False, list[str]()
    for money in amounts:
        value = ZERO if not money.amount else worth(money.amount, money.asset, currency, prices)
        if value is None:
            lacking.append(money.asset)
        else:
            total, has_any = total + value, True
    unvalued = tuple(dict.fromkeys(lacking))
    if unvalued and not reason:
        reason = f"no pair leads from {', '.join(unvalued)} to {currency}"
    amount = total if has_any or not unvalued else None
    return Valued(environment=environment, currency=currency, amount=amount, unvalued=unvalued, reason=reason)
