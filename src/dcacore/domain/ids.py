"""Identities. Those of deals and orders follow from the bot's own counters, so the same history gives the same ids."""

from __future__ import annotations

import re
from typing import Final, NewType

import attrs

from dcacore.domain.roles import LEGS, Role

UserId = NewType("UserId", str)
AccountId = NewType("AccountId", str)
RequestId = NewType("RequestId", str)
BotId = NewType("BotId", str)
DealId = NewType("DealId", str)
OrderId = NewType("OrderId", str)
"""Names an order before the exchange has seen it; never used for a second order."""
TradeId = NewType("TradeId", str)
"""Names a fill; given by the exchange, unique within a market."""

OWN_PREFIX: Final = "dca"
"""What the id of every live order begins with; what tells one database from another follows."""

LONGEST_ORDER_ID: Final = 36
"""How many characters an exchange takes as an order's id."""

_OWN: Final = re.compile(
    rf"(?P<prefix>{OWN_PREFIX}[0-9a-z]+)-(?P<deal>(?P<bot>\w+)-[1-9]\d*)-(?P<leg>[a-z])(?P<rung>[1-9]\d*)?"
    r"-(?P<attempt>[1-9]\d*)",
    re.ASCII,
)
_ROLES: Final = {leg: role for role, leg in LEGS.items()}


@attrs.frozen(kw_only=True)
class ParsedOrderId:
    """What the id of an order says.

    Attributes:
        prefix: whose database it comes from.
        bot_id: the bot.
        deal_id: the bot's deal.
        role: what the order is for.
        rung: which safety order it is, from 1; 0 for other roles.
        attempt: counts the orders of the deal from 1.
    """

    prefix: str
    bot_id: BotId
    deal_id: DealId
    role: Role
    rung: int
    attempt: int


def deal_id(bot: BotId, number: int) -> DealId:
    """Return the id of the bot's deal *number*, counted from 1."""
    return DealId(f"{bot}-{number}")


def order_id(deal: DealId, leg: str, attempt: int, prefix: str = "") -> OrderId:
    """Return the id of the order that *deal* places for *leg* as its order number *attempt*.

    With the prefix of a database (nine characters) and a bot id of eight it fits what exchanges take, up to deal
    99,999 and attempt 99,999.
    """
    return OrderId(f"{prefix}-{deal}-{leg}-{attempt}" if prefix else f"{deal}-{leg}-{attempt}")


def attempt_in(deal: DealId, order: OrderId) -> int | None:
    """Return which of the orders of *deal* it is, from 1; None when its id is not one that the deal gave it."""
    whose, _, attempt = order.rpartition("-")
    whose = whose.rpartition("-")[0]
    is_its_own = whose == deal or whose.endswith(f"-{deal}")
    return int(attempt) if is_its_own and attempt.isascii() and attempt.isdigit() else None


def parse_order_id(text: str) -> ParsedOrderId | None:
    """Return what *text* says as the id of an order that one of our bots placed live; None when it is no such id."""
    own = _OWN.fullmatch(text)
    role = _ROLES.get(own["leg"]) if own else None
    if own is None or role is None or (role is Role.SAFETY) != (own["rung"] is not None):
        return None
    return ParsedOrderId(
        prefix=own["prefix"],
        bot_id=BotId(own["bot"]),
        deal_id=DealId(own["deal"]),
        role=role,
        rung=int(own["rung"] or 0),
        attempt=int(own["attempt"]),
    )
