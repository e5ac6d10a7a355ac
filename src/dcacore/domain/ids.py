"""Identities. Those of deals and orders follow from the bot's own counters, so the same history gives the same ids."""

from __future__ import annotations

from typing import NewType

UserId = NewType("UserId", str)
AccountId = NewType("AccountId", str)
RequestId = NewType("RequestId", str)
BotId = NewType("BotId", str)
DealId = NewType("DealId", str)
OrderId = NewType("OrderId", str)
"""Names an order before the exchange has seen it; never used for a second order."""
TradeId = NewType("TradeId", str)
"""Names a fill; given by the exchange, unique within a market."""


def deal_id(bot: BotId, number: int) -> DealId:
    """Return the id of the bot's deal *number*, counted from 1."""
    return DealId(f"{bot}-{number}")


def order_id(deal: DealId, leg: str, attempt: int) -> OrderId:
    """Return the id of the order that *deal* places for *leg* as its order number *attempt*."""
    return OrderId(f"{deal}-{leg}-{attempt}")
