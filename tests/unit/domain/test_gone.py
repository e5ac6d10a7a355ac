"""Coins that leave a deal otherwise than by its orders: sold by hand, missing in the account, lost by a reset."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal

import pytest

from dcacore.domain.books import Books, settle
from dcacore.domain.bot import Cure, Phase, Wanted
from dcacore.domain.commands import Forget
from dcacore.domain.deal import Exit
from dcacore.domain.errors import InvalidParameter, NotNow
from dcacore.domain.events import AttentionNeeded, CloseAsSoldRequested, CoinsMissing, Cured, ExchangeReset, Refusal
from dcacore.domain.evolving import evolve
from dcacore.domain.gone import Shortfall
from dcacore.domain.ids import DealId
from dcacore.domain.market import Fees
from dcacore.domain.money import NO_BASE, NO_QUOTE, BaseQty, Price, QuoteAmount
from dcacore.domain.orders import Side
from tests.strategies import strategy
from tests.unit.domain.desk import Desk, described
from tests.unit.domain.test_books import fill
from tests.unit.domain.test_events import closing, in_position, placing_order, stopped

FEES = Fees(fee_maker="0.001", fee_taker="0.001")


# ---------------------------------------------------------------------------------------------------------- the books


def test_what_is_gone_is_held_no_more_and_what_it_brought_is_no_longer_spent() -> None:
    books = Books().with_fill(Side.BUY, fill("100", "2", quote_fee="0.2"))
    books = books.with_gone(BaseQty(Decimal("0.5")), QuoteAmount(Decimal(60))).with_gone(BaseQty(Decimal("0.1")))
    assert (books.net, books.spent, books.cost) == (Decimal("1.4"), Decimal("140.2"), Decimal("200.2"))
    assert not books.sold  # what orders have sold is another matter
    assert not books.proceeds
    assert books.average.rounded() == 100


def test_the_profit_counts_what_the_gone_coins_brought() -> None:
    books = Books().with_fill(Side.BUY, fill("100", "2")).with_gone(BaseQty(Decimal(2)), QuoteAmount(Decimal(190)))
    result = settle(books, NO_BASE, NO_QUOTE)
    assert result.profit == -10
    assert result.cost_of_sold == 200
    assert result.carried.quantity == 0


# ------------------------------------------------------------------------------------------------------- sold by hand


def test_a_deal_that_is_sold_by_hand_takes_its_orders_off_and_is_booked_at_the_users_price() -> None:
    desk = Desk.in_position(strategy(), fees=FEES)
    net = desk.deal.books.net
    desk.see("101")
    desk.close_as_sold("101.123456789")
    assert len(desk.canceled) == 3
    assert desk.placed == []
    desk.cancel_all()
    (deal,) = desk.ended
    assert deal.exit is Exit.SOLD_BY_HAND
    assert deal.books.net == 0
    assert deal.books.gone == net
    assert deal.books.gone_for == net * Decimal("101.123456789")
    assert deal.result is not None
    assert deal.result.profit == net * Decimal("101.123456789") - deal.books.cost
    assert desk.bot.profit == deal.result.profit
    assert not deal.books.sold
    assert not deal.books.proceeds
    assert all(order.side is Side.BUY for order in deal.orders.values())
    assert (desk.bot.deals_closed, desk.bot.wanted, desk.state) == (1, Wanted.RUN, "placing_order")


def test_it_is_told_with_the_price() -> None:
    desk = in_position()
    desk.notes.clear()
    desk.close_as_sold("99.5")
    desk.cancel_all()
    texts = {note.kind: note.text for note in desk.notes}
    assert texts["deal_closing"] == (
        "deal 1 is closed: its user has sold its coins by hand at 99.5, its orders come off"
    )
    assert texts["deal_closed"] == ("deal 1 closed by a sale by hand at 99.5 for 99.5 XYZ after 0 s: profit -0.5 XYZ")


def test_what_fills_while_the_orders_come_off_is_booked_first() -> None:
    desk = in_position()
    first, second = desk.safety_orders
    target = desk.take_profit
    desk.close_as_sold("105")
    desk.fill(first)
    desk.fill(target, "0.25")
    desk.cancel(target)
    desk.cancel(second)
    (deal,) = desk.ended
    assert deal.exit is Exit.SOLD_BY_HAND
    assert deal.books.gone == Decimal("0.75")  # of the one coin that the deal held when its user said so
    assert deal.result is not None
    kept = deal.result.kept
    assert kept.quantity == deal.books.net == first.quantity
    assert deal.result.profit == deal.books.proceeds + deal.books.gone * 105 - deal.books.gross + kept.cost
    assert deal.result.carried.quantity == 0


def test_a_target_that_fills_whole_before_it_comes_off_has_sold_the_deal() -> None:
    desk = in_position()
    desk.close_as_sold("105")
    target = desk.take_profit
    safety = desk.safety_orders
    desk.fill(target)
    for order in safety:
        desk.cancel(order)
    (deal,) = desk.ended
    assert deal.exit is Exit.TAKE_PROFIT
    assert deal.sold_at is None
    assert not deal.books.gone
    assert deal.result is not None
    assert deal.result.profit == 10


@pytest.mark.parametrize("cure", [Cure.USER, Cure.HOLDINGS])
def test_the_trouble_that_the_sale_has_made_ends_with_it(cure: Cure) -> None:
    desk = in_position()
    desk.tell(AttentionNeeded(desk.at, "the account has less", cure=cure))
    desk.close_as_sold("100")
    assert desk.reason() is None
    desk.cancel_all()
    assert desk.ended[0].exit is Exit.SOLD_BY_HAND


def test_a_sale_at_market_that_was_refused_for_want_of_coins_may_be_one_by_hand() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, stop_loss=5))
    desk.see("95")
    desk.cancel_all()
    desk.refuse(desk.placed[0], Refusal.BALANCE, "needs 1 ABC")
    desk.close_as_sold("95.5")
    assert desk.ended[0].exit is Exit.SOLD_BY_HAND
    assert desk.bot.profit == Decimal("-4.5")


@pytest.mark.parametrize("turned", [lambda desk: desk.close_deal(), lambda desk: desk.cancel_deal()])
def test_a_deal_that_was_being_ended_otherwise_may_be_sold_by_hand_but_not_the_other_way(
    turned: Callable[[Desk], None],
) -> None:
    desk = in_position()
    turned(desk)
    desk.close_as_sold("100")
    assert desk.deal.exit is Exit.SOLD_BY_HAND
    with pytest.raises(NotNow, match="being closed already"):
        turned(desk)
    desk.stop(sell=True)  # there is nothing left to sell
    desk.report()
    for order in desk.deal.live_orders:
        desk.cancel(order)
    assert desk.ended[0].exit is Exit.SOLD_BY_HAND
    assert desk.bot.phase is Phase.STOPPED


def test_the_price_may_be_put_right_while_orders_come_off() -> None:
    desk = in_position()
    desk.close_as_sold("1000")
    desk.close_as_sold("100")
    assert desk.asked == ()
    for order in desk.deal.live_orders:
        desk.cancel(order)
    assert desk.ended[0].books.gone_for == 100


def test_during_the_checks_it_is_done_after_them() -> None:
    desk = in_position()
    desk.restart_engine()
    desk.close_as_sold("100")
    assert desk.asked == ()
    desk.ready()
    assert desk.bot.phase is Phase.CLOSING
    desk.cancel_all()
    assert desk.ended[0].books.gone_for == 100


def test_even_dust_may_be_sold_by_hand() -> None:
    desk = in_position()
    desk.see("4")  # too little for the market, not for a user who found somebody
    desk.close_as_sold("3.9")
    desk.cancel_all()
    assert desk.bot.profit == Decimal("-96.1")


@pytest.mark.parametrize(
    ("at", "why"),
    [(stopped, "no open deal"), (placing_order, "base order is not done yet"), (closing, "holds nothing")],
)
def test_without_a_position_nothing_can_have_been_sold(at: Callable[[], Desk], why: str) -> None:
    desk = at()
    with pytest.raises(NotNow, match=why):
        desk.close_as_sold("100")


def test_it_is_refused_for_another_deal() -> None:
    desk = in_position()
    with pytest.raises(NotNow, match="deal bot-7 is not open any more"):
        desk.tell(
            CloseAsSoldRequested(at=desk.at, price=desk.price, sold_at=Price(Decimal(1)), deal_id=DealId("bot-7"))
        )


@pytest.mark.parametrize("written", ["0", "-1", "NaN", "ten", "1e500"])
def test_a_price_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(InvalidParameter, match="sold_at"):
        in_position().close_as_sold(written)


def test_after_it_the_next_deal_takes_nothing_over() -> None:
    desk = in_position()
    desk.close_as_sold("100")
    desk.cancel_all()
    assert described(desk.placed) == []  # the price has not moved since it opened
    desk.retry_due()
    assert described(desk.placed) == [("base", "market", "1")]
    assert desk.deal.books.carried.quantity == 0


# ------------------------------------------------------------------------------------------------- a little is missing


def gone(desk: Desk, quantity: str) -> None:
    desk.tell(CoinsMissing(at=desk.at, price=desk.price, deal_id=desk.deal.id, gone=BaseQty(Decimal(quantity))))


def held_by(*desks: Desk, held: str) -> Shortfall:
    return Shortfall(tuple(desk.deal for desk in desks), Decimal(held))


def test_what_is_missing_is_not_sold_and_the_target_earns_it() -> None:
    desk = in_position()
    desk.notes.clear()
    gone(desk, "0.004")
    desk.cancel_all()
    assert described(desk.placed) == [("take_profit", "110.45", "0.996")]
    assert desk.deal.books.cost == 100
    missing = (
        "0.004 ABC that the deal held are not in the account any more: it sells what is there, and bears their cost"
    )
    assert (desk.notes[0].kind, desk.notes[0].text) == ("coins_missing", missing)
    desk.see("111")
    desk.fill(desk.take_profit)
    desk.cancel_all()
    result = desk.ended[0].result
    assert result is not None
    assert result.profit == Decimal("110.45") * Decimal("0.996") - 100
    assert result.carried.quantity == 0


def test_less_than_a_step_moves_nothing() -> None:
    desk = Desk.in_position(strategy(base_order_size="52.8", max_safety_orders=0), fees=FEES)
    gone(desk, "0.0004")  # of 0.527472
    assert desk.asked == ()
    assert desk.deal.books.gone == Decimal("0.0004")


def test_missing_coins_are_told_of_in_all_so_that_twice_is_once() -> None:
    desk = in_position()
    gone(desk, "0.001")
    gone(desk, "0.003")
    gone(desk, "0.002")  # an older look
    assert desk.deal.books.gone == Decimal("0.003")


def test_missing_coins_of_another_deal_or_of_one_that_is_kept_change_nothing() -> None:
    desk = in_position()
    desk.tell(CoinsMissing(at=desk.at, deal_id=DealId("bot-7"), gone=BaseQty(Decimal("0.1"))))
    desk.cancel_deal()
    gone(desk, "0.1")
    assert not desk.deal.books.gone


def test_an_exit_that_was_refused_sells_what_is_there_once_the_rest_is_written_off() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, stop_loss=5))
    desk.see("95")
    desk.cancel_all()
    desk.refuse(desk.placed[0], Refusal.BALANCE, "needs 1 ABC")
    assert desk.bot.trouble is not None
    assert desk.bot.trouble.cure is Cure.COINS
    gone(desk, "0.002")
    assert desk.asked == ()
    desk.tell(Cured(desk.at, Cure.COINS, desk.price))
    assert described(desk.placed) == [("stop_loss", "market", "0.998")]


def test_a_trail_that_is_armed_stays_armed() -> None:
    desk = Desk.in_position(strategy(max_safety_orders=0, trailing_deviation=1))
    desk.see("111")
    gone(desk, "0.002")
    assert desk.peak() == 111
    assert desk.deal.take_profit_price == Decimal("110.23")
    desk.see("109")
    assert described(desk.placed) == [("take_profit", "market", "0.998")]


@pytest.mark.parametrize(
    ("held", "is_little", "hinders"),
    [("1", True, False), ("0.9999", True, True), ("0.995", True, True), ("0.9949", False, True), ("0", False, True)],
)
def test_a_little_is_half_a_percent(held: str, is_little: bool, hinders: bool) -> None:
    shortfall = held_by(in_position(), held=held)
    assert (shortfall.is_little, shortfall.hinders) == (is_little, hinders)


def test_what_was_borne_before_counts() -> None:
    desk = in_position()
    gone(desk, "0.003")
    assert held_by(desk, held="0.995").is_little
    assert not held_by(desk, held="0.994").is_little


def test_the_oldest_deal_bears_first_and_none_more_than_it_has_not_on_sale() -> None:
    first, second = (Desk.in_position(strategy(max_safety_orders=0, trailing_deviation=1)) for _ in range(2))
    resting = in_position()
    deals = [
        evolve(desk.deal, id=DealId(f"{name}-1"), opened_at=desk.at + datetime.timedelta(seconds=age))
        for name, age, desk in (("young", 2, second), ("old", 1, first), ("oldest", 0, resting))
    ]
    shares = Shortfall(tuple(deals), Decimal("1.9")).shares()
    assert shares == {"old-1": 1, "young-1": Decimal("0.1")}
    assert sum(shares.values()) == Decimal("1.1")


# ------------------------------------------------------------------------------------------------ an emptied testnet


def lost(desk: Desk) -> None:
    desk.tell(ExchangeReset(at=desk.at, price=desk.price, deal_id=desk.deal.id))


def test_a_deal_that_the_exchange_has_forgotten_ends_without_its_coins() -> None:
    desk = Desk.in_position(strategy(), fees=FEES)
    orders = [order.id for order in desk.deal.live_orders]
    held = desk.deal.books.net
    desk.see("101")
    desk.notes.clear()
    lost(desk)
    assert [command.order_id for command in desk.asked if isinstance(command, Forget)] == orders
    assert desk.canceled == []
    (deal,) = desk.ended
    assert deal.exit is Exit.RESET
    assert (deal.books.gone, deal.books.net) == (held, NO_BASE)
    assert deal.result is not None
    assert deal.result.profit == desk.bot.profit == -100
    assert [(note.kind, note.text) for note in desk.notes if note.kind.startswith("deal_")][:1] == [
        ("deal_closed", "deal 1 closed by a reset of the testnet after 0 s: profit -100 XYZ; 0.999 ABC are lost")
    ]
    assert described(desk.placed) == [("base", "market", "0.99")]  # and the bot goes on


@pytest.mark.parametrize("cure", [Cure.USER, Cure.HOLDINGS, Cure.COINS, Cure.TRADING])
def test_the_trouble_that_a_reset_has_made_ends_and_another_stays(cure: Cure) -> None:
    desk = in_position()
    desk.tell(AttentionNeeded(desk.at, "the account has less", cure=cure))
    lost(desk)
    assert desk.ended[0].exit is Exit.RESET
    assert (desk.reason() is None) is (cure is not Cure.TRADING)


def test_a_reset_during_the_checks_ends_the_deal_after_them() -> None:
    desk = in_position()
    desk.restart_engine()
    lost(desk)
    assert desk.deal.live_orders == ()
    desk.ready()
    assert desk.ended[0].exit is Exit.RESET
    assert desk.ended[0].books.gone == 1


def test_while_an_order_is_on_its_way_nothing_is_given_up() -> None:
    desk = Desk.started(strategy())
    desk.fill(desk.placed[0])  # its safety orders and its target have not been answered yet
    lost(desk)
    assert desk.asked == ()
    assert desk.deal.exit is None
    opening = placing_order()
    lost(opening)
    assert opening.deal.exit is None


def test_an_exit_at_market_that_has_not_gone_out_is_lost_too() -> None:
    desk = in_position()
    desk.close_deal()
    lost(desk)
    assert desk.ended[0].exit is Exit.RESET


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda desk: desk.cancel_deal(), Exit.CANCEL),
        (lambda desk: desk.close_as_sold("90"), Exit.SOLD_BY_HAND),
        (lambda desk: desk.fill(desk.take_profit), Exit.TAKE_PROFIT),
    ],
)
def test_a_deal_that_was_settled_before_the_reset_ends_as_it_would_have(
    end: Callable[[Desk], None], reason: Exit
) -> None:
    desk = in_position()
    end(desk)
    lost(desk)
    assert desk.ended[0].exit is reason


def test_another_deal_is_not_lost() -> None:
    desk = in_position()
    desk.tell(ExchangeReset(at=desk.at, price=desk.price, deal_id=DealId("bot-7")))
    assert desk.deal.exit is None
    assert desk.asked == ()
