"""An exchange and a database in processes of their own, the engines that come and go on them, and what must hold."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Final, Self

import attrs
import httpx
from sqlalchemy import URL

from dcacore.adapters.simulated.books import BookedOrder, Books
from dcacore.adapters.sqlalchemy import open_store
from dcacore.adapters.system import SystemClock
from dcacore.bootstrap.app import paper_books
from dcacore.domain.bot import Phase
from dcacore.domain.ids import BotId, DealId, parse_order_id
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.money import ZERO, Price, exact
from dcacore.domain.orders import Role, Side
from dcacore.domain.venue import VenueStatus
from dcacore.ports.errors import StoreError
from dcacore.ports.records import BotRecord, RequestKind
from dcacore.ports.store import Store
from dcacore.settings import Settings
from tests.contract.stored import PAPER, bot, people, record, request
from tests.kills.programs import Orders, Program, start, trapped, worker
from tests.paper import PaperHand
from tests.strategies import MARKET

POLL_S: Final = 0.2
HUNDRED: Final = Price(Decimal(100))
PROVEN_WITHIN_S: Final = 90
"""An order that was never sent is proven absent after some 26 s, on a machine that has time for it."""
_SETTLED: Final = frozenset(
    {
        IntentState.OPEN,
        IntentState.FILLED,
        IntentState.CANCELED,
        IntentState.EXPIRED,
        IntentState.REJECTED,
        IntentState.NOT_PLACED,
    }
)


@attrs.define(kw_only=True)
class Stage:
    """Bots in a database, an exchange, and engines to start and kill.

    Attributes:
        folder: everything that is written to disk.
        settings: what engines are started with.
        store: the database, as somebody else sees it.
        venue: the exchange, likewise.
        programs: the engines, in the order in which they were started.
    """

    folder: Path
    url: URL
    settings: Settings
    store: Store
    venue: PaperHand
    bots: int
    programs: list[Program] = attrs.field(factory=list)
    _price: Price = HUNDRED

    @classmethod
    async def set_up(cls, folder: Path, url: URL, *, bots: int = 1, **parameters: object) -> Self:
        """Return a stage with bots that have been asked to start, over a database with tables."""
        clock, address = SystemClock(), url.render_as_string(hide_password=False)
        settings = Settings(database_url=address, data_dir=str(folder / "data"))
        venue = await PaperHand.start(paper_books(settings))
        await venue.open(MARKET, str(HUNDRED))
        await venue.give(PAPER, "XYZ", "100000")
        store = open_store(url, clock=clock)
        stage = cls(
            folder=folder,
            url=url,
            settings=settings,
            store=store,
            venue=venue,
            bots=bots,
        )
        ladder = {"max_safety_orders": 3, "price_deviation": "2", "take_profit": "2", **parameters}
        await people(store, *(record(bot(name, **ladder)) for name in stage.names))
        await stage.ask(RequestKind.START)
        return stage

    @property
    def names(self) -> list[BotId]:
        """The bots."""
        return [BotId(f"b{number}") for number in range(self.bots)]

    async def clear(self) -> None:
        """End everything that was started here."""
        for program in self.programs:
            program.end()
        await self.store.close()
        self.venue.end()

    # ------------------------------------------------------------------------------------------------------- programs

    def start_worker(self, **environment: str) -> Program:
        """Start `dca worker`."""
        return self._start(worker, environment)

    def start_trapped(self, orders: Orders) -> Program:
        """Start an engine that comes to a trap."""
        return self._start(trapped, {}, orders)

    def _start(self, target: Callable[..., None], environment: dict[str, str], *more: Orders) -> Program:
        usual = {"DATABASE_URL": self.settings.database_url, "DATA_DIR": self.settings.data_dir, "LOG_FORMAT": "json"}
        log = self.folder / f"engine{len(self.programs)}.log"
        program = start(target, {**usual, **environment}, log, *more)
        self.programs.append(program)
        return program

    # ------------------------------------------------------------------------------------------------- what users do

    async def ask(self, kind: RequestKind, **details: str) -> None:
        """Ask something of every bot."""
        async with self.store.begin() as work:
            for name in self.names:
                await work.requests.add(request(f"{kind.value} {name}", name, kind=kind, details=details))
            await work.commit()

    async def move(self, price: str) -> None:
        """Let the market move."""
        self._price = Price(Decimal(price))
        await self.venue.move(MARKET.pair, price)

    # --------------------------------------------------------------------------------------------------------- seeing

    async def until(
        self,
        is_so: Callable[[], Awaitable[bool]],
        what: str,
        within_s: float = PROVEN_WITHIN_S,
        *,
        poll_s: float = POLL_S,
    ) -> float:
        """Wait until something is so, and return how many seconds that took."""
        began = last_moved = time.monotonic()
        while not await is_so():
            now = time.monotonic()
            if now - began > within_s:
                logs = "\n".join(f"--- {it.log.name} ({it.code})\n{it.lines[-3000:]}" for it in self.programs)
                raise AssertionError(f"after {within_s} s still not: {what}\n{await self.told()}\n{logs}")
            if now - last_moved > 5:  # a market of which nothing is heard has no price
                last_moved = now
                with suppress(httpx.HTTPError):  # the exchange may be dead just now
                    await self.venue.move(MARKET.pair, str(self._price))
            await asyncio.sleep(poll_s)
        return time.monotonic() - began

    async def told(self) -> str:
        """Return how everything stands, for people."""
        lines = []
        for it in await self.records():
            lines.append(f"{it.bot.id}: {it.bot.phase.value} {it.bot.trouble}")
            lines += [f"  {one.id}: {one.state.value} {one.order.filled}" for one in await self.intents(it)]
        for booked in (await self.books()).orders:
            lines.append(f"exchange: {booked.order.order_id} {booked.order.status.value} {booked.order.executed}")
        return "\n".join(lines)

    async def records(self) -> tuple[BotRecord, ...]:
        """Return the bots as they are stored."""
        async with self.store.begin(reads_only=True) as work:
            return await work.bots.load(self.names)

    async def intents(self, of: BotRecord) -> tuple[Intent, ...]:
        """Return every order that a bot has ever wanted."""
        async with self.store.begin(reads_only=True) as work:
            deals = [DealId(f"{of.bot.id}-{number}") for number in range(1, of.bot.deals_started + 1)]
            return tuple([intent for deal in deals for intent in await work.intents.of_deal(deal)])

    async def books(self) -> Books:
        """Return the exchange's own."""
        return await self.venue.books(PAPER)

    async def is_settled(self) -> bool:
        """Say whether every bot is in position, with all its orders resting, and nothing is on its way."""
        try:
            return all([await self._is_bot_settled(it) for it in await self.records()])
        except StoreError:
            return False  # the database is away just now

    async def _is_bot_settled(self, it: BotRecord) -> bool:
        deal = it.bot.deal
        if it.bot.phase is not Phase.IN_POSITION or it.bot.trouble is not None or deal is None:
            return False
        wanted = [order for order in deal.orders.values() if order.is_live]
        intents = {intent.id: intent for intent in await self.intents(it)}
        return (
            any(order.role is Role.TAKE_PROFIT for order in wanted)
            and len(wanted) == 1 + deal.strategy.max_safety_orders - self.used(it)
            and all(intents[order.id].state is IntentState.OPEN and not order.is_cancelling for order in wanted)
            and all(intent.state in _SETTLED for intent in intents.values())
            and not any(intent.order.is_cancelling for intent in intents.values() if not intent.has_ended)
        )

    @staticmethod
    def used(it: BotRecord) -> int:
        """Return how many safety orders of the open deal have filled."""
        deal = it.bot.deal
        orders = () if deal is None else deal.orders.values()
        return len({order.rung for order in orders if order.role is Role.SAFETY and order.filled})

    async def has_used(self, safety_orders: int) -> bool:
        """Say whether so many safety orders have filled and everything rests again."""
        try:
            return all(self.used(it) == safety_orders for it in await self.records()) and await self.is_settled()
        except StoreError:
            return False

    # --------------------------------------------------------------------------------------------------- what must hold

    async def check(self) -> None:
        """See that the database says of every order what the exchange's own books say."""
        books, records = await self.books(), await self.records()
        by_id = Counter(booked.order.order_id for booked in books.orders)
        assert max(by_id.values()) == 1, f"an order exists twice: {by_id}"
        known = {intent.id: intent for it in records for intent in await self.intents(it)}
        assert by_id.keys() <= known.keys(), f"the database does not know {by_id.keys() - known.keys()}"
        booked_by_id = {booked.order.order_id: booked for booked in books.orders}
        for intent in known.values():
            _check_intent(intent, booked_by_id.get(intent.id))
        for it in records:
            self._check_bot(it, [one for name, one in booked_by_id.items() if _bot_of(one) == it.bot.id])

    @exact
    def _check_bot(self, it: BotRecord, orders: list[BookedOrder]) -> None:
        bought = sum((one.order.executed for one in orders if one.order.side is Side.BUY), ZERO)
        sold = sum((one.order.executed for one in orders if one.order.side is Side.SELL), ZERO)
        fees = sum((trade.fee for one in orders for trade in one.order.trades if trade.fee_asset == "ABC"), ZERO)
        held = ZERO if it.bot.deal is None else it.bot.deal.books.net
        assert held == bought - sold - fees, f"{it.bot.id} holds {held}, the exchange says {bought - sold - fees}"
        targets = [one for one in orders if one.order.side is Side.SELL and one.order.status is VenueStatus.OPEN]
        assert len(targets) <= 1, f"{it.bot.id} has {len(targets)} take profits"
        assert sum((one.order.quantity for one in targets), ZERO) <= held
        per_slot = Counter(
            _slot_of(one) for one in orders if one.order.status in {VenueStatus.OPEN, VenueStatus.FILLED}
        )
        bases = [count for (role, _, _), count in per_slot.items() if role is not Role.TAKE_PROFIT]
        assert max(bases) == 1, f"{it.bot.id} has bought twice what it wanted once: {per_slot}"


def _bot_of(booked: BookedOrder) -> BotId | None:
    parsed = parse_order_id(booked.order.order_id)
    return None if parsed is None else parsed.bot_id


def _slot_of(booked: BookedOrder) -> tuple[Role, DealId, int]:
    parsed = parse_order_id(booked.order.order_id)
    assert parsed is not None
    return parsed.role, parsed.deal_id, parsed.rung


def _check_intent(intent: Intent, booked: BookedOrder | None) -> None:
    assert intent.state in _SETTLED, f"{intent.id} is {intent.state.value}"
    if booked is None:
        assert intent.state in {IntentState.REJECTED, IntentState.NOT_PLACED}, f"{intent.id} is {intent.state.value}"
        return
    order = booked.order
    assert intent.state is IntentState[order.status.name], f"{intent.id}: {intent.state.value}, {order.status.value}"
    assert intent.order.filled == order.executed, f"{intent.id} has filled {intent.order.filled} of {order.executed}"
