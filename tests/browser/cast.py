"""Who and what is in the pictures: the demo's owner and bots, some more bots that stand otherwise, and a newcomer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import attrs

from dcacore.application import accounts, asking, bots, users
from dcacore.application.analytics import Choice
from dcacore.application.deal_pages import deal_list
from dcacore.bootstrap import bot_of_text, market_of
from dcacore.bootstrap.app import App
from dcacore.bootstrap.backtests import Backtests, Order
from dcacore.bootstrap.demo import EMAIL, Demo
from dcacore.bootstrap.fetching import folder_of
from dcacore.domain.ids import UserId
from dcacore.ports.backtests import RunState
from dcacore.ports.bot_file import BotFile
from dcacore.ports.intervals import INTERVALS
from dcacore.ports.readings import DealState
from dcacore.ports.records import BotRecord, Environment, RequestKind

NEWCOMER: Final = "newcomer@example.com"
_RUNNING, _TRAILING, _PAUSED = "BTC steady", "ETH trailing", "SOL with a stop"
_BOT: Final = """[bot]
pair = "{pair}"
base_order_size = "{base}"
safety_order_size = "{base}"
max_safety_orders = 4
price_deviation = "1.5"
take_profit = "1.5"
"""


async def cast(demo: Demo) -> Mapping[str, str]:
    """Add what the demo lacks, and return the ids of what there is, by the names in addresses."""
    app = demo.app
    owner = (await users.find(app.store, EMAIL)).id
    await users.set_admin(app.store, email=EMAIL, is_admin=True)
    newcomer = await users.create(*app.means, app.passwords, email=NEWCOMER, password=demo.password, is_verified=True)
    stopped = await _bot(app, owner, "ADA not started", "ADAUSDT", "50")
    waiting = await _bot(app, owner, "LINK too large", "LINKUSDT", "50000")
    await _ask(app, owner, waiting, RequestKind.START)
    await _until(app, owner, waiting.name, lambda it: it.bot.trouble is not None)
    paused = await bots.find(app.store, owner, _PAUSED)
    await _ask(app, owner, paused, RequestKind.PAUSE)
    running, trailing = [await bots.find(app.store, owner, it) for it in (_RUNNING, _TRAILING)]
    trading = await _until(app, owner, _RUNNING, lambda it: it.bot.deal is not None)
    closed = await deal_list(
        app.store, app.clock, owner, Choice(bot=running.bot.id), states=frozenset({DealState.CLOSED}), limit=1
    )
    assert trading.bot.deal is not None
    runs = [await _played(app, owner, running, days) for days in (7, 3)]
    return {
        "run": runs[0],
        "other_run": runs[1],
        "newcomer": newcomer.id,
        "running": running.bot.id,
        "trailing": trailing.bot.id,
        "paused": paused.bot.id,
        "stopped": stopped.bot.id,
        "waiting": waiting.bot.id,
        "open_deal": trading.bot.deal.id,
        "closed_deal": closed.rows[0].record.deal.id,
    }


async def _played(app: App, owner: UserId, record: BotRecord, days: int) -> str:
    """Return the id of a backtest of a bot over the last days of the demo's own market."""
    backtests, now_ms = Backtests(app), int(app.clock.now().timestamp() * 1000)
    market, strategy = record.bot.market, record.bot.strategy
    rules = attrs.asdict(market, filter=lambda field, _: field.name != "pair")
    order = Order(
        bot=BotFile(file=record.name, name=record.name, strategy=strategy, market=rules, fees=record.bot.fees),
        market=market,
        data_dir=folder_of(app, Environment.PAPER),
        interval="1m",
        from_ms=now_ms - days * INTERVALS["1d"],
        to_ms=now_ms,
        environment=Environment.PAPER,
    )
    run = await backtests.begin(owner, order)
    while not (found := await backtests.of(owner, run.id)).state.has_ended:
        await app.clock.sleep(0.1)
    assert found.state is RunState.DONE, found.failure
    return found.id


async def _bot(app: App, owner: UserId, name: str, pair: str, base: str) -> BotRecord:
    (account,) = await accounts.of(app.store, owner)
    file = bot_of_text(name, _BOT.format(pair=pair, base=base))
    return await bots.create(*app.means, user_id=owner, account=account.id, bot_file=file, market=market_of(file))


async def _ask(app: App, owner: UserId, record: BotRecord, kind: RequestKind) -> None:
    await app.wait_for(await asking.ask(*app.means, user_id=owner, bot=record.bot.id, kind=kind))


async def _until(app: App, owner: UserId, name: str, holds: Callable[[BotRecord], bool]) -> BotRecord:
    while not holds(found := await bots.find(app.store, owner, name)):
        await app.clock.sleep(0.1)
    return found
