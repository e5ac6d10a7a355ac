"""A closed deal in the few numbers that statistics are made of."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Final

import attrs

from dcacore.domain.books import Books, Result
from dcacore.domain.ids import BotId, DealId
from dcacore.domain.money import HUNDRED, QuoteAmount, Quotient, exact

SPREAD_EDGES: Final = tuple(
    map(Decimal, ("-50", "-20", "-10", "-5", "-2", "-1", "0", "0.5", "1", "1.5", "2", "3", "5", "10", "20"))
)
"""Where the buckets meet into which deals are counted by their profit in percent of what was spent on what was sold.

The first bucket lies below the first edge, the last begins at the last one; a deal on an edge counts above it.
"""
NO_SPREAD: Final = (0,) * (len(SPREAD_EDGES) + 1)
_SECOND: Final = datetime.timedelta(seconds=1)


@attrs.frozen(kw_only=True)
class ClosedDeal:
    """What came of a deal.

    Attributes:
        deal_id: which deal.
        bot_id: whose.
        opened_at: when it was opened.
        closed_at: when it ended.
        profit: what it brought, in quote.
        cost: what was spent on what it sold, in quote.
        volume: bought and sold, fees not counted, in quote.
        fees_quote: fees in quote.
        fees_base: fees in base.
        fees_valued: both in quote, those in base at the deal's average price, half-even at 8 decimals.
    """

    deal_id: DealId
    bot_id: BotId
    opened_at: datetime.datetime
    closed_at: datetime.datetime
    profit: QuoteAmount
    cost: QuoteAmount
    volume: QuoteAmount
    fees_quote: Decimal
    fees_base: Decimal
    fees_valued: QuoteAmount

    @property
    def duration_s(self) -> int:
        """How long it was open, in whole seconds."""
        return (self.closed_at - self.opened_at) // _SECOND

    @property
    @exact
    def tied(self) -> Decimal:
        """The cost times the seconds for which it was bound, at most: as if all had been bought at the beginning."""
        return self.cost * self.duration_s

    @property
    @exact
    def bucket(self) -> int:
        """Into which of the buckets between `SPREAD_EDGES` it falls."""
        if self.cost <= 0:  # nothing was spent: only the sign says anything
            return SPREAD_EDGES.index(Decimal(0)) + (self.profit >= 0)
        return sum([self.profit * HUNDRED >= edge * self.cost for edge in SPREAD_EDGES])


@exact
def closed_deal(
    deal_id: DealId,
    bot_id: BotId,
    times: tuple[datetime.datetime, datetime.datetime],
    books: Books,
    result: Result,
) -> ClosedDeal:
    """Return the numbers of a deal that was open from the first to the second of *times*."""
    opened_at, closed_at = times
    fees_quote = Decimal(books.buy_fees + books.sell_fees)
    valued = Quotient(books.gross * books.base_fees, books.bought).rounded() if books.bought else Decimal(0)
    return ClosedDeal(
        deal_id=deal_id,
        bot_id=bot_id,
        opened_at=opened_at,
        closed_at=closed_at,
        profit=result.profit,
        cost=result.cost_of_sold,
        volume=QuoteAmount(books.gross + books.proceeds),
        fees_quote=fees_quote,
        fees_base=Decimal(books.base_fees),
        fees_valued=QuoteAmount(fees_quote + valued),
    )
