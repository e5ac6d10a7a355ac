"""One exchange account: the events of its orders, its funds, its rate limit and its key, for all of its bots."""

from __future__ import annotations

import asyncio
import datetime
from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from dcacore.application.engine.patience import Hold, PatientExchange
from dcacore.application.engine.runner import Ended, Runner
from dcacore.application.engine.surroundings import Surroundings, Tasks, log
from dcacore.domain.bot import Cure
from dcacore.domain.commands import Place
from dcacore.domain.engine import decide
from dcacore.domain.events import AttentionNeeded, Cured, RetryDue, RulesRead
from dcacore.domain.ids import BotId, OrderId, parse_order_id
from dcacore.domain.intents import Intent
from dcacore.domain.limits import Limits
from dcacore.domain.market import FeeAsset, Fees
from dcacore.domain.money import ZERO, exact, plain
from dcacore.domain.orders import Order, Side
from dcacore.domain.venue import VenueOrder, VenueOrderId, VenueStatus
from dcacore.ports.errors import BadCredentials, PortError
from dcacore.ports.exchange import AccountEvent, Balance, Exchange, Listing, OrderChanged, StreamLost, StreamOpened
from dcacore.ports.records import Account

if TYPE_CHECKING:
    from dcacore.application.engine.wire import Wire

BEFORE_SENT: Final = datetime.timedelta(minutes=1)
BEFORE_HEARD_AGAIN_S: Final = 60
"""An address may only connect so often: dead keys must not use that up. A new key does not wait for this."""
RULES_LAST_S: Final = 3600
"""How often bots that run are told of their pairs' rules, if those have changed."""
FUNDS_LAST_S: Final = 2
"""How old a balance may be when an order is checked against it."""


