"""A database as people have it after a year: users, bots, closed deals with their orders and fills, what was told.

The deals are those of a backtest over a year of chance, laid over each other until there are enough, and go into the
database through the store. What the first bot has the others get by copies of the rows, each a day further back, so
that a hundred thousand deals take seconds to be there.
"""

from __future__ import annotations

import datetime
import itertools
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import attrs

from dcacore import backtest
from dcacore.application import accounts, bots
from dcacore.application.identity import api_tokens, preferences, sessions
from dcacore.application.identity.means import NOBODY
from dcacore.bootstrap import random_walk
from dcacore.bootstrap.app import App
from dcacore.domain.bot import Phase, Wanted
from dcacore.domain.deal import Deal
from dcacore.domain.ids import AccountId, BotId, DealId, OrderId, TradeId, UserId
from dcacore.domain.intents import Intent, IntentState
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import Price
from dcacore.domain.orders import Order, OrderState
from dcacore.domain.story import Level
from dcacore.domain.strategy import Strategy
from dcacore.ports.bot_file import BotFile
from dcacore.ports.identity import Scope
from dcacore.ports.records import Activity, BookedFill, BotRecord, Environment, Notification, Tier, User
from dcacore.ports.secrets import ApiKey
from dcacore.ports.store import Work

MARKET: Final = Market(
    pair="BTCUSDT", base_asset="BTC", quote_asset="USDT", tick_size="0.01", step_size="0.00001", min_notional="5"
)
STRATEGY: Final = Strategy(
    pair=MARKET.pair,
    base_order_size=100,
    safety_order_size=100,
    max_safety_orders=4,
    safety_order_volume_scale="1.4",
    price_deviation="0.5",
    take_profit="0.35",
)
FEES: Final = Fees(fee_maker="0.0001", fee_taker="0.0001")
ZONES: Final = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo", "Pacific/Kiritimati")
"""By whose clocks the users see their days, in turn."""
TURN: Final = 250
"""How many deals are stored in one transaction."""
_LINES_OF_A_DEAL: Final = ("deal_opened", "order_filled", "deal_closed")
_WARNS_EVERY: Final = 100
_TELLS_EVERY: Final = 5
_UNREAD_EVERY: Final = 100


@attrs.frozen(kw_only=True)
class Size:
    """How much there is.

    Attributes:
        users: how many people.
        bots: how many bots each of them has.
        deals: how many closed deals each of the bots has.
    """

    users: int = 5
    bots: int = 5
    deals: int = 4_000


@attrs.frozen(kw_only=True)
class Person:
    """Somebody who asks for pages.

    Attributes:
        user_id: who.
        cookie: the secret of a session.
        token: the secret of a token of the API.
        account_id: an account.
        bot_id: a bot.
        deal_id: a deal of it that has closed.
    """

    user_id: UserId
    cookie: str
    token: str
    account_id: str
    bot_id: str
    deal_id: str


def key_of(number: int) -> ApiKey:
    """Return with what the exchange knows user *number*."""
    return ApiKey(f"key{number}", f"secret{number}")


async def fill(app: App, file: Path, size: Size) -> list[Person]:
    """Fill an empty database, and return its users.

    Args:
        app: the application over it, whose exchange knows the keys of `key_of`.
        file: where it lies: a SQLite file.
        size: how much there is to be.
    """
    made = [await _user(app, number, size.bots) for number in range(size.users)]
    everybody = [record for _, records in made for record in records]
    first = everybody[0]
    await _first_history(app, first, size.deals)
    _copy(file, first, everybody[1:])
    return [await _person(app, number, *it) for number, it in enumerate(made)]


async def _user(app: App, number: int, count: int) -> tuple[User, list[BotRecord]]:
    now = app.clock.now()
    user = User(
        id=UserId(f"user{number}"),
        email=f"user{number}@example.com",
        created_at=now,
        verified_at=now,
        tier=Tier.PRO,
        is_admin=number == 0,
    )
    async with app.store.begin() as work:
        await work.users.add(user)
        await work.commit()
    key = key_of(number)
    await accounts.add(
        *app.means,
        app.secrets,
        user_id=user.id,
        name="spot",
        environment=Environment.CUSTOM,
        api_key=key,
        keys=app.keys,
    )
    file = BotFile(file="bot.toml", name="bot", strategy=STRATEGY, market={}, fees=FEES)
    records = [
        await bots.create(
            *app.means,
            user_id=user.id,
            account="spot",
            bot_file=attrs.evolve(file, name=f"bot {place}"),
            market=MARKET,
        )
        for place in range(count)
    ]
    return user, records


