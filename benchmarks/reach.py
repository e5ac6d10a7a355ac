"""How soon a price that leaves the exchange is to be seen on a page in a browser."""

from __future__ import annotations

import asyncio
import re
import time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, sync_playwright

from benchmarks.paint import FLAGS, program
from benchmarks.served import served
from benchmarks.streams import market
from benchmarks.timed_exchange import TimedExchange, timed_exchange
from dcacore.adapters.fernet import generate_key
from dcacore.application import accounts, asking, bots
from dcacore.application.identity import sessions
from dcacore.application.identity.means import NOBODY
from dcacore.bootstrap.app import App, open_app
from dcacore.domain.ids import UserId
from dcacore.domain.market import Fees
from dcacore.domain.money import Price
from dcacore.domain.strategy import Strategy
from dcacore.ports.bot_file import BotFile
from dcacore.ports.records import Environment, RequestKind, Tier, User
from dcacore.ports.secrets import ApiKey
from dcacore.settings import Settings

MOVES: Final = 40
APART_S: Final = 0.37
"""Not in step with the pace at which prices are handed on."""
GOAL_MS: Final = 300
_KEY: Final = ApiKey("key", "secret")
_MARKET: Final = market(0)
_NODE: Final = f'[data-live="price.custom.{_MARKET.pair}"]'
_WATCH: Final = """(selector) => {
  window.seen = [];
  const look = () => {  // parts of a page are replaced: the node is not always the same
    const text = document.querySelector(selector)?.textContent;
    if (text && text !== window.seen.at(-1)?.[1]) window.seen.push([performance.timeOrigin + performance.now(), text]);
  };
  new MutationObserver(look).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""


async def _prepare(app: App) -> str:
    now = app.clock.now()
    user = User(id=UserId("user"), email="user@example.com", created_at=now, verified_at=now, tier=Tier.PRO)
    async with app.store.begin() as work:
        await work.users.add(user)
        opened = await sessions.open_session(app.identity, work, user, NOBODY)
        await work.commit()
    await accounts.add(
        *app.means,
        app.secrets,
        user_id=user.id,
        name="spot",
        environment=Environment.CUSTOM,
        api_key=_KEY,
        keys=app.keys,
    )
    strategy = Strategy(
        pair=_MARKET.pair,
        base_order_size=100,
        safety_order_size=100,
        max_safety_orders=1,
        price_deviation=50,
        take_profit=100,
    )
    file = BotFile(file="bot.toml", name="bot", strategy=strategy, market={}, fees=Fees())
    await bots.create(*app.means, user_id=user.id, account="spot", bot_file=file, market=_MARKET)
    await asking.ask(*app.means, user_id=user.id, bot="bot", kind=RequestKind.START)
    return opened.secret


def delays(folder: Path, moves: int = MOVES) -> list[float]:
    """Return the milliseconds that *moves* prices took; nothing where there is no Chromium."""
    where = program()
    if where is None:
        return []
    with timed_exchange({_MARKET: Price(Decimal(1000))}, {_KEY.key: _KEY.secret}) as exchange:
        settings = Settings(
            database_url=f"sqlite:///{folder}/reach.db",
            encryption_key=generate_key(),
            binance_rest_url=exchange.urls.rest,
            binance_stream_url=exchange.urls.stream,
            binance_ws_api_url=exchange.urls.ws_api,
        )

        async def prepare() -> str:
            async with open_app(settings, may_create=True) as app:
                return await _prepare(app)

        cookie = asyncio.run(prepare())
        with served(settings, has_engine=True) as it, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=where, args=FLAGS)
            context = browser.new_context(base_url=it.url)
            context.add_cookies([{"name": "session", "value": cookie, "url": it.url}])
            page = context.new_page()
            page.goto("/bots")
            page.wait_for_selector(_NODE)
            page.wait_for_function("(it) => document.querySelector(it).textContent.includes('1,000')", arg=_NODE)
            page.evaluate(_WATCH, _NODE)
            found = _moved(exchange, page, moves)
            browser.close()
    return found


def _moved(exchange: TimedExchange, page: Page, moves: int) -> list[float]:
    left = {}
    for number in range(1, moves + 1):
        price = Price(Decimal(1000 + number))
        left[int(price)] = exchange.move({_MARKET.pair: price})[_MARKET.pair]
        page.wait_for_timeout(APART_S * 1000)
    page.wait_for_timeout(1000)
    seen: Any = page.evaluate("window.seen")
    wall = time.time() - time.monotonic()
    first: dict[int, float] = {}
    for at, text in seen:
        shown = re.sub(r"[^\d.]", "", text)
        if shown:  # the market trembles by a tick: 1000.99 tells of 1001
            first.setdefault(int(Decimal(shown) + Decimal("0.01")), at / 1e3 - wall)
    return [(first[price] - at) * 1e3 for price, at in left.items() if price in first]
