"""The books of a deal: what it bought, sold, paid and carried, and what follows from that."""

from __future__ import annotations

import attrs

from dcacore.domain.evolving import evolve
from dcacore.domain.money import NO_BASE, NO_QUOTE, BaseQty, QuoteAmount, Quotient
from dcacore.domain.orders import Fill, Side


@attrs.frozen(kw_only=True)
class Carried:
    """What a bot's last deal could not sell, and what of its cost went with it."""

    quantity: BaseQty = NO_BASE
    cost: QuoteAmount = NO_QUOTE


NOTHING_CARRIED = Carried()


@attrs.frozen(kw_only=True, slots=False)  # see `evolving`
class Books:
    """Sums over the fills of one deal.

    Attributes:
        carried: what the deal took over from the one before.
        bought: base bought, fees not taken off.
        gross: price x quantity over all buys.
        base_fees: fees of buys that were kept in base.
        buy_fees: fees of buys in quote.
        sold: base sold.
        proceeds: price x quantity over all sells.
        sell_fees: fees of sells in quote.
        gone: base that has left otherwise than by an order of the deal, such as by a sale by hand.
        gone_for: what that has brought, in quote; 0 unless its user has said what.
    """

    carried: Carried = NOTHING_CARRIED
    bought: BaseQty = NO_BASE
    gross: QuoteAmount = NO_QUOTE
    base_fees: BaseQty = NO_BASE
    buy_fees: QuoteAmount = NO_QUOTE
    sold: BaseQty = NO_BASE
    proceeds: QuoteAmount = NO_QUOTE
    sell_fees: QuoteAmount = NO_QUOTE
    gone: BaseQty = NO_BASE
    gone_for: QuoteAmount = NO_QUOTE

    @property
    def cost(self) -> QuoteAmount:
        """All that the deal has spent: buys, their fees in quote, and the carried cost."""
        return QuoteAmount(self.gross + self.buy_fees + self.carried.cost)

    @property
    def spent(self) -> QuoteAmount:
        """What the deal has spent less what its sells, and what is gone, have brought in so far."""
        return QuoteAmount(self.cost - self.proceeds + self.sell_fees - self.gone_for)

    @property
    def net(self) -> BaseQty:
        """The base the deal holds."""
        return BaseQty(self.bought - self.base_fees + self.carried.quantity - self.sold - self.gone)

    @property
    def average(self) -> Quotient:
        """The average price of the buys; ask only after one."""
        return Quotient(self.gross, self.bought)

    def with_fill(self, side: Side, fill: Fill) -> Books:
        """Return the books with *fill* added."""
        if side is Side.BUY:
            return evolve(
                self,
                bought=BaseQty(self.bought + fill.quantity),
                gross=QuoteAmount(self.gross + fill.notional),
                base_fees=BaseQty(self.base_fees + fill.base_fee),
                buy_fees=QuoteAmount(self.buy_fees + fill.quote_fee),
            )
        return evolve(
            self,
            sold=BaseQty(self.sold + fill.quantity),
            proceeds=QuoteAmount(self.proceeds + fill.notional),
            sell_fees=QuoteAmount(self.sell_fees + fill.quote_fee),
        )

    def with_gone(self, quantity: BaseQty, proceeds: QuoteAmount = NO_QUOTE) -> Books:
        """Return the books with *quantity* base gone that no order of the deal has sold, for *proceeds* quote."""
        gone, gone_for = BaseQty(self.gone + quantity), QuoteAmount(self.gone_for + proceeds)
        return evolve(self, gone=gone, gone_for=gone_for)


@attrs.frozen(kw_only=True)
class Result:
    """How a deal ended.

    Attributes:
        profit: proceeds less sell fees, and what the gone coins brought, less the cost of what was sold, in quote.
        cost_of_sold: what the deal spent less what goes on to the next deal with the carried quantity.
        carried: the remainder that could not be sold and goes on to the next deal.
        kept: the remainder that goes to the user, who ended the deal and keeps the coins; below 0 when more was sold
            than the deal held, so that the user's own coins went with it.
    """

    profit: QuoteAmount
    cost_of_sold: QuoteAmount
    carried: Carried
    kept: Carried = NOTHING_CARRIED


def settle(books: Books, last_sold: BaseQty, last_proceeds: QuoteAmount) -> Result:
    """Return the result of a deal whose last sell sold *last_sold* for *last_proceeds*, its fee taken off.

    The carried cost is the share of what had been spent, less what earlier sells brought, that falls on the base
    which the last sell left over, cut at 8 decimals. Nothing is rounded away: what is not cost of sold is carried.
    """
    held, spent = books.net + last_sold, books.spent + last_proceeds
    left = books.net
    cost = QuoteAmount(Quotient(spent * left, held).down8()) if left > 0 else NO_QUOTE
    cost_of_sold = QuoteAmount(books.cost - cost)
    profit = QuoteAmount(books.proceeds - books.sell_fees + books.gone_for - cost_of_sold)
    return Result(profit=profit, cost_of_sold=cost_of_sold, carried=Carried(quantity=left, cost=cost))