@attrs.define(eq=False)
class Desk:
    """One account, and the bots that trade on it here.

    Attributes:
        account: whose and where.
        exchange: its exchange, asked only when it wants to be asked.
        wires: its running bots.
        on_gap: called when account events may have been missed, or come again, with the reason.
        is_listening: whether account events come.
        deaf_since: since when they do not, by the monotonic clock.
        failure: why they do not; None while they do, or when that is not known.
        gaps: how often events may have been missed.
        is_sure: whether the account has been compared since events were last missed; no buy goes out before that.
        compared_to: by pair, the last trade that a comparison has seen.
        foreign: orders that are the user's own, or done with: not to be looked at again.
        strays: orders of ours that no deal knows, and that have been reported.
        resting: by pair, how many orders rest, anybody's, as the last comparison has seen them.
        refusals: when each bot's last orders were refused; a bot that is brought up anew has them still.
    """

    around: Surroundings
    account: Account
    _inner: Exchange
    _hold: Hold
    on_gap: Callable[[Desk, str], None]
    exchange: PatientExchange = attrs.field(init=False)
    wires: dict[BotId, Wire] = attrs.field(factory=dict, init=False)
    tasks: Tasks = attrs.field(init=False)
    foreign: set[VenueOrderId] = attrs.field(factory=set, init=False)
    strays: set[VenueOrderId] = attrs.field(factory=set, init=False)
    resting: dict[str, int] = attrs.field(factory=dict, init=False)
    refusals: dict[BotId, deque[float]] = attrs.field(factory=dict, init=False)
    is_listening: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    deaf_since: float | None = attrs.field(init=False)
    failure: PortError | None = attrs.field(default=None, init=False)
    gaps: int = attrs.field(default=0, init=False)
    is_sure: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    compared_to: dict[str, str | None] = attrs.field(factory=dict, init=False)
    _rules_at: float = attrs.field(init=False)  # when bots were last told of rules that have changed
    _funds: Mapping[str, Balance] | None = attrs.field(default=None, init=False)
    _funds_at: float = attrs.field(default=0.0, init=False)
    _counted: set[OrderId] = attrs.field(factory=set, init=False)  # the buys that the balances have been lessened by

    def __attrs_post_init__(self) -> None:
        self.tasks = Tasks(self.account.environment)
        self.deaf_since = self._rules_at = self.around.clock.monotonic()
        self.exchange = PatientExchange(self._inner, self.around.clock, self.credentials_refused, self._hold)

    @property
    def runners(self) -> tuple[Runner, ...]:
        """The runners of its bots."""
        return tuple(wire.runner for wire in self.wires.values())

    # ------------------------------------------------------------------------------------------------ account events

    async def listen(self) -> None:
        """Let its bots hear what happens to their orders, for ever."""
        try:
            async for event in self.exchange.events():
                self._hear(event)
        except BadCredentials as exc:
            self.failure = exc
            self._is_deaf()
            self.credentials_refused(str(exc))
            await self.around.clock.sleep(BEFORE_HEARD_AGAIN_S)
            raise
        finally:
            self._is_deaf()

    def _is_deaf(self) -> None:
        self.gaps += 1
        self.is_listening.clear()
        self.is_sure.clear()
        if self.deaf_since is None:
            self.deaf_since = self.around.clock.monotonic()

    def _hear(self, event: AccountEvent) -> None:
        match event:
            case OrderChanged(_, order):
                self._order_changed(order)
            case StreamOpened():
                self.gaps += 1
                self.failure = self.deaf_since = None
                self.is_listening.set()
                self.on_gap(self, "the account's events come again")
            case StreamLost(reason):
                self._is_deaf()
                log.warning("account_events_lost", account=self.account.id, reason=reason)

    def _order_changed(self, order: VenueOrder) -> None:
        parsed = parse_order_id(order.order_id)
        wire = None if parsed is None else self.wires.get(parsed.bot_id)
        if wire is None:
            return  # the user's own, or another engine's
        is_counted = order.order_id in self._counted and order.status is VenueStatus.OPEN and not order.executed
        if not is_counted:
            self.forget_funds()
        wire.runner.tasks.start(_tell(wire, order), f"event of {order.order_id}")

    # ------------------------------------------------------------------------------------------- its key, its orders

    def credentials_refused(self, reason: str) -> None:
        """Let every bot of the account wait for a key that works."""
        attention = self.bad_key(reason)
        for runner in self.runners:
            if runner.bot.trouble is None or runner.bot.trouble.cure is not attention.cure:
                runner.post(attention)

    def bad_key(self, reason: str) -> AttentionNeeded:
        """Return what a bot is told when the exchange does not accept the account's key."""
        return bad_key(self.around.clock.now(), reason)

    async def find(self, intent: Intent) -> VenueOrder | None:
        """Return how the order stands on the exchange: by our id, or as one of the open orders or of the trades.

        Raises:
            PortError: the question could not be asked.
        """
        found = await self.exchange.find(intent.pair, order_id=intent.id)
        if found is None and intent.venue_order_id is not None:
            found = await self.exchange.find(intent.pair, venue_order_id=intent.venue_order_id)
        if found is None:
            resting = await self.exchange.open_orders(intent.pair)
            found = next((order for order in resting if order.order_id == intent.id), None)
        if found is None:
            # From well before it was sent: other bots of the account have booked later trades since.
            before = None if intent.sent_at is None else intent.sent_at - BEFORE_SENT
            async with self.around.store.begin(reads_only=True) as work:
                earlier = await work.fills.newest(self.account.id, intent.pair, before=before)
            trades = await self.exchange.trades(intent.pair, after=earlier)
            trade = next((trade for trade in trades if trade.order_id == intent.id), None)
            if trade is not None:
                found = await self.exchange.find(intent.pair, venue_order_id=trade.venue_order_id)
        return found

    # --------------------------------------------------------------------------------------------------------- funds

    async def lack_for(self, runner: Runner, order: Order) -> str | None:
        """Return what the account lacks for a buy, in words; None when it has enough, or cannot be asked.

        Sells are not checked: what they sell was just bought, or just taken off, and a balance may be a moment old.
        """
        if order.side is Side.SELL:
            return None
        try:
            remembered, balances = self._funds, await self._balances()
            lack = _lack(runner, order, balances)
            if lack is not None and balances is remembered:  # it may have grown, and less is held than was counted
                self.forget_funds()
                lack = _lack(runner, order, await self._balances())
        except PortError:
            return None  # the exchange is the judge
        return lack

    async def _balances(self) -> Mapping[str, Balance]:
        now = self.around.clock.monotonic()
        if self._funds is None or now - self._funds_at > FUNDS_LAST_S:
            self._funds = await self.exchange.balances()
            self._funds_at = now
            self._counted.clear()
        return self._funds

    def reserve(self, runner: Runner, order: Order) -> None:
        """Count what a buy that has gone out may cost as spent, until the balances are read anew."""
        asset, needed = runner.market.quote_asset, _needed(runner, order)
        if self._funds is not None and needed is not None and (balance := self._funds.get(asset)) is not None:
            with_less = Balance(balance.free - needed, balance.locked + needed)
            self._funds = {**self._funds, asset: with_less}
            self._counted.add(order.id)

    def forget_funds(self) -> None:
        """Read the balances anew before the next order."""
        self._funds = None

    async def retry_if_it_fits(self, runner: Runner) -> None:
        """Let a bot that waits for balance try again, if what it would buy first can be paid for by now."""
        self.forget_funds()
        now = self.around.clock.now()
        due = RetryDue(now, runner.price(runner))
        first = next((it.order for it in decide(runner.bot, due).commands if isinstance(it, Place)), None)
        if first is None or await self.lack_for(runner, first) is None:
            runner.post(RetryDue(now))  # it is judged at the price of then

    # --------------------------------------------------------------------------------------------------------- rules

    async def reload_rules(self, runner: Runner) -> bool:
        """Read the pair's rules anew, after one was broken; say whether its grid, or how far orders go, is another now.

        Raises:
            Ended: the runner is over.
        """
        before = _grid(runner)
        try:
            await self.exchange.reload_rules(runner.market.pair)
            listing = await self.exchange.listing(runner.market.pair)
            fees = await self.exchange.fees(runner.market.pair)
            await runner.turn(rules_read(self.around.clock.now(), listing, fees))
        except PortError as exc:
            log.info("rules_not_read", account=self.account.id, pair=runner.market.pair, reason=str(exc))
        return _grid(runner) != before

    async def refresh_rules(self) -> None:
        """Tell bots of the rules of their pairs once an hour, where those have changed."""
        now = self.around.clock.monotonic()
        if now - self._rules_at < RULES_LAST_S:
            return
        self._rules_at = now
        for pair in sorted({runner.market.pair for runner in self.runners}):  # once for all bots there
            try:
                listing = await self.exchange.listing(pair)
                fees = await self.exchange.fees(pair)
            except PortError as exc:
                log.info("rules_not_read", account=self.account.id, pair=pair, reason=str(exc))
                continue
            for runner in self.runners:
                bot = runner.bot
                knows = (listing.market, listing.limits, fees) == (bot.market, bot.limits, bot.fees)
                if runner.market.pair == pair and not knows:
                    runner.post(rules_read(self.around.clock.now(), listing, fees))

    async def look_after_troubles(self) -> None:
        """Let bots go on whose trouble has ended by itself: a pair that trades again, a key that works again."""
        for cure in (Cure.TRADING, Cure.CREDENTIALS):
            waiting = [it for it in self.runners if it.bot.trouble is not None and it.bot.trouble.cure is cure]
            answers: dict[str, bool] = {}  # one question for all that wait for the same
            for runner in waiting:
                about = runner.market.pair if cure is Cure.TRADING else ""
                if about not in answers:
                    answers[about] = await self._is_cured(runner, cure)
                if answers[about]:
                    runner.post(Cured(self.around.clock.now(), cure))

    async def _is_cured(self, runner: Runner, cure: Cure) -> bool:
        try:
            if cure is Cure.TRADING:
                await self.exchange.reload_rules(runner.market.pair)
                return (await self.exchange.listing(runner.market.pair)).is_trading
            await self.exchange.balances()  # raises while the key is not accepted
        except PortError:
            return False
        return True


