"""A live bot under any order of ticks, fills, cancels, answers, refusals, restarts and wishes of its user.

Whatever happens, it never sells more than it holds, never loses an order, and its books are the exchange's. Once all is
said and done, what rests is what the rules want.
"""

from __future__ import annotations

import contextlib
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dcacore.domain.bot import Bot, Phase, TroubleKind, Wanted
from dcacore.domain.deal import Deal
from dcacore.domain.errors import InvalidParameter, NotNow
from dcacore.domain.events import (
    AddFundsRequested,
    AttentionNeeded,
    CancelDealRequested,
    CloseDealRequested,
    EditBotRequested,
    EditDealRequested,
    Event,
    Filled,
    PauseRequested,
    Refusal,
    RetryDue,
    RetryRequested,
    StartRequested,
    StopRequested,
)
from dcacore.domain.ladder import build_ladder
from dcacore.domain.limits import Band, Bound, Limits
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Order, OrderState, Role, Side
from dcacore.domain.strategy import StopLossBasis, TakeProfitType
from dcacore.domain.watch import Retry, watches
from tests.property.live import Live, check_sums
from tests.strategies import Setting, settings_to_trade

PLENTY = Decimal(10) ** 9


class BotMachine(RuleBasedStateMachine):
    """One bot, one exchange, and everything that can come between them."""

    live: Live

    @initialize(
        setting=settings_to_trade(),
        orders_worth=st.sampled_from([10**6, 10**6, 10**6, 3, 1]),
        runs=st.sampled_from([True, True, True, False]),
    )
    def begin(self, setting: Setting, orders_worth: int, runs: bool) -> None:
        self.live = Live.of(setting, setting.strategy.base_order_size * orders_worth + setting.price)
        self.live.tell(StartRequested(self.live.core.at, setting.price))
        if runs:
            self.live.ready()
            self.live.settle()

    # ------------------------------------------------------------------------------------------------- the market

    def _go_to(self, ticks: int) -> None:
        self.live.move_to(Price(max(2, ticks) * self.live.core.market.tick_size))

    @property
    def _ticks(self) -> int:
        return int(self.live.price / self.live.core.market.tick_size)

    @rule(move=st.integers(-3, 3))
    def the_price_ticks(self, move: int) -> None:
        self._go_to(self._ticks + move)

    @rule(percent=st.integers(-12, 12))
    def the_price_jumps(self, percent: int) -> None:
        self._go_to(self._ticks + self._ticks * percent // 100)

    @precondition(lambda self: self.live.core.resting)
    @rule(which=st.integers(0, 20))
    def the_price_comes_to_an_order(self, which: int) -> None:
        resting = self.live.core.resting
        price = resting[which % len(resting)].price
        assert price is not None
        self.live.move_to(price)

    @precondition(lambda self: self.live.core.resting)
    @rule(which=st.integers(0, 20), share=st.sampled_from(["0.01", "0.3", "0.5", "0.99", "1"]))
    def an_order_fills_in_part(self, which: int, share: str) -> None:
        core = self.live.core
        order = core.resting[which % len(core.resting)]
        steps = max(1, floor(Fraction(order.quantity) * Fraction(share) / Fraction(core.market.step_size)))
        self.live.inbox.extend(core.fill_in_part(order.id, BaseQty(steps * core.market.step_size)))

    @precondition(lambda self: self.live.core.best_sell is not None)
    @rule(share=st.sampled_from(["0.01", "0.5", "0.99"]))
    def the_take_profit_fills_in_part(self, share: str) -> None:
        sells = [place for place, order in enumerate(self.live.core.resting) if order.side is Side.SELL]
        self.an_order_fills_in_part(sells[0], share)

    @precondition(lambda self: self.live.cancels)
    @rule(which=st.integers(0, 20), share=st.sampled_from(["0.01", "0.5", "1"]), overtakes=st.booleans())
    def an_order_fills_before_its_cancel_comes_through(self, which: int, share: str, overtakes: bool) -> None:
        order_id = self.live.cancels[which % len(self.live.cancels)]
        place = [order.id for order in self.live.core.resting].index(order_id)
        before = len(self.live.inbox)
        self.an_order_fills_in_part(place, share)
        while order_id in self.live.cancels:
            self.live.send_next()
        if overtakes:
            self.live.inbox[before:] = reversed(self.live.inbox[before:])

    @precondition(lambda self: self.live.core.resting)
    @rule(which=st.integers(0, 20))
    def somebody_else_cancels_an_order(self, which: int) -> None:
        core = self.live.core
        self.live.inbox.extend(core.cancel(core.resting[which % len(core.resting)].id))

    @precondition(lambda self: self.live.core.resting)
    @rule(which=st.integers(0, 20))
    def an_order_fills_and_all_goes_well(self, which: int) -> None:
        self.the_price_comes_to_an_order(which)
        self.live.settle()

    @rule(percent=st.integers(-12, 12))
    def the_price_jumps_and_all_goes_well(self, percent: int) -> None:
        self.the_price_jumps(percent)
        self.live.settle()

    @rule(seconds=st.sampled_from([1, 4, 5, 60, 120]))
    def time_passes(self, seconds: int) -> None:
        self.live.pass_time(seconds)

    # ------------------------------------------------------------------------------------------- what is on the wire

    @precondition(lambda self: self.live.outbox)
    @rule(count=st.integers(1, 8))
    def commands_go_out(self, count: int) -> None:
        while count and self.live.outbox:
            self.live.send_next()
            count -= 1

    @precondition(lambda self: self.live.outbox)
    @rule(arrives=st.booleans())
    def an_answer_is_lost(self, arrives: bool) -> None:
        self.live.lose_next(arrives=arrives)

    @precondition(lambda self: self.live.unanswered)
    @rule()
    def the_exchange_is_asked_for_a_lost_order(self) -> None:
        self.live.resolve(next(iter(self.live.unanswered)))

    @precondition(lambda self: self.live.outbox)
    @rule(refusal=st.sampled_from([Refusal.BALANCE, Refusal.RULE, Refusal.HALTED, Refusal.HELD]))
    def an_order_is_refused(self, refusal: Refusal) -> None:
        self.live.refuse_next(refusal)

    @rule(width=st.sampled_from([None, "0.5", "0.8", "0.95"]), share=st.sampled_from([None, "0.5", "2"]))
    def the_exchange_limits_orders(self, width: str | None, share: str | None) -> None:
        bot, market = self.live.bot, self.live.core.market
        band = None if width is None else Band("PERCENT_PRICE", Decimal(width), 2 - Decimal(width))
        most = None if share is None else bot.strategy.base_order_size / self.live.price * Decimal(share)
        bound = None if most is None else Bound("MARKET_LOT_SIZE", max(most, 10 * market.step_size))
        self.live.limit(Limits(buys=band, sells=band, market_quantity=bound))

    @precondition(lambda self: self.live.outbox)
    @rule(share=st.sampled_from(["0", "0.4", "0.99"]))
    def a_market_order_expires(self, share: str) -> None:
        self.live.expire_next(Decimal(share))

    @precondition(lambda self: self.live.inbox)
    @rule(which=st.integers(0, 20))
    def a_report_arrives(self, which: int) -> None:
        self.live.deliver(which)

    @precondition(lambda self: self.live.inbox)
    @rule()
    def all_reports_arrive(self) -> None:
        self.live.deliver_all()

    @precondition(lambda self: self.live.delivered)
    @rule(which=st.integers(0, 200))
    def a_report_arrives_again(self, which: int) -> None:
        self.live.deliver_again(which)

    # ------------------------------------------------------------------------------------------- user and engine

    @rule(wish=st.sampled_from(["start", "start", "pause", "sell", "keep", "retry", "attention", "engine", "halt"]))
    def somebody_interferes(self, wish: str) -> None:
        at, price = self.live.core.at, self.live.price
        if wish == "engine":
            self.live.restart_engine()
            return
        if wish == "halt":
            self.live.core.is_halted = True
            return
        events: dict[str, Any] = {
            "start": StartRequested(at, price),
            "pause": PauseRequested(at, price),
            "sell": StopRequested(at, price, sell=True),
            "keep": StopRequested(at, price, sell=False),
            "retry": RetryRequested(at, price),
            "attention": AttentionNeeded(at, "the books differ", price),
        }
        self.live.tell(events[wish])

    def _ask(self, event: Event) -> None:
        """Let the user ask for something; what cannot be done now is refused, and changes nothing."""
        with contextlib.suppress(NotNow, InvalidParameter):
            self.live.tell(event)

    @rule(close=st.booleans())
    def the_user_ends_the_deal(self, close: bool) -> None:
        at, price = self.live.core.at, self.live.price
        self._ask(CloseDealRequested(at, price) if close else CancelDealRequested(at, price))

    @rule(share=st.sampled_from(["0.01", "0.5", "1", "3"]))
    def the_user_adds_funds(self, share: str) -> None:
        amount = self.live.bot.strategy.base_order_size * Decimal(share)
        self._ask(AddFundsRequested(at=self.live.core.at, price=self.live.price, amount=amount))

    @rule(
        take_profit=st.sampled_from([None, None, "0.3", "4"]),
        stop_loss=st.sampled_from([None, None, "0", "3"]),
        trailing_deviation=st.sampled_from([None, None, "0", "1"]),
        max_safety_orders=st.sampled_from([None, None, 0, 1, 3, 6]),
        active_safety_orders=st.sampled_from([None, None, 0, 1, 2]),
    )
    def the_user_edits_the_deal(self, **changes: Any) -> None:
        self._ask(EditDealRequested(at=self.live.core.at, price=self.live.price, **changes))

    @rule(take_profit=st.sampled_from(["0.3", "4"]), count=st.integers(0, 4))
    def the_user_edits_the_bot(self, take_profit: str, count: int) -> None:
        old = self.live.bot.strategy
        new = attrs.evolve(old, take_profit=take_profit, active_safety_orders=None, max_safety_orders=count)
        self._ask(EditBotRequested(at=self.live.core.at, price=self.live.price, strategy=new))

    @rule(tick=st.sampled_from([1, 2, 10]), step=st.sampled_from([1, 10]), least=st.sampled_from(["0", "0.7", "3"]))
    def the_exchange_changes_its_rules(self, tick: int, step: int, least: str) -> None:
        market = self.live.core.market
        if market.step_size < Decimal("0.000001") or market.tick_size < Decimal("0.0001"):
            tick = step = 1
        finer_step = market.step_size / step
        self.live.change_rules(
            attrs.evolve(
                market,
                tick_size=market.tick_size / tick,
                step_size=finer_step,
                min_quantity=finer_step,
                min_notional=Decimal(least) * market.step_size * self.live.price,
            )
        )

    @rule()
    def a_backup_is_made(self) -> None:
        self.live.backup = self.live.bot

    @precondition(lambda self: self.live.may_restore())
    @rule()
    def the_backup_is_restored(self) -> None:
        self.live.restore()

    @precondition(lambda self: watches(self.live.bot).retry is not Retry.NEVER)
    @rule()
    def what_it_waits_for_may_have_come(self) -> None:
        self.live.tell(RetryDue(self.live.core.at, self.live.price))

    @precondition(lambda self: self.live.bot.phase is Phase.STARTING)
    @rule()
    def the_checks_are_done(self) -> None:
        self.live.ready()

    @precondition(lambda self: self.live.bot.trouble is not None or self.live.bot.wanted is not Wanted.RUN)
    @rule()
    def the_user_puts_it_right(self) -> None:
        self.live.core.is_halted = False
        self.live.settle()
        self.live.tell(RetryRequested(self.live.core.at, self.live.price))
        self.live.tell(StartRequested(self.live.core.at, self.live.price))

    @rule()
    def all_comes_to_rest(self) -> None:
        self.live.core.is_halted = False
        self.live.settle()
        if not self.live.is_limited:  # what is held back has not come to its place yet
            check_rest(self.live)

    # ------------------------------------------------------------------------------------------- what always holds

    @invariant()
    def it_never_sells_more_than_it_holds(self) -> None:
        deal = self.live.bot.deal
        if deal is not None:
            sells = [order for order in deal.live_orders if order.side is Side.SELL]
            if deal.id in self.live.was_other:  # one that was found on the exchange may have to be taken off yet
                return
            assert len(sells) <= 1
            assert sum(order.remaining for order in sells) <= deal.books.net

    @invariant()
    def every_order_on_the_exchange_is_known_to_the_deal(self) -> None:
        deal = self.live.bot.deal
        for resting in self.live.core.resting:
            assert deal is not None, f"{resting.id} rests without a deal"
            assert deal.orders[resting.id].is_live, f"{resting.id} rests, and the deal thinks it is over"

    @invariant()
    def every_order_of_the_deal_was_asked_for_once(self) -> None:
        deal = self.live.bot.deal
        if deal is not None:
            for order in deal.orders.values():
                asked = self.live.placed[order.id]
                assert (order.side, order.role, order.price) == (asked.side, asked.role, asked.price)
            rungs = [order.rung for order in deal.orders.values() if order.role is Role.SAFETY and counts(order)]
            if deal.id not in self.live.was_other:
                assert len(rungs) == len(set(rungs)), f"safety orders {rungs}"

    @invariant()
    def quantities_are_sums_of_fills(self) -> None:
        for deal in deals(self.live):
            check_sums(deal)

    @invariant()
    def its_books_are_the_exchanges(self) -> None:
        if not any(isinstance(report, Filled) for report in self.live.inbox):
            check_wallet(self.live)

    def teardown(self) -> None:
        """With the market open, money in the account and the user's blessing, every bot comes to rest."""
        if not hasattr(self, "live"):
            return
        live = self.live
        live.core.is_halted = False
        live.core.wallet.add(live.core.market.quote_asset, PLENTY)
        live.began_with += PLENTY
        live.limit(None)
        live.settle()
        for event in (RetryRequested(live.core.at, live.price), StartRequested(live.core.at, live.price)):
            live.tell(event)
            live.settle()
        live.ready()
        live.settle()
        assert live.bot.trouble is None or live.bot.trouble.kind is not TroubleKind.WAITING_FOR_BALANCE
        check_rest(live)
        check_wallet(live)
        live.tell(StopRequested(live.core.at, live.price, sell=False))
        live.settle()
        if live.bot.trouble is None:
            assert live.bot.phase is Phase.STOPPED
            assert live.core.resting == ()
        check_wallet(live)


def deals(live: Live) -> list[Deal]:
    """All deals that ever were, the open one last."""
    return live.ended + ([live.bot.deal] if live.bot.deal is not None else [])


def check_wallet(live: Live) -> None:
    """What the account holds is what the deals say; no cent is lost between profits and what is carried."""
    core, bot = live.core, live.bot
    quote = core.wallet.free(core.market.quote_asset) + core.wallet.locked(core.market.quote_asset)
    base = core.wallet.free(core.market.base_asset) + core.wallet.locked(core.market.base_asset)
    every = [deal.books for deal in deals(live)]
    spent = sum((b.gross + b.buy_fees - b.proceeds + b.sell_fees for b in every), Decimal(0))
    assert quote == live.began_with - spent
    assert base == sum(b.bought - b.base_fees - b.sold for b in every)

    results = [deal.result for deal in live.ended if deal.result is not None]
    assert bot.profit == sum(result.profit for result in results)
    kept = [result.kept for result in results]
    kept_cost = sum((carried.cost for carried in kept), Decimal(0))
    open_spent = bot.deal.books.spent if bot.deal is not None else Decimal(0)
    assert quote - live.began_with == bot.profit - bot.carried.cost - open_spent - kept_cost
    open_net = bot.deal.books.net if bot.deal is not None else Decimal(0)
    assert base == bot.carried.quantity + open_net + sum(carried.quantity for carried in kept)


def check_rest(live: Live) -> None:
    """All is said and done: what rests is what the rules want of a bot in this phase."""
    bot, core = live.bot, live.core
    deal = bot.deal
    known = {order.id for order in deal.live_orders} if deal is not None else set()
    assert {order.id for order in core.resting} == known
    if bot.trouble is not None and bot.trouble.kind is not TroubleKind.WAITING_FOR_BALANCE:
        return
    match bot.phase:
        case Phase.STARTING:
            pass
        case Phase.STOPPED | Phase.MONITORING:
            assert deal is None
            assert core.resting == ()
            if bot.phase is Phase.MONITORING and bot.wanted is Wanted.RUN:
                waits = bot.resume_at is not None and core.at < bot.resume_at
                assert waits or bot.awaits_price or bot.trouble is not None
        case Phase.IN_POSITION:
            assert deal is not None
            check_buys(bot, deal, is_plain=deal.id not in live.was_other)
            check_exit(deal, live.price, is_plain=deal.id not in live.was_other)
        case Phase.PLACING_ORDER | Phase.CLOSING:
            message = f"a bot at rest is {bot.phase.value}"
            raise AssertionError(message)


def counts(order: Order) -> bool:
    """Say whether a safety order uses its rung up: one that its deal took off before anything filled does not."""
    return order.is_live or bool(order.filled) or not order.is_cancelling


def check_buys(bot: Bot, deal: Deal, *, is_plain: bool) -> None:
    """As many safety orders rest as may, nearest first, each at its own place."""
    used = [order for order in deal.orders.values() if order.role is Role.SAFETY and counts(order)]
    resting = sum(order.is_live for order in used)
    assert resting <= deal.strategy.resting_limit or not is_plain
    assert deal.reference is not None
    assert deal.rungs == build_ladder(deal.strategy, deal.market, deal.reference).rungs
    assert all(deal.rungs[rung.number - 1] == rung for rung in deal.waiting)
    if bot.trouble is None and (resting or is_plain):  # else one that did not fit waits for its place
        assert resting >= min(deal.strategy.resting_limit, resting + len(deal.waiting))
    if not is_plain:
        return
    for order in used:
        if order.rung <= len(deal.rungs):
            rung = deal.rungs[order.rung - 1]
            assert (order.price, order.quantity) == (rung.price, rung.quantity)
    if bot.trouble is None:
        numbers = {order.rung for order in used if order.rung <= len(deal.rungs)}
        assert numbers.isdisjoint(rung.number for rung in deal.waiting)
        # A deal that was sold out and got coins late goes on without further safety orders.
        is_whole = len(numbers) + len(deal.waiting) == len(deal.rungs)
        assert is_whole or deal.books.sold


def check_exit(deal: Deal, price: Price, *, is_plain: bool) -> None:
    """The exit is where the formulas of the rules put it, worked out here with fractions.

    Where rules or limits have changed under the deal, what rested before stays, and a target that the market has left
    behind is sold at as near to it as an order may be.
    """
    strategy, market, books = deal.strategy, deal.market, deal.books
    tick, step = Fraction(market.tick_size), Fraction(market.step_size)
    sells = [order for order in deal.live_orders if order.side is Side.SELL]
    base_order = deal.base_order
    assert base_order is not None
    net, spent = Fraction(books.net), Fraction(books.spent)
    gross, bought = Fraction(books.gross), Fraction(books.bought)
    sellable = floor(net / step) * step

    def can_sell_at(at: Fraction) -> bool:
        return (
            sellable > 0
            and sellable >= Fraction(market.min_quantity)
            and at * sellable >= Fraction(market.min_notional)
        )

    if strategy.stop_loss:
        basis = gross / bought if strategy.stop_loss_basis is StopLossBasis.AVERAGE else None
        if basis is None:
            assert deal.reference is not None
            basis = Fraction(deal.reference.numerator) / Fraction(deal.reference.denominator)
        stop = floor(basis * (1 - Fraction(strategy.stop_loss) / 100) / tick) * tick
        assert deal.stop_loss_price == stop
        assert Fraction(price) > stop or not can_sell_at(Fraction(price))
    is_total = strategy.take_profit_type is TakeProfitType.TOTAL
    if strategy.take_profit_net:
        rate = Fraction(deal.fees.fee_taker if strategy.trailing_deviation else deal.fees.fee_maker)
        outlay, held = spent, net * (1 - rate)
        base_cost = Fraction(base_order.notional + base_order.quote_fee)
    else:
        outlay, held, base_cost = gross, bought, Fraction(base_order.notional)
    raw = (outlay + Fraction(strategy.take_profit) / 100 * (outlay if is_total else base_cost)) / held
    assert deal.take_profit_price is not None
    target = Fraction(deal.take_profit_price)
    if not books.sold:  # it moves with buys alone: what a sell brings in part counts from the next buy on
        assert target == ceil(raw / tick) * tick
    assert target > 0
    assert deal.retarget_at is None
    if strategy.trailing_deviation:
        assert sells == []
    elif can_sell_at(target):
        (order,) = sells
        assert order.role is Role.TAKE_PROFIT
        assert order.price == target or (not is_plain and order.price is not None and order.price > target)
        assert order.remaining == sellable
        assert order.state is OrderState.OPEN
    else:
        # What is left of a sell that filled in part goes on resting, small as it is.
        assert all(order.filled or not is_plain for order in sells)
        assert all(order.price == target and order.remaining == sellable for order in sells)


TestBot = BotMachine.TestCase
TestBot.settings = settings(max_examples=120, stateful_step_count=40)


@pytest.mark.prove
def test_a_bot_withstands_long_histories() -> None:
    run_state_machine_as_test(BotMachine, settings=settings(max_examples=4_000, stateful_step_count=120))
