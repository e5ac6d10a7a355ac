"""What the tests of pages begin with: Ann with two bots that have traded, and Bob with one, in a store in memory."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, cast

import attrs

from dcacore.adapters.memory import MemoryStore
from dcacore.domain.books import Carried, Result
from dcacore.domain.bot import Bot
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.ids import AccountId, BotId, DealId
from dcacore.domain.money import BaseQty, Price, QuoteAmount
from dcacore.ports.errors import Unavailable
from dcacore.ports.exchange import Balance, Directory, Exchange, Listing
from dcacore.ports.prices import Prices
from dcacore.ports.records import Account, Environment, Notification, Tier
from dcacore.ports.venues import Venues
from tests.contract.stored import ANN, BOB, account, bot, deal_of, entered, line, record, save, user
from tests.strategies import NOON
from tests.unit.simulated.clock import ManualClock

HOUR: Final = datetime.timedelta(hours=1)
SECRET: Final = "bobs-secret"
"""Stands in everything that is Bob's: it must not show in anything of Ann's."""
BOBS: Final = BotId("bobs")


def ended(deal: Deal, number: int, profit: str, at: datetime.datetime) -> Deal:
    """Return the deal under another number as it would end."""
    result = Result(
        profit=QuoteAmount(Decimal(profit)),
        cost_of_sold=QuoteAmount(Decimal(100)),
        carried=Carried(),
        kept=Carried(quantity=BaseQty(Decimal(0))),
    )
    made = attrs.evolve(deal, id=DealId(f"{deal.id}-{number}"), number=number, orders={}, opened_at=at - HOUR)
    return attrs.evolve(made, closed_at=at, exit=Exit.TAKE_PROFIT, result=result)


async def filled() -> tuple[MemoryStore, ManualClock]:
    """Return the store, and a clock that shows an hour and a half past noon."""
    clock = ManualClock()
    store = MemoryStore(clock)
    alpha, beta, bobs = entered(bot("alpha"), "1"), bot("beta"), entered(bot(BOBS), "2")
    async with store.begin() as work:
        await work.users.add(user(tier=Tier.PRO))
        await work.users.add(user(BOB))
        await work.accounts.add(account())
        await work.accounts.add(account(AccountId("test"), environment=Environment.TESTNET))
        await work.accounts.add(account(AccountId(SECRET), BOB))
        for made, owner, place, name in [
            (alpha, ANN, "paper", "Alpha"),
            (beta, ANN, "test", "=beta"),
            (bobs, BOB, SECRET, SECRET),
        ]:
            bare = record(attrs.evolve(made, deal=None), user_id=owner, account_id=AccountId(place), name=name)
            await work.bots.add(bare)
            await save(work, made)
        deal = deal_of(alpha)
        await work.deals.end(alpha.id, ended(deal, 91, "3", NOON - 14 * HOUR))
        await work.deals.end(alpha.id, ended(deal, 92, "-1", NOON))
        await work.deals.end(beta.id, ended(deal_of(entered(beta)), 93, "5", NOON + HOUR))
        await work.deals.end(bobs.id, ended(deal_of(bobs), 94, "7777", NOON))
        await work.feed.add_activity([line("Ann's", bot_id=alpha.id), line(SECRET, user_id=BOB, bot_id=BOBS)])
        notes = [Notification(user_id=ANN, at=NOON, kind="told", text="Ann's", bot_id=alpha.id)]
        notes.append(Notification(user_id=BOB, at=NOON, kind="told", text=SECRET, bot_id=BOBS))
        await work.feed.add_notifications(notes)
        await work.commit()
    clock.pass_by(5400)
    return store, clock


async def stored(store: MemoryStore, bot_id: str = "alpha") -> Bot:
    """Return a bot as it is stored."""
    async with store.begin(reads_only=True) as work:
        found = await work.bots.get(BotId(bot_id))
        assert found is not None
        return found.bot


class Counter:
    """An account's balances; nobody asks it for anything else."""

    def __init__(self, balances: Mapping[str, Balance]) -> None:
        self.held = balances

    async def balances(self) -> Mapping[str, Balance]:
        return self.held


class Board(Directory):
    """The last prices, and nothing else."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self.known = {pair: Price(Decimal(price)) for pair, price in known.items()}
        self.asked = 0

    async def prices(self) -> Mapping[str, Price]:
        self.asked += 1
        return self.known

    async def listings(self) -> tuple[Listing, ...]:
        return ()


@attrs.define
class Counters(Venues):
    """Paper, with balances and prices; the testnet is never there."""

    held: Mapping[str, Balance] = attrs.field(factory=dict)
    board: Board = attrs.field(factory=lambda: Board({}))

    async def exchange(self, account: Account) -> Exchange:
        if account.environment is Environment.TESTNET:
            raise Unavailable("the testnet is being mended")
        return cast("Exchange", Counter(self.held))  # it is asked for nothing else

    async def prices(self, environment: Environment) -> Prices:
        raise NotImplementedError

    async def directory(self, environment: Environment) -> Directory:
        if environment is Environment.TESTNET:
            raise Unavailable("the testnet is being mended")
        return self.board

    async def forget(self, account: Account) -> None:
        """Nothing is open."""
