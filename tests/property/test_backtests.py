"""What holds for every backtest, whatever the bot and the market."""

from __future__ import annotations

import datetime
import itertools
from decimal import Decimal
from fractions import Fraction

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcacore.adapters.simulated import MatchingCore, Path, Wallet
from dcacore.adapters.simulated.candle_ticks import to_ticks
from dcacore.backtest.player import EPOCH, Player
from dcacore.backtest.report import BacktestReport
from dcacore.backtest.run import backtest
from dcacore.domain.bot import Bot
from dcacore.domain.commands import Cancel, Place
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.engine import decide
from dcacore.domain.events import Event, PriceSeen, Ready, Report, Reported, RetryDue, StartRequested
from dcacore.domain.market import Fees
from dcacore.domain.money import Price
from dcacore.domain.orders import Side
from dcacore.domain.watch import Retry, watches
from dcacore.ports.candles import Candles
from tests.property.live import check_sums
from tests.strategies import Setting, candles_from, new_bot, settings_to_trade

PATHS = st.sampled_from(list(Path))


@attrs.frozen
class Run:
    """A setting and candles to play it over."""

    setting: Setting
    candles: Candles


@st.composite
def runs(draw: st.DrawFn, /, most: int = 60, **fixed: object) -> Run:
    setting = draw(settings_to_trade(**fixed))
    return Run(setting, draw(candles_from(setting, most)))


def played(run: Run, path: Path, balance: Decimal | None = None, slippage: str = "0") -> BacktestReport:
    setting = run.setting
    return backtest(
        setting.strategy,
        setting.market,
        setting.fees,
        run.candles,
        path=path,
        balance=balance,
        slippage=slippage,
    )


def deals_of(report: BacktestReport) -> list[Deal]:
    """All deals of a run, the open one last."""
    closed = [deal.deal for deal in report.deals]
    return closed + ([report.open_deal.deal] if report.open_deal is not None else [])


# ------------------------------------------------------------------------------------------------------------- money


@given(run=runs(), path=PATHS, worth=st.sampled_from([2, 5, 10**6]), slippage=st.sampled_from(["0", "0.003"]))
def test_no_cent_is_lost_between_the_wallet_and_the_report(run: Run, path: Path, worth: int, slippage: str) -> None:
    setting = run.setting
    market, balance = setting.market, setting.strategy.base_order_size * worth
    player = Player(
        bot=new_bot(setting.strategy, market, setting.fees),
        candles=to_ticks(run.candles, market),
        core=MatchingCore(
            market=market,
            fees=setting.fees,
            wallet=Wallet.holding({market.quote_asset: balance}),
            slippage=Decimal(slippage),
            at=EPOCH,
        ),
        path=path,
    )
    player.play(lambda _: None)
    wallet = player.core.wallet
    report = played(run, path, balance, slippage)
    open_spent = report.open_deal.spent if report.open_deal is not None else Decimal(0)
    open_net = report.open_deal.net if report.open_deal is not None else Decimal(0)
    quote = wallet.free(market.quote_asset) + wallet.locked(market.quote_asset)
    assert quote - balance == report.profit - report.carried.cost - open_spent
    base = wallet.free(market.base_asset) + wallet.locked(market.base_asset)
    assert base == report.carried.quantity + open_net
    assert report.profit == sum(deal.profit for deal in report.deals)
    assert wallet.free(market.quote_asset) >= 0
    assert wallet.locked(market.quote_asset) == player.core.reserved_quote


@given(run=runs(), path=PATHS)
def test_orders_and_books_are_the_sums_of_their_fills(run: Run, path: Path) -> None:
    for deal in deals_of(played(run, path)):
        check_sums(deal)


