"""What store tests put in: people, bots that have traded, and the intents and fills that belong to them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import attrs

from dcacore.domain.bot import Bot
from dcacore.domain.deal import Deal
from dcacore.domain.engine import decide
from dcacore.domain.events import Filled, Ready, Reported, StartRequested
from dcacore.domain.ids import AccountId, BotId, DealId, OrderId, RequestId, TradeId, UserId
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.money import BaseQty, Price
from dcacore.domain.orders import Fill, Order, OrderState
from dcacore.ports.records import Account, Activity, BookedFill, BotRecord, Environment, Request, RequestKind, User
from dcacore.ports.store import Store, Work
from tests.strategies import NOON, new_bot, strategy

ANN: Final = UserId("ann")
BOB: Final = UserId("bob")
PAPER: Final = AccountId("paper")
PRICE: Final = Price(Decimal(100))
SECOND: Final = datetime.timedelta(seconds=1)


def user(user_id: UserId = ANN, **changes: Any) -> User:
    """Return a user."""
    return User(**{"id": user_id, "email": f"{user_id}@example.com", "created_at": NOON, **changes})


def account(account_id: AccountId = PAPER, user_id: UserId = ANN, **changes: Any) -> Account:
    """Return an account of a user."""
    usual = {"name": account_id, "environment": Environment.PAPER, "created_at": NOON}
    return Account(**{"id": account_id, "user_id": user_id, **usual, **changes})


def bot(bot_id: str = "bot", **parameters: Any) -> Bot:
    """Return a bot that has never run."""
    return attrs.evolve(new_bot(strategy(**parameters)), id=BotId(bot_id), order_prefix="dca-")


def record(made: Bot | None = None, **changes: Any) -> BotRecord:
    """Return a bot with its owner."""
    made = made or bot()
    usual = {"user_id": ANN, "account_id": PAPER, "name": made.id, "created_at": NOON}
    return BotRecord(**{"bot": made, **usual, **changes})


def request(name: str, bot_id: str = "bot", **changes: Any) -> Request:
    """Return a request of a bot."""
    usual = {"kind": RequestKind.START, "asked_at": NOON}
    return Request(**{"id": RequestId(name), "bot_id": BotId(bot_id), **usual, **changes})


def line(text: str, **changes: Any) -> Activity:
    """Return a line of activity."""
    usual = {"at": NOON, "kind": "told", "bot_id": BotId("bot"), "environment": Environment.PAPER}
    return Activity(**{"user_id": ANN, "text": text, **usual, **changes})


def started(made: Bot | None = None) -> Bot:
    """Return the bot with its base order planned."""
    running = decide(made or bot(), StartRequested(NOON, PRICE)).bot
    return decide(running, Ready(NOON, PRICE)).bot


def deal_of(made: Bot) -> Deal:
    """Return the open deal of a bot that has one."""
    assert made.deal is not None
    return made.deal


def fill_of(order: Order, trade: str = "1", quantity: Decimal | None = None, price: Price = PRICE) -> Fill:
    """Return a fill of an order, of all of it unless *quantity* is given."""
    return Fill(trade_id=TradeId(trade), at=NOON + SECOND, price=price, quantity=BaseQty(quantity or order.quantity))


def entered(made: Bot | None = None, trade: str = "1") -> Bot:
    """Return the bot in position: the base order has filled, and the others are planned."""
    running = started(made)
    (order,) = deal_of(running).orders.values()
    return decide(running, Reported(NOON + SECOND, PRICE, (Filled(order.id, fill_of(order, trade)),))).bot


def intents(made: Bot) -> tuple[Intent, ...]:
    """Return the intents of a bot's open deal, in the states that its orders are in."""
    return () if made.deal is None else intents_of(made.id, made.deal)


def intents_of(bot_id: BotId, deal: Deal) -> tuple[Intent, ...]:
    """Return the intents of a deal's orders."""
    return tuple(
        Intent(
            order=order,
            bot_id=bot_id,
            deal_id=deal.id,
            account_id=PAPER,
            pair=deal.market.pair,
            state=state_of(order),
            planned_at=deal.opened_at,
        )
        for order in deal.orders.values()
    )


def state_of(order: Order) -> IntentState:
    """Return the state of an intent whose order is in its own."""
    return IntentState.REJECTED if order.state is OrderState.REFUSED else IntentState[order.state.name]


def booked(intents: Iterable[Intent]) -> tuple[BookedFill, ...]:
    """Return the fills of *intents*, as they are kept."""
    return tuple(
        BookedFill(
            order_id=intent.id,
            account_id=intent.account_id,
            pair=intent.pair,
            fill=fill,
            fee=Decimal("0.001"),
            fee_asset="BNB",
            fee_rate=Decimal(300),
        )
        for intent in intents
        for fill in intent.order.fills
    )


async def save(work: Work, made: Bot) -> None:
    """Store all of a bot, as the engine does after a decision."""
    wanted = intents(made)
    await work.bots.save(made)
    await work.intents.save(wanted)
    await work.fills.add(booked(wanted))


async def people(store: Store, *records: BotRecord) -> None:
    """Store a user with an account, and bots."""
    async with store.begin() as work:
        await work.users.add(user())
        await work.accounts.add(account())
        for one in records:
            await work.bots.add(attrs.evolve(one, bot=attrs.evolve(one.bot, deal=None)))
            await save(work, one.bot)
        await work.commit()


def order(order_id: str, **changes: Any) -> Order:
    """Return the base order of a started bot under another name."""
    (first,) = deal_of(started()).orders.values()
    return attrs.evolve(first, id=OrderId(order_id), **changes)


def intent(order_id: str, deal_id: DealId, **changes: Any) -> Intent:
    """Return an intent of a deal."""
    usual = {"bot_id": BotId("bot"), "account_id": PAPER, "pair": "ABCXYZ", "planned_at": NOON}
    return Intent(**{"order": order(order_id), "deal_id": deal_id, **usual, **changes})
