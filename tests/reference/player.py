"""A second backtest, written from the text of the rules alone, to check the real one against.

It is slow and plain on purpose: every number is an exact ``Fraction``, one object is changed in place, candle by
candle and order by order, and the methods bear the names of the sentences they act out. It shares no code with the
engine it judges and must stay that way: a rule misread in one place should not be misread in the other by inheritance.

Section numbers in the comments are those of the page of rules ("The DCA strategy and how a backtest plays it"). A
comment that begins with "Reading:" marks a place where that page leaves room, and says which reading this player takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

ZERO = Fraction(0)
ONE = Fraction(1)
HUNDRED = Fraction(100)
EIGHT_DECIMALS = Fraction(1, 10**8)

CandleRow = tuple[int, str, str, str, str]
"""Open time in milliseconds, open, high, low, close."""


# ---------------------------------------------------------------------------------------------------------- roundings


def floor_onto(grid: Fraction, value: Fraction) -> Fraction:
    """Return *value* rounded down onto the multiples of *grid*: ``floor_tick`` and ``floor_step``."""
    return floor(value / grid) * grid


def ceil_onto(grid: Fraction, value: Fraction) -> Fraction:
    """Return *value* rounded up onto the multiples of *grid*: ``ceil_tick`` and ``ceil_step``."""
    return ceil(value / grid) * grid


def down8(value: Fraction) -> Fraction:
    """Return *value*, which is never negative here, rounded towards zero at 8 decimals."""
    return floor_onto(EIGHT_DECIMALS, value)


def half_even8(value: Fraction) -> Fraction:
    """Return *value* rounded half-even to 8 decimals (``round`` of a ``Fraction`` is half-even)."""
    return round(value / EIGHT_DECIMALS) * EIGHT_DECIMALS


def plain(value: Fraction) -> str:
    """Return *value* in plain decimal notation, exactly: no exponent, no trailing zeros, no ``-0``.

    Raises:
        ValueError: *value* is no finite decimal, so it should have been rounded first.
    """
    decimals, rest = 0, value.denominator
    while rest % 10 == 0:
        rest, decimals = rest // 10, decimals + 1
    while rest % 2 == 0:
        rest, decimals = rest // 2, decimals + 1
    while rest % 5 == 0:
        rest, decimals = rest // 5, decimals + 1
    if rest != 1:
        message = f"{value} is not a finite decimal"
        raise ValueError(message)
    digits = str(abs(value.numerator) * 10**decimals // value.denominator).rjust(decimals + 1, "0")
    whole, fraction = digits[: len(digits) - decimals], digits[len(digits) - decimals :].rstrip("0")
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


# ------------------------------------------------------------------------------------------------------------- inputs


class Bot:
    """The parameters of section 1, under the names of the bot file."""

    def __init__(self, strategy: Mapping[str, str | int | bool]) -> None:
        def number(name: str, default: str | None = None) -> Fraction:
            value = strategy.get(name, default)
            assert value is not None, name
            return Fraction(str(value))

        def truth(name: str, default: bool) -> bool:
            return str(strategy.get(name, default)).lower() == "true"

        def word(name: str, default: str) -> str:
            return str(strategy.get(name, default))

        self.base_order_size = number("base_order_size")
        self.max_safety_orders = int(number("max_safety_orders"))
        # A bot without safety orders may leave out what only they need.
        self.safety_order_size = number("safety_order_size", "0")
        self.price_deviation = number("price_deviation", "1")
        self.safety_order_volume_scale = number("safety_order_volume_scale", "1")
        self.safety_order_step_scale = number("safety_order_step_scale", "1")
        self.take_profit = number("take_profit")
        self.take_profit_type = word("take_profit_type", "total")
        self.take_profit_net = truth("take_profit_net", default=True)
        self.trailing_deviation = number("trailing_deviation", "0")
        self.stop_loss = number("stop_loss", "0")
        self.stop_loss_basis = word("stop_loss_basis", "base")
        self.active_safety_orders = int(number("active_safety_orders", str(self.max_safety_orders)))
        self.ladder_reference = word("ladder_reference", "fill")
        self.quantity_rounding = word("quantity_rounding", "down")
        self.cooldown_ms = number("cooldown", "0") * 1000
        self.auto_restart = truth("auto_restart", default=True)
        self.max_deals = int(number("max_deals", "0"))


class Rules:
    """What the market and the account prescribe: grids, minimums and fee rates."""

    def __init__(self, market: Mapping[str, str], fees: Mapping[str, str]) -> None:
        self.pair = market.get("pair") or market.get("base_asset", "") + market.get("quote_asset", "")
        self.tick_size = Fraction(market["tick_size"])
        self.step_size = Fraction(market["step_size"])
        self.min_notional = Fraction(market["min_notional"])
        self.min_quantity = Fraction(market.get("min_quantity", market["step_size"]))
        self.fee_maker = Fraction(fees.get("fee_maker", "0.001"))
        self.fee_taker = Fraction(fees.get("fee_taker", "0.001"))
        self.fee_asset = fees.get("fee_asset", "received")

    def floor_tick(self, price: Fraction) -> Fraction:
        return floor_onto(self.tick_size, price)

    def ceil_tick(self, price: Fraction) -> Fraction:
        return ceil_onto(self.tick_size, price)

    def floor_step(self, quantity: Fraction) -> Fraction:
        return floor_onto(self.step_size, quantity)

    def ceil_step(self, quantity: Fraction) -> Fraction:
        return ceil_onto(self.step_size, quantity)

    def buy_fee_in_quote(self, price: Fraction, quantity: Fraction, rate: Fraction) -> Fraction:
        """Section 3: only with ``fee_asset = quote`` does a buy pay quote."""
        return down8(price * quantity * rate) if self.fee_asset == "quote" else ZERO

    def buy_fee_in_base(self, quantity: Fraction, rate: Fraction) -> Fraction:
        """Section 3: only with ``fee_asset = received`` does a buy pay base."""
        return down8(quantity * rate) if self.fee_asset == "received" else ZERO

    def sell_fee_in_quote(self, price: Fraction, quantity: Fraction, rate: Fraction) -> Fraction:
        """Section 3: a sell pays quote, whatever the fee asset."""
        return down8(price * quantity * rate)

    def is_too_small(self, price: Fraction, quantity: Fraction) -> bool:
        """Zero price or quantity, or below the market's minimum quantity or notional at *price*."""
        if price <= 0 or quantity <= 0:
            return True
        return quantity < self.min_quantity or price * quantity < self.min_notional


