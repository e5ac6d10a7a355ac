"""What an exchange's limits will do to a deal, told before there is one."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ladder import Rung, build_ladder, buy_quantity
from dcacore.domain.limits import Limits
from dcacore.domain.market import Market
from dcacore.domain.money import HUNDRED, Price, exact, plain, whole
from dcacore.domain.orders import Side
from dcacore.domain.strategy import Strategy


@exact
def foresee(strategy: Strategy, market: Market, limits: Limits | None, price: Price) -> tuple[str, ...]:
    """Return what of a deal that opens at *price* the exchange would not take as the ladder has it, in sentences.

    Raises:
        InvalidParameter: it would not take the base order.
    """
    if limits is None:
        return ()
    quantity = buy_quantity(strategy, market, strategy.base_order_size, price)
    if (reason := limits.never_at_market(market, price, quantity)) is not None:
        raise InvalidParameter("base_order_size", plain(strategy.base_order_size), f"the base order {reason}")
    rungs = build_ladder(strategy, market, whole(price)).rungs
    held = sum([rung.quantity for rung in rungs], Decimal(quantity))
    return (
        *_of_first_beyond(market, limits, price, rungs),
        *_of_target(strategy, market, limits, price),
        *_of_position(market, limits, held),
    )


def _of_target(strategy: Strategy, market: Market, limits: Limits, price: Price) -> Iterator[str]:
    target = Price(whole(price).percent(HUNDRED + strategy.take_profit).ceil(market.tick_size))
    if not strategy.trailing_deviation and (far := limits.too_far(Side.SELL, target, price)) is not None:
        yield f"the take profit order {far}: it is placed when the price has come nearer"


def _of_position(market: Market, limits: Limits, held: Decimal) -> Iterator[str]:
    if limits.position is not None and held > limits.position.value:
        most = f"{plain(limits.position.value)} {market.base_asset} ({limits.position.rule})"
        yield (
            f"all buys together come to {plain(held)} {market.base_asset}, and the exchange lets an account hold "
            f"{most}: safety orders beyond that are held back"
        )


def _of_first_beyond(market: Market, limits: Limits, price: Price, rungs: tuple[Rung, ...]) -> Iterator[str]:
    """Yield what is to be said of the first rung that is not placed at once; those below it wait for it."""
    for rung in rungs:
        name = f"safety order {rung.number}"
        if (never := limits.never(market, rung.price, rung.quantity)) is not None:
            yield f"{name} {never}: neither it nor a safety order below it is placed"
            return
        far = limits.too_far(Side.BUY, rung.price, price)
        if far is not None and limits.buys is not None:
            when = plain(limits.buys.reached_by_fall(rung.price, market.tick_size))
            yield f"{name} {far}: it is placed when the price has fallen to {when}, and those below it later still"
            return
