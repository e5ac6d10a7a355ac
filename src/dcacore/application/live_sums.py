"""What all open deals of a page would bring together, at the prices that its stream has heard."""

from __future__ import annotations

from decimal import Decimal

import attrs

from dcacore.application.deal_cards import DealCard
from dcacore.application.live import BotGonePatch, Patch, PricePatch, StatePatch
from dcacore.domain.ids import BotId
from dcacore.domain.money import ZERO, exact
from dcacore.ports.records import Environment

Place = tuple[Environment, str]
"""An environment and a quote asset: money of two of them is never added up."""


@attrs.define
class OpenDeals:
    """The open deals that patches have told of."""

    _places: dict[BotId, Place] = attrs.field(factory=dict, init=False)
    _deals: dict[BotId, DealCard] = attrs.field(factory=dict, init=False)

    def heed(self, patch: Patch) -> None:
        """Take what *patch* says of deals."""
        match patch:
            case StatePatch(card=card):
                self._places[card.bot_id] = card.environment, card.quote_asset
                self._deals.pop(card.bot_id, None)
                if card.deal is not None:
                    self._deals[card.bot_id] = card.deal
            case PricePatch(deals=deals):
                self._deals.update({deal.bot_id: deal for deal in deals})
            case BotGonePatch(bot_id=bot_id):
                self._deals.pop(bot_id, None)
                self._places.pop(bot_id, None)
            case _:
                pass

    @exact
    def unrealized(self) -> dict[Place, Decimal | None]:
        """Return what they would bring, by place; those without a price are left out, None where none has one."""
        sums: dict[Place, Decimal | None] = {}
        for place in set(self._places.values()):
            known = [it.unrealized for it in self._deals.values() if (it.environment, it.quote_asset) == place]
            priced = [it for it in known if it is not None]
            sums[place] = sum(priced, ZERO) if priced or not known else None
        return sums