@dataclass
class Candle:
    open_time: int
    open: Fraction
    high: Fraction
    low: Fraction
    close: Fraction


# ---------------------------------------------------------------------------------------------------------- the books


@dataclass
class SafetyOrder:
    price: Fraction
    quantity: Fraction


@dataclass
class Deal:
    """The books of an open deal (section 4) and what rests for it."""

    opened_at: int
    spent: Fraction  # includes the carried cost from the start
    net: Fraction  # includes the carried quantity from the start
    gross: Fraction = ZERO  # sum(price * quantity) over this deal's buys
    quantity: Fraction = ZERO  # sum(quantity) over this deal's buys
    base_price: Fraction = ZERO
    base_gross: Fraction = ZERO  # the base order's price * quantity
    base_quote_fee: Fraction = ZERO
    reference_price: Fraction = ZERO  # P0
    safety_orders_filled: int = 0
    safety_orders_left: list[SafetyOrder] = field(default_factory=list)  # of the ladder, not placed yet
    resting_buys: list[SafetyOrder] = field(default_factory=list)
    resting_sell: Fraction | None = None  # the limit price; its quantity is always `sellable`
    take_profit_price: Fraction = ZERO
    peak: Fraction | None = None  # None while the trail is not armed
    lacks_funds: bool = False  # the last try to rest safety orders ended because one did not fit
    price_has_moved: bool = False  # since the deal opened


