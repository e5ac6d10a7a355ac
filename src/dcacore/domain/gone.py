"""Coins that an account holds no more though no order of a deal has sold them.

A few of them deals bear; all of them are gone when a testnet has been emptied.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import attrs

from dcacore.domain.bot import Cure, Phase, TroubleKind
from dcacore.domain.commands import Forget
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.events import CoinsMissing, ExchangeReset
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import DealId
from dcacore.domain.money import NO_BASE, ZERO, BaseQty, exact
from dcacore.domain.orders import OrderState, OrderStep
from dcacore.domain.rounds import begin_exit
from dcacore.domain.turn import Turn, live_sells

BORNE_PERCENT: Final = Decimal("0.5")
"""How much of what deals have held may be missing, in percent, before their user is asked.

Bots that trade other coins may pay their fees in this one. Buying and selling cost 0.2 % of what is traded, so that a
little goes by itself; more than this is a sale or a withdrawal, and its user knows what it was for.
"""
WITH_THE_USER: Final = frozenset({Exit.CANCEL, Exit.SOLD_BY_HAND})
"""The exits that sell nothing: what is there of the coins of such a deal is its user's business."""


@attrs.frozen
class Shortfall:
    """Deals hold more of an asset than their account does.

    Attributes:
        deals: all deals of the account that hold it, and are to sell it.
        held: what the account has of it, what rests in its orders included.
    """

    deals: tuple[Deal, ...]
    held: Decimal

    @property
    @exact
    def needed(self) -> Decimal:
        """What the deals hold."""
        return sum((deal.books.net for deal in self.deals), ZERO)

    @property
    @exact
    def is_little(self) -> bool:
        """Whether so little is missing that the deals bear it, all that they have borne before included."""
        ever_held = self.needed + sum((deal.books.gone for deal in self.deals), ZERO)
        return self.held * 100 >= ever_held * (100 - BORNE_PERCENT)

    @property
    @exact
    def hinders(self) -> bool:
        """Whether a sale would be refused for it; what fits no step of the market may be missing."""
        return self.held < sum((deal.sellable for deal in self.deals), ZERO)

    @exact
    def shares(self) -> Mapping[DealId, BaseQty]:
        """Return what each deal bears of it, those left out that bear nothing.

        Coins that rest in a sell are there: a deal bears at most what it does not have on sale. Of what is missing the
        oldest deal bears first.
        """
        left, shares = self.needed - self.held, {}
        for deal in sorted(self.deals, key=lambda it: (it.opened_at, it.id)):
            on_sale = sum((order.remaining for order in live_sells(deal)), ZERO)
            share = BaseQty(max(ZERO, min(left, deal.books.net - on_sale)))
            if share:
                shares[deal.id] = share
                left -= share
        return shares


def write_off(turn: Turn, told: CoinsMissing) -> None:
    """Let the deal hold less by what is missing; its cost stays, so that the target rises."""
    deal = turn.deal
    if deal is None or deal.id != told.deal_id or deal.exit in WITH_THE_USER:
        return
    missing = BaseQty(min(told.gone - deal.books.gone, deal.books.net))
    if missing <= NO_BASE:
        return
    less = evolve(deal, books=deal.books.with_gone(missing))
    if less.sellable != deal.sellable and deal.exit is None and deal.retarget_at is None:
        less = evolve(less, take_profit_price=None)
    turn.deal = less


_ON_THEIR_WAY: Final = frozenset({OrderState.PLANNED, OrderState.UNKNOWN})
_OF_LOST_COINS: Final = frozenset({Cure.USER, Cure.HOLDINGS, Cure.COINS})


def lose(turn: Turn, told: ExchangeReset) -> None:
    """End the deal without its coins, which the exchange has no more; what it had sold before stays sold.

    While an order is on its way nothing is done: it may reach the emptied exchange.
    """
    deal, price = turn.deal, turn.price
    if deal is None or deal.id != told.deal_id or deal.reference is None or price is None:
        return
    live = deal.live_orders
    if any(order.state in _ON_THEIR_WAY for order in live):
        return
    turn.commands.extend(Forget(order.id) for order in live)
    over = {order.id: order.ended(OrderStep.CANCELED, order.filled) for order in live}
    deal = evolve(deal, orders={**deal.orders, **over})
    trouble, phase = turn.bot.trouble, turn.bot.phase
    if trouble is not None and trouble.kind is TroubleKind.NEEDS_ATTENTION and trouble.cure in _OF_LOST_COINS:
        turn.bot = evolve(turn.bot, trouble=None)
    if phase is Phase.IN_POSITION:
        begin_exit(turn, deal, Exit.RESET, price)
    else:  # it is closing, or its bot is starting: what comes then ends it
        is_settled = deal.exit in WITH_THE_USER or (deal.exit is not None and not deal.sellable)
        turn.deal = deal if is_settled else evolve(deal, exit=Exit.RESET)