@given(run=runs(), path=PATHS)
def test_no_more_is_sold_than_is_held_at_any_moment(run: Run, path: Path) -> None:
    for deal in deals_of(played(run, path)):
        held = Decimal(deal.books.carried.quantity)
        fills = [(int(fill.trade_id), order.side, fill) for order in deal.orders.values() for fill in order.fills]
        for _, side, fill in sorted(fills, key=lambda known: known[0]):
            held += fill.quantity - fill.base_fee if side is Side.BUY else -fill.quantity
            assert held >= 0
        assert held == deal.books.net


@given(
    run=runs(trailing_deviation="0", take_profit_net=True),
    path=PATHS,
    rate=st.sampled_from(["0", "0.001", "0.0033333", "0.02"]),
    asset=st.sampled_from(["received", "quote"]),
)
def test_a_net_take_profit_never_loses(run: Run, path: Path, rate: str, asset: str) -> None:
    fees = Fees(fee_maker=rate, fee_taker=rate, fee_asset=asset)
    report = played(Run(attrs.evolve(run.setting, fees=fees), run.candles), path)
    assert all(deal.profit > 0 for deal in report.deals if deal.reason is Exit.TAKE_PROFIT)


@given(run=runs(), path=PATHS)
def test_a_second_run_says_the_same(run: Run, path: Path) -> None:
    assert played(run, path) == played(run, path)


@given(run=runs(), path=PATHS)
def test_a_chain_of_deals_hands_its_dust_on(run: Run, path: Path) -> None:
    report = played(run, path)
    deals = deals_of(report)
    for one, following in itertools.pairwise(deals):
        assert one.result is not None
        assert following.books.carried == one.result.carried
        assert following.number > one.number


@given(run=runs(), path=PATHS)
def test_the_drawdown_is_that_of_the_plain_curve(run: Run, path: Path) -> None:
    report = played(run, path)
    deepest = peak = Fraction(0)
    for open_time, close in zip(run.candles.open_time.tolist(), run.candles.close.tolist(), strict=True):
        now = EPOCH + datetime.timedelta(milliseconds=open_time)
        worth = standing(report, now, Fraction(str(close)))
        peak = max(peak, worth)
        deepest = max(deepest, peak - worth)
    assert Fraction(report.statistics.max_drawdown) == deepest


def standing(report: BacktestReport, now: datetime.datetime, close: Fraction) -> Fraction:
    """Profit so far plus what the open deal is worth over what it has spent, from the fills alone."""
    worth = Fraction(0)
    for deal in deals_of(report):
        if deal.closed_at is not None and deal.closed_at <= now:
            assert deal.result is not None
            worth += Fraction(deal.result.profit)
        elif deal.opened_at <= now:
            worth -= Fraction(deal.books.carried.cost)
            held = Fraction(deal.books.carried.quantity)
            for order in deal.orders.values():
                for fill in order.fills:
                    if fill.at > now:
                        continue
                    sign = 1 if order.side is Side.BUY else -1
                    held += sign * Fraction(fill.quantity) - Fraction(fill.base_fee)
                    worth -= sign * Fraction(fill.notional) + Fraction(fill.quote_fee)
            worth += held * close
    return worth


# ------------------------------------------------------------------------------------------------ live, tick by tick