@dataclass
class ClosedDeal:
    opened_at: int
    closed_at: int
    base_price: Fraction
    safety_orders: int
    spent: Fraction
    sold: Fraction
    exit_price: Fraction
    profit: Fraction
    reason: str


# --------------------------------------------------------------------------------------------------------- the player


class Player:
    """One bot on one run of candles; `play_all` plays it, `report` says what came of it."""

    def __init__(
        self,
        bot: Bot,
        rules: Rules,
        *,
        path: str = "nearest",
        slippage: Fraction = ZERO,
        balance: Fraction | None = None,
        tick_by_tick: bool = False,
    ) -> None:
        self.bot = bot
        self.rules = rules
        self.path = path
        self.slippage = slippage
        self.balance = balance
        self.tick_by_tick = tick_by_tick  # stop at every tick of a leg: slower still, and the same to the last digit

        self.now = 0  # every event inside a candle bears the candle's open_time
        self.price = ZERO  # the current price: the last trade's
        self.deal: Deal | None = None
        self.closed_deals: list[ClosedDeal] = []
        self.next_start_at = ZERO  # no deal starts before
        self.has_stopped = False

        self.carried_quantity = ZERO
        self.carried_cost = ZERO
        self.paid = ZERO
        self.received = ZERO
        self.fees_quote = ZERO
        self.fees_base = ZERO
        self.profit = ZERO

        self.max_funds = ZERO
        # Reading: the peak that a drawdown falls from is 0 before the first candle.
        self.equity_peak = ZERO
        self.max_drawdown = ZERO
        self.candles: list[Candle] = []

    # ------------------------------------------------------------------------------ section 6: how candles are played

    def play_all(self, candles: Sequence[Candle]) -> None:
        for candle in candles:
            self.play_candle(candle)

    def play_candle(self, candle: Candle) -> None:
        self.now = candle.open_time
        self.candles.append(candle)
        if len(self.candles) == 1:
            # The first deal starts at the first candle's open.
            self.price = candle.open
            self.start_a_deal()
        else:
            self.the_price_jumps_to(candle.open)
        for corner in self.corners_after_the_open(candle):
            self.the_price_moves_to(corner)
        self.note_the_drawdown(candle.close)

    def corners_after_the_open(self, candle: Candle) -> Iterator[Fraction]:
        if self.path == "nearest":
            high_first = candle.high - candle.open <= candle.open - candle.low
        else:
            high_first = self.path == "high_first"
        if high_first:
            yield candle.high
            yield candle.low
        else:
            yield candle.low
            yield candle.high
        yield candle.close

    def the_price_becomes(self, price: Fraction) -> None:
        deal = self.deal
        if deal is not None:
            if price != self.price:
                deal.price_has_moved = True
            if deal.peak is not None and price > deal.peak:
                deal.peak = price  # the highest price since the trail was armed
        self.price = price

    def the_price_jumps_to(self, price: Fraction) -> None:
        self.the_price_becomes(price)
        deal = self.deal
        if deal is None:
            # The end of a cooldown, a deal that closed before the price had moved, a base order that was too small or
            # did not fit: each waits for a candle's open.
            if self.now >= self.next_start_at:
                self.start_a_deal()
            return

        # All resting orders that the new price has reached or passed fill first, at their own limit prices.
        if deal.resting_sell is not None and price >= deal.resting_sell:
            self.sell_everything(deal.resting_sell, self.rules.fee_maker, "take_profit")
            return
        some_buy_filled = self.fill_the_resting_buys_that_the_price_reached()

        # Then the bot acts once for all of them, at the new price. Reading: a bot that waits for funds tries again at
        # this moment, as part (a) of the same acting, and so before stop loss and trailing exit are tested at the
        # open.
        if some_buy_filled or deal.lacks_funds:
            self.the_bot_acts()
            if self.deal is not deal:
                return

        # Then stop loss, trailing exit and arming are tested at the new price.
        if self.test_the_stop_loss():
            return
        if self.test_the_trailing_exit():
            return
        self.test_the_arming()

    def the_price_moves_to(self, corner: Fraction) -> None:
        self.meet_what_stands_at_this_price()  # the price where a leg begins is met too
        while self.price != corner:
            self.the_price_becomes(self.next_price_towards(corner))
            self.meet_what_stands_at_this_price()

    def next_price_towards(self, corner: Fraction) -> Fraction:
        """Return the nearest price on the way at which anything could be met, else the corner itself.

        Stopping where nothing happens does no harm, so this need not know which price matters in which direction.
        """
        if self.tick_by_tick:
            return self.price + (self.rules.tick_size if self.price < corner else -self.rules.tick_size)
        if self.price < corner:
            return min([price for price in self.prices_that_matter() if self.price < price < corner], default=corner)
        return max([price for price in self.prices_that_matter() if corner < price < self.price], default=corner)

    def prices_that_matter(self) -> list[Fraction]:
        deal = self.deal
        if deal is None:
            return []
        prices = [buy.price for buy in deal.resting_buys]
        if deal.resting_sell is not None:
            prices.append(deal.resting_sell)
        if self.bot.stop_loss > 0:
            prices.append(self.stop_loss_price(deal))
        if self.bot.trailing_deviation > 0:
            prices.append(deal.take_profit_price)
        if deal.peak is not None:
            prices.append(self.trailing_exit_price(deal.peak))
        # Reading: an exit held back because `sellable` is worth too little acts as soon as a leg, in either direction,
        # reaches a price at which it is worth enough while still at or below the exit price.
        if self.sellable(deal) > 0:
            prices.append(self.rules.ceil_tick(self.rules.min_notional / self.sellable(deal)))
        return prices

    def meet_what_stands_at_this_price(self) -> None:
        """All buys at the price first, then the bot acts once, then the stop loss, then sells."""
        deal = self.deal
        if deal is None:
            return
        if self.fill_the_resting_buys_that_the_price_reached():
            self.the_bot_acts()
            if self.deal is not deal:
                return
        if self.test_the_stop_loss():
            return
        if deal.resting_sell is not None and self.price >= deal.resting_sell:
            self.sell_everything(deal.resting_sell, self.rules.fee_maker, "take_profit")
            return
        if self.test_the_trailing_exit():
            return
        self.test_the_arming()

    def fill_the_resting_buys_that_the_price_reached(self) -> bool:
        """Fill them whole, as makers, at their own limit prices, from the highest down; say whether there was one."""
        deal = self.the_open_deal()
        reached = [buy for buy in deal.resting_buys if self.price <= buy.price]
        for buy in sorted(reached, key=lambda order: order.price, reverse=True):
            deal.resting_buys.remove(buy)
            self.book_a_buy(buy.price, buy.quantity, self.rules.fee_maker)
            deal.safety_orders_filled += 1
            self.note_the_funds_tied_up()
        return bool(reached)

    # -------------------------------------------------------------------------------------- section 5: how a bot acts

    def start_a_deal(self) -> None:
        """Rule 5.1; does nothing when the bot has stopped, or when the base order is too small or does not fit."""
        if self.has_stopped:
            return
        wanted = self.bot.base_order_size / self.price  # the current price, before slippage
        quantity = self.rules.ceil_step(wanted) if self.bot.quantity_rounding == "up" else self.rules.floor_step(wanted)
        # Reading: a base order below the market's minimum quantity, or below its minimum notional at the current
        # price before slippage, is treated like one that rounds to zero: no deal starts, and the next candle's open
        # tries again.
        if self.rules.is_too_small(self.price, quantity):
            return
        fill_price = self.rules.ceil_tick(self.price * (ONE + self.slippage))
        if not self.fits(fill_price, quantity, self.rules.fee_taker):
            return

        # While a deal is open the carried amounts sit in it and the bot's own carried amounts are 0.
        self.deal = deal = Deal(opened_at=self.now, spent=self.carried_cost, net=self.carried_quantity)
        self.carried_cost = ZERO
        self.carried_quantity = ZERO
        self.book_a_buy(fill_price, quantity, self.rules.fee_taker)
        deal.base_price = fill_price
        deal.base_gross = fill_price * quantity
        deal.base_quote_fee = self.rules.buy_fee_in_quote(fill_price, quantity, self.rules.fee_taker)
        base_fee = self.rules.buy_fee_in_base(quantity, self.rules.fee_taker)
        if self.bot.ladder_reference == "cost":
            deal.reference_price = (deal.base_gross + deal.base_quote_fee) / (quantity - base_fee)
        else:
            deal.reference_price = fill_price
        deal.safety_orders_left = self.ladder(deal.reference_price)
        self.note_the_funds_tied_up()
        self.the_bot_acts()

    def the_bot_acts(self) -> None:
        """Rule 5.2: after buy fills, in this order."""
        self.rest_safety_orders()  # (a)
        if self.test_the_stop_loss():  # (b)
            return
        self.recompute_the_take_profit_price()  # (c)
        if self.bot.trailing_deviation == 0:
            self.rest_one_limit_sell()
        else:
            self.test_the_arming()

    def rest_safety_orders(self) -> None:
        deal = self.the_open_deal()
        deal.lacks_funds = False
        while deal.safety_orders_left and len(deal.resting_buys) < self.bot.active_safety_orders:
            order = deal.safety_orders_left[0]
            # A buy at or above the market has been passed already: it fills at once, whole, at the current price
            # without slippage, as a taker. Reading: what it costs, for the test of funds, is what it will cost so.
            fills_at_once = order.price >= self.price
            price = self.price if fills_at_once else order.price
            rate = self.rules.fee_taker if fills_at_once else self.rules.fee_maker
            if not self.fits(price, order.quantity, rate):
                # Orders are tried in ladder order, and the first that does not fit ends the try. Reading: the next
                # try is at the next candle's open, or when a buy fill makes the bot act before that.
                deal.lacks_funds = True
                return
            deal.safety_orders_left.pop(0)
            if fills_at_once:
                self.book_a_buy(price, order.quantity, rate)
                deal.safety_orders_filled += 1
            else:
                deal.resting_buys.append(order)
            self.note_the_funds_tied_up()

    def recompute_the_take_profit_price(self) -> None:
        deal = self.the_open_deal()
        deal.take_profit_price = self.take_profit_price(deal)

    def rest_one_limit_sell(self) -> None:
        deal = self.the_open_deal()
        deal.resting_sell = None  # cancel and replace the one before
        # Reading: a limit sell, at once or resting, must be worth the minimum notional at its limit price.
        if not self.can_sell_at(deal.take_profit_price):
            return
        if deal.take_profit_price <= self.price:
            # Passed already: fills at once, whole, at the current price without slippage, as a taker.
            self.sell_everything(self.price, self.rules.fee_taker, "take_profit")
            return
        deal.resting_sell = deal.take_profit_price

    def test_the_arming(self) -> None:
        """Rule 5.3: price at or above the take-profit price arms the trail."""
        deal = self.the_open_deal()
        if self.bot.trailing_deviation > 0 and deal.peak is None and self.price >= deal.take_profit_price:
            deal.peak = self.price

    def test_the_trailing_exit(self) -> bool:
        """Rule 5.3; say whether it sold. What is too little to sell leaves the trail armed, to be tested again."""
        deal = self.the_open_deal()
        if deal.peak is None or self.price > self.trailing_exit_price(deal.peak):
            return False
        return self.sell_at_market("trailing_take_profit")

    def test_the_stop_loss(self) -> bool:
        """Rule 5.4; say whether it sold."""
        deal = self.the_open_deal()
        if self.bot.stop_loss == 0 or self.price > self.stop_loss_price(deal):
            return False
        return self.sell_at_market("stop_loss")

    def sell_at_market(self, reason: str) -> bool:
        # Reading: worth is measured at the current price, before slippage.
        if not self.can_sell_at(self.price):
            return False
        self.sell_everything(self.rules.floor_tick(self.price * (ONE - self.slippage)), self.rules.fee_taker, reason)
        return True

    def sell_everything(self, price: Fraction, rate: Fraction, reason: str) -> None:
        """Sell `sellable` at *price*, book the deal (section 4) and see to the next one (rule 5.6)."""
        deal = self.the_open_deal()
        sellable = self.sellable(deal)
        proceeds = price * sellable
        fee = self.rules.sell_fee_in_quote(price, sellable, rate)
        self.received += proceeds - fee
        self.fees_quote += fee

        self.carried_quantity = deal.net - sellable
        self.carried_cost = down8(deal.spent * self.carried_quantity / deal.net)
        cost_of_sold = deal.spent - self.carried_cost
        profit = proceeds - fee - cost_of_sold
        self.profit += profit
        self.closed_deals.append(
            ClosedDeal(
                opened_at=deal.opened_at,
                closed_at=self.now,
                base_price=deal.base_price,
                safety_orders=deal.safety_orders_filled,
                spent=deal.spent,
                sold=sellable,
                exit_price=price,
                profit=profit,
                reason=reason,
            )
        )
        self.deal = None  # and with it every order that still rests

        if not self.bot.auto_restart or len(self.closed_deals) == self.bot.max_deals:
            self.has_stopped = True
        self.next_start_at = self.now + self.bot.cooldown_ms
        # With no cooldown the next deal starts at once, at the market price of that moment, unless this one closed
        # before the price had moved since it opened: then the next candle's open starts it.
        # Reading: a jump from a close to a different open is a movement; an open that equals the close is none.
        if self.bot.cooldown_ms == 0 and deal.price_has_moved:
            self.start_a_deal()

    # --------------------------------------------------------------------------------------- sections 2 to 4: numbers

    def ladder(self, reference_price: Fraction) -> list[SafetyOrder]:
        """Section 2, without the safety orders that are never placed."""
        orders = []
        step = self.bot.price_deviation
        deviation = ZERO
        size = self.bot.safety_order_size
        for _ in range(self.bot.max_safety_orders):
            deviation += step
            price = self.rules.floor_tick(reference_price * (ONE - deviation / HUNDRED))
            if price > 0:
                up = self.bot.quantity_rounding == "up"
                quantity = self.rules.ceil_step(size / price) if up else self.rules.floor_step(size / price)
                if not self.rules.is_too_small(price, quantity):
                    orders.append(SafetyOrder(price, quantity))
            step *= self.bot.safety_order_step_scale
            size *= self.bot.safety_order_volume_scale
        return orders

    def book_a_buy(self, price: Fraction, quantity: Fraction, rate: Fraction) -> None:
        deal = self.the_open_deal()
        quote_fee = self.rules.buy_fee_in_quote(price, quantity, rate)
        base_fee = self.rules.buy_fee_in_base(quantity, rate)
        deal.gross += price * quantity
        deal.quantity += quantity
        deal.spent += price * quantity + quote_fee
        deal.net += quantity - base_fee
        deal.peak = None  # a buy fill disarms the trail
        self.paid += price * quantity + quote_fee
        self.fees_quote += quote_fee
        self.fees_base += base_fee

    def sellable(self, deal: Deal) -> Fraction:
        return self.rules.floor_step(deal.net)

    def can_sell_at(self, price: Fraction) -> bool:
        """Whether `sellable` is neither 0 nor worth less than the minimum notional at *price*.

        Reading: below the market's minimum quantity it cannot be sold either.
        """
        return not self.rules.is_too_small(price, self.sellable(self.the_open_deal()))

    def take_profit_price(self, deal: Deal) -> Fraction:
        of_total = self.bot.take_profit_type == "total"
        share = self.bot.take_profit / HUNDRED
        if self.bot.take_profit_net:
            cost = deal.spent if of_total else deal.base_gross + deal.base_quote_fee
            fee = self.rules.fee_taker if self.bot.trailing_deviation > 0 else self.rules.fee_maker
            return self.rules.ceil_tick((deal.spent + share * cost) / (deal.net * (ONE - fee)))
        cost = deal.gross if of_total else deal.base_gross
        return self.rules.ceil_tick((deal.gross + share * cost) / deal.quantity)

    def stop_loss_price(self, deal: Deal) -> Fraction:
        basis = deal.gross / deal.quantity if self.bot.stop_loss_basis == "average" else deal.reference_price
        return self.rules.floor_tick(basis * (ONE - self.bot.stop_loss / HUNDRED))

    def trailing_exit_price(self, peak: Fraction) -> Fraction:
        return self.rules.floor_tick(peak * (ONE - self.bot.trailing_deviation / HUNDRED))

    # ---------------------------------------------------------------------------------------------------------- funds

    def reserved_by_resting_buys(self) -> Fraction:
        # Reading: a resting buy reserves its price * quantity and, where buys pay their fee in quote, the maker fee.
        if self.deal is None:
            return ZERO
        return sum(
            (
                buy.price * buy.quantity + self.rules.buy_fee_in_quote(buy.price, buy.quantity, self.rules.fee_maker)
                for buy in self.deal.resting_buys
            ),
            ZERO,
        )

    def fits(self, price: Fraction, quantity: Fraction, rate: Fraction) -> bool:
        """Whether a buy's cost, fee in quote and slippage included, is not above what is free."""
        if self.balance is None:
            return True
        free = self.balance - self.paid + self.received - self.reserved_by_resting_buys()
        return price * quantity + self.rules.buy_fee_in_quote(price, quantity, rate) <= free

    def note_the_funds_tied_up(self) -> None:
        # Reading: `max_funds` looks at every moment, so after each placing and each fill; `spent` has the carried
        # cost in it.
        self.max_funds = max(self.max_funds, self.the_open_deal().spent + self.reserved_by_resting_buys())

    def note_the_drawdown(self, close: Fraction) -> None:
        # Reading: between two deals what the bot carries counts for nothing; inside a deal it counts in its net.
        equity = self.profit + (self.unrealized(self.deal, close) if self.deal is not None else ZERO)
        self.equity_peak = max(self.equity_peak, equity)
        self.max_drawdown = max(self.max_drawdown, self.equity_peak - equity)

    def unrealized(self, deal: Deal, price: Fraction) -> Fraction:
        return deal.net * price - deal.spent

    def the_open_deal(self) -> Deal:
        assert self.deal is not None
        return self.deal

    # --------------------------------------------------------------------------------------------------------- report

    def report(self) -> dict[str, object]:
        return {
            "pair": self.rules.pair,
            "engine": "exact",
            "candles": len(self.candles),
            "from_ms": self.candles[0].open_time,
            "to_ms": self.candles[-1].open_time,  # Reading: the last candle's open time, not its end
            "deals": [self.report_closed(deal) for deal in self.closed_deals],
            "open_deal": self.report_open(self.deal) if self.deal is not None else None,
            "profit": plain(self.profit),
            "carried_quantity": plain(self.carried_quantity),
            "carried_cost": plain(self.carried_cost),
            # Reading: all that the whole run was charged, the open deal's buys included.
            "fees_quote": plain(self.fees_quote),
            "fees_base": plain(self.fees_base),
            "statistics": self.report_statistics(),
            "_cash": {"paid": plain(self.paid), "received": plain(self.received)},
        }

    def report_closed(self, deal: ClosedDeal) -> dict[str, object]:
        return {
            "opened_at": deal.opened_at,
            "closed_at": deal.closed_at,
            "base_price": plain(deal.base_price),
            "safety_orders": deal.safety_orders,
            # Reading: all that the deal spent, the carried cost that came in included and none that goes out taken
            # off.
            "spent": plain(deal.spent),
            "sold": plain(deal.sold),
            "exit_price": plain(deal.exit_price),
            "profit": plain(deal.profit),
            "reason": deal.reason,
        }

    def report_open(self, deal: Deal) -> dict[str, object]:
        return {
            "opened_at": deal.opened_at,
            "base_price": plain(deal.base_price),
            "safety_orders": deal.safety_orders_filled,
            "spent": plain(deal.spent),
            "net": plain(deal.net),
            # Reading: stated even while the trail or dust keeps a sell from resting there.
            "take_profit_price": plain(deal.take_profit_price),
            "unrealized": plain(self.unrealized(deal, self.candles[-1].close)),
        }

    def report_statistics(self) -> dict[str, object]:
        deals = self.closed_deals
        # Reading: filled ones, over the closed deals and the open one.
        safety_orders = [deal.safety_orders for deal in deals]
        if self.deal is not None:
            safety_orders.append(self.deal.safety_orders_filled)
        durations = [Fraction(deal.closed_at - deal.opened_at, 1000) for deal in deals]
        wins = sum(1 for deal in deals if deal.profit > 0)
        return {
            "win_rate": plain(half_even8(Fraction(wins, len(deals)) * HUNDRED)) if deals else "0",
            # Reading: both are whole seconds, the average half-even.
            "average_duration_s": round(sum(durations, ZERO) / len(durations)) if durations else 0,
            "longest_duration_s": round(max(durations)) if durations else 0,
            "most_safety_orders": max(safety_orders, default=0),
            "max_funds": plain(self.max_funds),
            "max_drawdown": plain(self.max_drawdown),
            "buy_and_hold": plain(half_even8(self.buy_and_hold())),
            "return_on_max_funds": plain(half_even8(self.profit / self.max_funds * HUNDRED)) if self.max_funds else "0",
        }

    def buy_and_hold(self) -> Fraction:
        # Reading: no step rounding and no cut of the fee at 8 decimals; the sum bought with has to cover a fee in
        # quote.
        first_open, last_close = self.candles[0].open, self.candles[-1].close
        if self.rules.fee_asset == "quote":
            bought = self.max_funds / (first_open * (ONE + self.rules.fee_taker))
        else:
            bought = self.max_funds * (ONE - self.rules.fee_taker) / first_open
        return bought * last_close - self.max_funds


def read_candles(rows: Sequence[CandleRow]) -> list[Candle]:
    return [
        Candle(open_time, Fraction(opened), Fraction(high), Fraction(low), Fraction(closed))
        for open_time, opened, high, low, closed in rows
    ]


def play(
    strategy: dict[str, str | int | bool],
    market: dict[str, str],
    fees: dict[str, str],
    candles: list[CandleRow],
    *,
    path: str = "nearest",
    slippage: str = "0",
    balance: str | None = None,
) -> dict[str, object]:
    """Return what ``dca backtest --json`` prints for this bot on these candles, and the cash flow under ``_cash``.

    The inputs are taken to be valid; nothing is refused here.
    """
    player = Player(
        Bot(strategy),
        Rules(market, fees),
        path=path,
        slippage=Fraction(slippage),
        balance=None if balance is None else Fraction(balance),
    )
    player.play_all(read_candles(candles))
    return player.report()