def bad_key(at: datetime.datetime, reason: str) -> AttentionNeeded:
    """Return what a bot is told at *at* when its account's key does not work for *reason*."""
    return AttentionNeeded(at, f"the account's key does not work: {reason}", cure=Cure.CREDENTIALS)


def rules_read(at: datetime.datetime, listing: Listing, fees: Fees) -> RulesRead:
    """Return what a bot is told of its pair's rules."""
    return RulesRead(at=at, market=listing.market, fees=fees, limits=listing.limits)


def _grid(runner: Runner) -> tuple[Decimal, Decimal, Limits | None]:
    return runner.market.tick_size, runner.market.step_size, runner.bot.limits


async def _tell(wire: Wire, order: VenueOrder) -> None:
    try:
        await wire.hear(order)
    except Ended:
        return


def _lack(runner: Runner, order: Order, balances: Mapping[str, Balance]) -> str | None:
    asset, needed = runner.market.quote_asset, _needed(runner, order)
    balance = balances.get(asset)
    free = ZERO if balance is None else balance.free
    if needed is None or free >= needed:
        return None
    return f"needs {plain(needed)} {asset}, {plain(free)} {asset} is free"


@exact
def _needed(runner: Runner, order: Order) -> Decimal | None:
    """Return what an order ties up of the quote asset; None for a market order whose price nobody knows."""
    bot = runner.bot
    price = order.price if order.price is not None else bot.price
    if order.side is Side.SELL or price is None:
        return None
    needed = price * order.quantity
    if bot.fees.fee_asset is FeeAsset.QUOTE:
        needed += bot.fees.of_buy(price, order.quantity, bot.fees.fee_taker)[1]
    return needed
