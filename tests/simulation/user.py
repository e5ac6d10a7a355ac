"""The user of a world: he starts bots, looks after their troubles, and changes his mind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Final

import attrs

from dcacore.adapters.simulated.hands import Hand
from dcacore.application.parameters import texts_of
from dcacore.domain.bot import Bot, Phase, TroubleKind, Wanted
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import AccountId, BotId
from dcacore.domain.money import ZERO, exact
from dcacore.domain.strategy import Strategy
from dcacore.ports.records import BotRecord, RequestKind
from tests.simulation.ledger import BotLedger
from tests.simulation.world import World

LOOKS_EVERY_S: Final = 40
_PLENTY: Final = Decimal(1_000_000)


def any_strategy(chance: Random, pair: str) -> Strategy:
    """Return a strategy that trades often."""
    orders = chance.choice((0, 2, 3, 4, 5))
    return Strategy(
        pair=pair,
        base_order_size=chance.choice((20, 60, 150)),
        safety_order_size=chance.choice((25, 60, 120)),
        max_safety_orders=orders,
        safety_order_volume_scale=chance.choice(("1", "1.3", "2")),
        price_deviation=chance.choice(("0.3", "0.6", "1")),
        safety_order_step_scale=chance.choice(("1", "1.2")),
        take_profit=chance.choice(("0.4", "0.7", "1.2")),
        take_profit_type=chance.choice(("total", "base")),
        take_profit_net=chance.random() < 0.7,
        trailing_deviation=chance.choice(("0", "0", "0.3")),
        stop_loss=chance.choice(("0", "0", "3", "8")),
        stop_loss_basis=chance.choice(("base", "average")),
        active_safety_orders=None if not orders else chance.choice((None, 1, 2)),
        cooldown=chance.choice(("0", "5", "60")),
        max_deals=chance.choice((0, 0, 0, 3)),
    )


@attrs.define
class User:
    """Asks at random, for as long as he lives."""

    world: World
    chance: Random
    ledgers: dict[BotId, BotLedger]

    async def live(self) -> None:
        """Look in now and then."""
        for bot_id in self.world.bots:
            await self.world.ask(bot_id, RequestKind.START)
        while True:
            await asyncio.sleep(self.chance.uniform(0.5, 1.5) * LOOKS_EVERY_S)
            if not (self.world.disk.is_gone or self.world.is_ending):
                for record in await self.world.records():
                    await self._look_at(record.bot)

    async def _look_at(self, bot: Bot) -> None:
        chance, ask = self.chance, self.world.ask
        if bot.trouble is not None and bot.trouble.kind is not TroubleKind.WAITING_FOR_BALANCE:
            if chance.random() < 0.4:
                await ask(bot.id, chance.choice((RequestKind.RETRY,) * 6 + (RequestKind.STOP,)))
        elif bot.phase is Phase.STOPPED or bot.wanted is not Wanted.RUN:
            if chance.random() < 0.4:
                await ask(bot.id, RequestKind.START)
        elif chance.random() < 0.06:
            await self._whim(bot)

    async def _whim(self, bot: Bot) -> None:
        chance, ask = self.chance, self.world.ask
        match chance.randrange(9):
            case 0:
                await ask(bot.id, RequestKind.PAUSE)
            case 1:
                await ask(bot.id, RequestKind.STOP, sell="true")
            case 2:
                await ask(bot.id, RequestKind.STOP, sell="false")
            case 3:
                await ask(bot.id, RequestKind.CLOSE_DEAL)
            case 4:
                await ask(bot.id, RequestKind.CANCEL_DEAL)
            case 5 | 6:
                await ask(bot.id, RequestKind.ADD_FUNDS, amount=str(chance.choice((15, 30, 80))))
            case 7:
                await self._edit_deal(bot)
            case _:
                await self._edit_bot(bot)

    async def _edit_deal(self, bot: Bot) -> None:
        if bot.deal is None:
            return
        changes = {
            "take_profit": self.chance.choice(("0.3", "0.8", "2")),
            "stop_loss": self.chance.choice(("0", "4")),
            "trailing_deviation": self.chance.choice(("0", "0.2")),
            "max_safety_orders": str(self.chance.choice((2, 4, 6))),
        }
        name = self.chance.choice(list(changes))
        self._allow(bot.id, 6)
        await self.world.ask(bot.id, RequestKind.EDIT_DEAL, **{name: changes[name]})

    async def _edit_bot(self, bot: Bot) -> None:
        strategy = any_strategy(self.chance, bot.strategy.pair)
        try:
            texts = texts_of(strategy)
        except InvalidParameter:
            return
        self._allow(bot.id, strategy.resting_limit)
        await self.world.ask(bot.id, RequestKind.EDIT_BOT, **texts)

    def _allow(self, bot_id: BotId, orders: int) -> None:
        ledger = self.ledgers[bot_id]
        ledger.most_safety_orders = max(ledger.most_safety_orders, orders)

    async def retry_all(self) -> None:
        """See to every trouble."""
        for record in await self.world.records():
            if record.bot.trouble is not None:
                await self.world.ask(record.bot.id, RequestKind.RETRY)

    async def make_good(self) -> None:
        """Bring back the coins that were sold by hand or went as fees, and money enough for everything."""
        records = await self.world.records()
        for account in self.world.venue.accounts:
            bring_back(self.world, account, [record for record in records if record.account_id == account])


@exact
def bring_back(world: World, account: AccountId, records: Sequence[BotRecord]) -> None:
    """Let an account hold what its bots believe to hold, and plenty of quote."""
    needed: dict[str, Decimal] = {}
    for record in records:
        bot = record.bot
        asset = (bot.market if bot.deal is None else bot.deal.market).base_asset
        held = bot.carried.quantity if bot.deal is None else bot.deal.books.net
        needed[asset] = needed.get(asset, ZERO) + held
    hand, balances = Hand(world.venue, account), world.venue.books(account).balances
    for asset, amount in needed.items():
        balance = balances.get(asset)
        short = amount - (ZERO if balance is None else balance.free + balance.locked)
        if short > 0:
            hand.deposit(asset, short)
    hand.deposit("USDT", _PLENTY)
