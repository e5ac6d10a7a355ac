"""What an account pays on a pair, as the exchange tells it."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from dcacore.adapters.binance.reading import Row, number_in, row_of
from dcacore.domain.market import Fees
from dcacore.domain.money import ZERO, exact

_KINDS: Final = ("standardCommission", "specialCommission", "taxCommission")


@exact
def fees_of(answer: Row) -> Fees:
    """Return the fees of one pair, without the discount for paying in BNB, which lasts only while there is BNB.

    Where buyers and sellers pay differently the higher rate is taken.

    Raises:
        Unreadable: the answer has no rates.
    """
    parts = [row_of(answer[kind]) for kind in _KINDS if answer.get(kind) is not None]
    if not parts:
        parts = [row_of(answer.get("standardCommission"))]
    sides = sum((max(_rate(part, "buyer"), _rate(part, "seller")) for part in parts), ZERO)
    return Fees(
        fee_maker=sum((_rate(part, "maker") for part in parts), ZERO) + sides,
        fee_taker=sum((_rate(part, "taker") for part in parts), ZERO) + sides,
    )


def _rate(part: Row, name: str) -> Decimal:
    return number_in(part, name)