async def _person(app: App, number: int, user: User, records: list[BotRecord]) -> Person:
    zone = ZONES[number % len(ZONES)]
    await preferences.prefer(app.identity, user.id, preferences.Changes(time_zone=zone))
    token = await api_tokens.make_token(app.identity, user.id, name="benchmark", scope=Scope.READ)
    async with app.store.begin() as work:
        opened = await sessions.open_session(app.identity, work, user, NOBODY)
        await work.commit()
    bot_id = records[0].bot.id
    return Person(
        user_id=user.id,
        cookie=opened.secret,
        token=token.secret,
        account_id=records[0].account_id,
        bot_id=bot_id,
        deal_id=f"{bot_id}-1",
    )


# ------------------------------------------------------------------------------------------------ what one bot has done


async def _first_history(app: App, record: BotRecord, count: int) -> None:
    """Store the past of a bot, and its open deal."""
    report = backtest(STRATEGY, MARKET, FEES, random_walk(MARKET, 7))
    now, played = app.clock.now(), [it.deal for it in report.deals]
    later = now - max(it.closed_at for it in played if it.closed_at is not None)
    rounds = -(-count // len(played))
    past = [
        _renamed(deal, record.bot.id, number, later - lap * datetime.timedelta(hours=7, minutes=11))
        for number, (lap, deal) in enumerate(itertools.product(range(rounds), played), 1)
    ][:count]
    past.sort(key=lambda it: it.opened_at)
    for turn in _batches(past):
        async with app.store.begin() as work:
            for deal in turn:
                await work.deals.end(record.bot.id, deal)
            await _orders(work, record, turn)
            await _told(work, record, turn)
            await work.commit()
    if report.open_deal is not None:
        deal = _renamed(report.open_deal.deal, record.bot.id, count + 1, now - report.open_deal.deal.opened_at)
        await _open(app, record, deal, count)


def _batches(deals: list[Deal]) -> Iterator[list[Deal]]:
    for start in range(0, len(deals), TURN):
        yield deals[start : start + TURN]


def _renamed(deal: Deal, bot_id: BotId, number: int, later: datetime.timedelta) -> Deal:
    """Return the deal as one of the bot's, at another time."""
    deal_id = DealId(f"{bot_id}-{number}")
    orders = {}
    for place, order in enumerate(deal.orders.values()):
        order_id = OrderId(f"{deal_id}-{place}")
        fills = [
            attrs.evolve(it, trade_id=TradeId(f"{number}{place:03}{at:02}"), at=it.at + later)
            for at, it in enumerate(order.fills)
        ]
        orders[order_id] = attrs.evolve(order, id=order_id, fills=tuple(fills))
    closed_at = None if deal.closed_at is None else deal.closed_at + later
    changed: dict[str, Any] = {"id": deal_id, "number": number, "orders": orders, "opened_at": deal.opened_at + later}
    return attrs.evolve(deal, **changed, closed_at=closed_at)


async def _orders(work: Work, record: BotRecord, deals: Iterable[Deal]) -> None:
    pairs = [(deal, order) for deal in deals for order in deal.orders.values()]
    await work.intents.save([_intent(record, deal, order) for deal, order in pairs])
    await work.fills.add(
        [
            BookedFill(
                order_id=order.id,
                account_id=record.account_id,
                pair=MARKET.pair,
                fill=fill,
                fee=fill.base_fee or fill.quote_fee,
                fee_asset=MARKET.base_asset if fill.base_fee else MARKET.quote_asset,
            )
            for _, order in pairs
            for fill in order.fills
        ]
    )


def _intent(record: BotRecord, deal: Deal, order: Order) -> Intent:
    states = {OrderState.FILLED: IntentState.FILLED, OrderState.OPEN: IntentState.OPEN}
    return Intent(
        order=order,
        bot_id=record.bot.id,
        deal_id=deal.id,
        account_id=AccountId(record.account_id),
        pair=MARKET.pair,
        state=states.get(order.state, IntentState.CANCELED),
        planned_at=deal.opened_at,
    )


async def _told(work: Work, record: BotRecord, deals: Iterable[Deal]) -> None:
    """Let three lines of activity tell of each deal, and a notification of each fifth one."""
    lines, notes = [], []
    for deal in deals:
        level = Level.INFO if deal.number % _WARNS_EVERY else Level.WARNING
        text = f"{record.name}: deal {deal.number} in {MARKET.pair} at {deal.opened_price}, as its target was reached."
        common: dict[str, Any] = {
            "user_id": record.user_id,
            "at": deal.opened_at,
            "text": text,
            "level": level,
            "bot_id": record.bot.id,
        }
        lines += [Activity(kind=kind, deal_id=deal.id, **common) for kind in _LINES_OF_A_DEAL]
        if deal.number % _TELLS_EVERY == 0:
            read_at = None if deal.number % _UNREAD_EVERY == 0 else deal.opened_at
            notes.append(Notification(kind="target_hit", read_at=read_at, **common))
    await work.feed.add_activity(lines)
    await work.feed.add_notifications(notes)


async def _open(app: App, record: BotRecord, deal: Deal, count: int) -> None:
    """Let the bot be in the middle of *deal*."""
    async with app.store.begin() as work:
        changed = attrs.evolve(
            record.bot,
            deal=deal,
            phase=Phase.IN_POSITION,
            wanted=Wanted.RUN,
            price=Price(deal.opened_price),
            deals_started=count + 1,
            deals_closed=count,
        )
        await work.bots.save(changed)
        await _orders(work, record, [deal])
        await work.commit()


# --------------------------------------------------------------------------------------------------- and all the others


_OF_DEALS: Final = {"opened_at", "closed_at", "takers_at", "retarget_at"}
_TIMES: Final = {
    "deal": _OF_DEALS,
    "order_intent": {"planned_at", "sent_at", "missed_at"},
    "fill": {"at"},
    "activity": {"at"},
    "notification": {"at", "read_at"},
}
_IDS: Final = {"deal": "id", "order_intent": "id deal_id", "fill": "order_id", "activity": "deal_id"}
_DAY_US: Final = 86_400_000_000
_SINCE_US: Final = 400 * _DAY_US
"""How long everybody has been there."""
_GIVEN: Final = {"seq", "number"}
"""Numbers that the database gives out; that of a deal is the bot's own."""


def _copy(file: Path, first: BotRecord, others: Iterable[BotRecord]) -> None:
    """Give each of *others* what *first* has, each a day further back than the one before, and let all be old."""
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("PRAGMA defer_foreign_keys = ON")
        for days, other in enumerate(others, 1):
            for table in ("deal", "order_intent", "fill", "activity", "notification", "day_total"):
                _copy_rows(database, table, first, other, days)
            _copy_sums(database, first, other)
        for table in ("user", "account", "bot"):
            database.execute(f'UPDATE "{table}" SET created_at = created_at - ?', (_SINCE_US,))


def _copy_rows(database: sqlite3.Connection, table: str, first: BotRecord, other: BotRecord, days: int) -> None:
    names = [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
    names = [it for it in names if it not in _GIVEN or (table, it) == ("deal", "number")]
    values = [_expression(table, name, days) for name in names]
    where = "order_id LIKE :old || '-%'" if table == "fill" else "bot_id = :old"
    told = {
        "old": first.bot.id,
        "new": other.bot.id,
        "account": other.account_id,
        "user": other.user_id,
    }
    columns = ", ".join(f'"{it}"' for it in names)
    ordered = " ORDER BY rowid" if table != "day_total" else ""
    statement = f'INSERT INTO "{table}" ({columns}) SELECT {", ".join(values)} FROM "{table}" WHERE {where}{ordered}'
    database.execute(statement, told)


def _expression(table: str, name: str, days: int) -> str:
    if name in _IDS.get(table, "").split():
        return f"replace({name}, :old, :new)"
    if name in _TIMES.get(table, ()):
        return f"{name} - {days * _DAY_US}"
    if name == "trade_id":  # of one account a trade's id may not come twice
        return f"trade_id || '{days:02}'"
    if name == "digits":
        return "digits + 2"
    if name == "day":
        return f"date(day, '-{days} days')"
    return {"bot_id": ":new", "account_id": ":account", "user_id": ":user"}.get(name, f'"{name}"')


def _copy_sums(database: sqlite3.Connection, first: BotRecord, other: BotRecord) -> None:
    own = {"id", "user_id", "account_id", "name", "created_at"}
    names = [row[1] for row in database.execute('PRAGMA table_info("bot")') if row[1] not in own]
    columns = ", ".join(f'"{it}"' for it in names)
    database.execute(
        f"UPDATE bot SET ({columns}) = (SELECT {columns} FROM bot WHERE id = ?) WHERE id = ?",
        (first.bot.id, other.bot.id),
    )