@attrs.define
class Tape:
    """A bot that hears every single tick of a market, and an exchange that answers at once."""

    bot: Bot
    core: MatchingCore
    ended: list[Deal] = attrs.field(factory=list)

    def hear(self, event: Event) -> None:
        """Let the bot decide, and carry out what it asks for until it is content."""
        while True:
            decision = decide(self.bot, event)
            self.bot = decision.bot
            if decision.ended is not None:
                self.ended.append(decision.ended)
            if not decision.commands:
                break
            reports: list[Report] = []
            for command in decision.commands:
                match command:
                    case Place(order):
                        reports.extend(self.core.place(order))
                    case Cancel(order_id):
                        reports.extend(self.core.cancel(order_id))
            event = Reported(self.core.at, self.core.price, tuple(reports))
        self.check_watches()

    def check_watches(self) -> None:
        """No level is at the price or beyond it."""
        watch, price = watches(self.bot), self.core.price
        assert price is not None
        assert watch.falls_to is None or watch.falls_to < price
        assert watch.rises_to is None or watch.rises_to > price
        assert watch.peak is None or watch.peak >= price
        assert watch == watches(self.bot)

    def tick(self, price: Price) -> None:
        """The price moves by one tick; where nothing is watched, nothing may happen."""
        watch, before = watches(self.bot), self.bot
        reports = self.core.move_to(price)
        if reports:
            self.hear(Reported(self.core.at, price, reports))
            return
        self.hear(PriceSeen(self.core.at, price))
        is_watched = (
            (watch.falls_to is not None and price <= watch.falls_to)
            or (watch.rises_to is not None and price >= watch.rises_to)
            or (watch.peak is not None and price > watch.peak)
            or (watch.at is not None and self.core.at >= watch.at)
        )
        if not is_watched:
            deal = before.deal
            moved = deal is not None and (deal.has_moved or price != deal.opened_price)
            expected = deal if deal is None else attrs.evolve(deal, has_moved=moved)
            assert self.bot == attrs.evolve(before, price=price, deal=expected)

    def jump(self, price: Price) -> None:
        """The next candle opens."""
        watch = watches(self.bot)
        reports = self.core.move_to(price)
        if reports:
            self.hear(Reported(self.core.at, price, reports))
        elif watch.retry is not Retry.NEVER:
            self.hear(RetryDue(self.core.at, price))
        else:
            self.hear(PriceSeen(self.core.at, price))


def heard(run: Run) -> Tape:
    """Play the candles tick by tick, high first."""
    setting, candles = run.setting, run.candles
    market = setting.market
    ticks = to_ticks(candles, market)
    core = MatchingCore(
        market=market,
        fees=setting.fees,
        wallet=Wallet.holding({market.quote_asset: Decimal(10) ** 12}),
        at=EPOCH,
        price=setting.price,
    )
    tape = Tape(new_bot(setting.strategy, market, setting.fees), core)
    tape.hear(StartRequested(core.at, setting.price))
    tape.hear(Ready(core.at, setting.price))
    for index in range(len(candles)):
        if index:
            core.at = EPOCH + datetime.timedelta(milliseconds=int(ticks.open_time[index]))
            tape.jump(Price(int(ticks.open[index]) * market.tick_size))
        now = int(ticks.open[index])
        for corner in (int(ticks.high[index]), int(ticks.low[index]), int(ticks.close[index])):
            while now != corner:
                now += 1 if corner > now else -1
                tape.tick(Price(now * market.tick_size))
    return tape


def outcome(deal: Deal) -> tuple[object, ...]:
    """What a deal comes to, whatever its bot is called."""
    orders = [
        (order.role, order.price, order.quantity, order.state, order.filled, [fill.price for fill in order.fills])
        for order in deal.orders.values()
    ]
    return (deal.number, deal.opened_at, deal.closed_at, deal.exit, deal.books, deal.result, orders)


@settings(max_examples=60)
@given(run=runs(most=10))
def test_a_bot_that_hears_every_tick_does_what_the_backtest_says(run: Run) -> None:
    tape = heard(run)
    report = played(run, Path.HIGH_FIRST)
    ended = tape.ended + ([tape.bot.deal] if tape.bot.deal is not None else [])
    assert [outcome(deal) for deal in ended] == [outcome(deal) for deal in deals_of(report)]
    assert tape.bot.profit == report.profit
    assert tape.bot.carried == report.carried


@pytest.mark.prove
@settings(max_examples=2_000)
@given(run=runs(most=40))
def test_a_bot_that_hears_every_tick_of_a_long_market_does_too(run: Run) -> None:
    test_a_bot_that_hears_every_tick_does_what_the_backtest_says.hypothesis.inner_test(run)  # type: ignore[attr-defined]
