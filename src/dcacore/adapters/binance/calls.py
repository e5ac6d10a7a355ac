"""The requests that this adapter makes, with what each of them weighs: one table."""

from __future__ import annotations

from enum import Enum
from typing import Final

import attrs


class Rank(Enum):
    """How urgent a request is: which share of the exchange's limit may be used up when it still goes out."""

    PLACING = "placing"  # never waits: its deadline is running
    ORDER = "order"
    READING = "reading"
    PERIODIC = "periodic"  # comparisons, which are made again and again


@attrs.frozen
class Call:
    """A request.

    Attributes:
        method: HTTP's, as python-binance names it.
        path: behind `/api/v3/`, or behind `/sapi/v1/`.
        weight: what it counts against the limit.
        rank: how urgent it is.
        is_signed: whether it bears the account's key, time and signature.
        is_sapi: whether it belongs to the part that only the live exchange has.
    """

    method: str
    path: str
    weight: int
    rank: Rank
    is_signed: bool = True
    is_sapi: bool = False


TIME: Final = Call("get", "time", 1, Rank.ORDER, is_signed=False)
RULES: Final = Call("get", "exchangeInfo", 20, Rank.READING, is_signed=False)
PRICE: Final = Call("get", "ticker/price", 2, Rank.READING, is_signed=False)
PRICES: Final = Call("get", "ticker/price", 4, Rank.READING, is_signed=False)
CANDLES: Final = Call("get", "klines", 2, Rank.ORDER, is_signed=False)  # a fill with a fee in BNB waits for it
PLACE: Final = Call("post", "order", 1, Rank.PLACING)
CANCEL: Final = Call("delete", "order", 1, Rank.ORDER)
FIND: Final = Call("get", "order", 4, Rank.ORDER)
FIND_BY_NUMBER: Final = Call("get", "order", 4, Rank.PERIODIC)  # of orders that are not ours, as a rule, and many
TRADES_OF_ORDER: Final = Call("get", "myTrades", 5, Rank.ORDER)
TRADES: Final = Call("get", "myTrades", 20, Rank.PERIODIC)
OPEN_ORDERS: Final = Call("get", "openOrders", 6, Rank.PERIODIC)
ACCOUNT: Final = Call("get", "account", 20, Rank.READING)
COMMISSION: Final = Call("get", "account/commission", 20, Rank.READING)
RESTRICTIONS: Final = Call("get", "account/apiRestrictions", 1, Rank.READING, is_sapi=True)
