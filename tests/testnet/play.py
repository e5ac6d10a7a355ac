"""One small deal, from the key to the sale: what a bot does on an exchange that nobody here controls.

The same play runs on Binance's Spot Testnet, where only a person with a key can start it, and on the local exchange, so
that it is known to work before anybody does.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Final

import attrs

from dcacore.adapters.fernet import generate_key
from dcacore.application import accounts, asking, bots, users
from dcacore.application.refusals import NotFound
from dcacore.bootstrap.app import App, open_app, running
from dcacore.domain.bot import Phase
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.ids import UserId, parse_order_id
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Price, ceil_to, exact
from dcacore.domain.orders import Role, Side
from dcacore.domain.strategy import Strategy
from dcacore.domain.venue import VenueOrder
from dcacore.ports.bot_file import BotFile
from dcacore.ports.exchange import Exchange
from dcacore.ports.records import Account, BotRecord, Environment, RequestKind, Tier
from dcacore.ports.secrets import ApiKey
from dcacore.settings import Settings

NAME: Final = "smallest"
PATIENCE_S: Final = 60
ENOUGH: Final = Decimal("1.3")
"""How much larger than the least an order is: a safety order fills lower, fees are taken, prices move meanwhile."""


@attrs.frozen(kw_only=True)
class Where:
    """An exchange to play on.

    Attributes:
        environment: which.
        settings: those that name it, if it has to be named.
        key: of an account with some of the quote asset.
        pair: what is bought and sold.
    """

    environment: Environment
    settings: Settings
    key: ApiKey
    pair: str = "BTCUSDT"


@attrs.frozen
class Play:
    """An engine with one account whose key has been looked at."""

    where: Where
    app: App
    user_id: UserId
    account: Account
    exchange: Exchange

    async def bot(self) -> BotRecord:
        return await bots.find(self.app.store, self.user_id, NAME)

    async def until(self, is_so: Callable[[BotRecord], bool]) -> BotRecord:
        """Return the bot once it is so; one that cannot go on says why."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_so(record := await self.bot()):
                assert record.bot.trouble is None, record.bot.trouble.reason
                await asyncio.sleep(0.2)  # another program's database tells nobody
        return record

    async def wish(self, kind: RequestKind, **details: str) -> None:
        asked = await asking.ask(*self.app.means, user_id=self.user_id, bot=NAME, kind=kind, details=details)
        outcome = await self.app.wait_for(asked, timeout_s=PATIENCE_S)
        assert outcome.is_settled
        assert not outcome.request.refusal, outcome.request.refusal

    async def resting(self) -> tuple[VenueOrder, ...]:
        """Return the orders of ours that the exchange says rest."""
        return tuple([it for it in await self.exchange.open_orders(self.where.pair) if parse_order_id(it.order_id)])

    async def tidy_up(self) -> None:
        """Stop a bot that a failed play has left behind, selling what it holds, and take off whatever rests still."""
        with contextlib.suppress(NotFound, AssertionError):
            if (await self.bot()).bot.phase is not Phase.STOPPED:
                await self.wish(RequestKind.STOP, sell="true")
                await self.until(lambda it: it.bot.phase is Phase.STOPPED)
        for order in await self.resting():
            await self.exchange.cancel(self.where.pair, order.order_id)


@exact
def smallest(market: Market, price: Price) -> Decimal:
    """Return what the smallest sensible order costs at *price*, in quote."""
    least = max(market.min_notional, market.min_quantity * price, market.step_size * price)
    return ceil_to(least * ENOUGH, Decimal("0.01"))


@asynccontextmanager
async def playing(where: Where, folder: Path) -> AsyncIterator[Play]:
    """Yield a play whose account has been added, which is the check of its key."""
    settings = attrs.evolve(where.settings, database_url=f"sqlite:///{folder}/app.db", encryption_key=generate_key())
    async with open_app(settings, may_create=True) as opened:
        user = await users.create(
            *opened.means, opened.passwords, email="testnet@example.com", password="Test1234", tier=Tier.PRO
        )
        account = await accounts.add(
            *opened.means,
            opened.secrets,
            user_id=user.id,
            name="spot",
            environment=where.environment,
            api_key=where.key,
            keys=opened.keys,
        )
        exchange = await opened.venues.exchange(account)
        async with running(opened) as app:
            play = Play(where, app, user.id, account, exchange)
            try:
                yield play
            finally:
                await play.tidy_up()


async def play_a_deal(play: Play) -> Deal:
    """Let a bot buy, rest a safety order and a target, and stop with a sale at market; return the deal."""
    await open_a_deal(play)
    await play.wish(RequestKind.STOP, sell="true")
    await play.until(lambda it: it.bot.phase is Phase.STOPPED)
    return await _ended(play)


async def open_a_deal(play: Play) -> None:
    """Let a bot buy, and see that its safety order and its target rest."""
    listing = await play.exchange.listing(play.where.pair)
    price = await play.exchange.price(play.where.pair)
    assert listing.is_trading, f"{play.where.pair} does not trade now"
    assert price is not None
    market, size = listing.market, smallest(listing.market, price)
    held = (await play.exchange.balances()).get(market.quote_asset)
    assert held is not None, f"the account has no {market.quote_asset}"
    assert held.free >= 3 * size, f"the account has {held.free} {market.quote_asset} free, and {3 * size} are needed"
    strategy = Strategy(
        pair=market.pair,
        base_order_size=size,
        safety_order_size=size,
        max_safety_orders=1,
        price_deviation="10",
        take_profit="20",
        auto_restart=False,
    )
    file = BotFile(file="smallest.toml", name=NAME, strategy=strategy, market={}, fees=Fees())
    await bots.create(*play.app.means, user_id=play.user_id, account="spot", bot_file=file, market=market)
    await play.wish(RequestKind.START)
    record = await play.until(_rests)
    await _see_what_rests(play, record)


def _rests(record: BotRecord) -> bool:
    deal = record.bot.deal
    if deal is None or not deal.books.bought:
        return False
    resting = {order.role for order in deal.live_orders if order.state.value == "open"}
    return resting == {Role.SAFETY, Role.TAKE_PROFIT}


async def _see_what_rests(play: Play, record: BotRecord) -> None:
    """See that the exchange has the very orders that the bot believes to rest."""
    deal = record.bot.deal
    assert deal is not None
    believed = {order.id: (order.price, order.quantity) for order in deal.live_orders}
    assert {order.order_id: (order.price, order.quantity) for order in await play.resting()} == believed
    assert deal.take_profit_price is not None
    assert deal.rungs[0].price < deal.take_profit_price


async def _ended(play: Play) -> Deal:
    """Return the deal that has ended, and see that exchange and books agree on it."""
    assert await play.resting() == ()
    async with play.app.store.begin(reads_only=True) as work:
        (kept,) = await work.deals.of([(await play.bot()).bot.id], limit=10)
    deal = kept.deal
    assert deal.exit in {Exit.CLOSE, Exit.TAKE_PROFIT}
    for order in deal.orders.values():
        found = await play.exchange.find(play.where.pair, order_id=order.id)
        assert found is not None
        trades = await play.exchange.trades(play.where.pair, venue_order_id=found.venue_order_id)
        assert {it.trade_id for it in trades} == {it.trade_id for it in order.fills}
        assert sum(it.quantity for it in trades) == order.filled == found.executed
    bought = sum((it.filled for it in deal.orders.values() if it.side is Side.BUY), Decimal(0))
    sold = sum((it.filled for it in deal.orders.values() if it.side is Side.SELL), Decimal(0))
    assert 0 < sold <= bought
    assert deal.result is not None
    return deal
