"""The dashboard with an engine behind it: Anna with bots on paper, and Bert, who must see nothing of hers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import attrs

from dcacore.adapters.fernet import generate_key
from dcacore.adapters.mail_memory import MemoryMailer
from dcacore.adapters.passwords import BcryptPasswords
from dcacore.application import accounts, asking, bots, users
from dcacore.bootstrap.app import App, open_app, running
from dcacore.bootstrap.paper import InProcessPaper
from dcacore.bootstrap.shop import Shop
from dcacore.bootstrap.venues import ByEnvironment
from dcacore.domain.market import Fees, Market
from dcacore.domain.orders import OrderState
from dcacore.domain.strategy import Strategy
from dcacore.ports.bot_file import BotFile
from dcacore.ports.records import BotRecord, Environment, RequestKind, Tier, User
from dcacore.ports.secrets import ApiKey
from dcacore.settings import Settings
from dcaweb.app import create_app
from tests.web.stage import ANNA, BASE_URL, PASSWORD, Browser, Stage, client_of

BERT: Final = "bert@example.com"
MARKET: Final = Market(
    pair="BTCUSDT", base_asset="BTC", quote_asset="USDT", tick_size="0.01", step_size="0.00001", min_notional="5"
)
STRATEGY: Final = Strategy(
    pair="BTCUSDT",
    base_order_size=100,
    safety_order_size=100,
    max_safety_orders=3,
    price_deviation=1,
    take_profit="1.5",
)


def is_in_position(record: BotRecord) -> bool:
    """Say whether the bot has bought, and all its orders rest."""
    deal = record.bot.deal
    if deal is None or deal.take_profit_price is None:
        return False
    return len(deal.live_orders) > 1 and all(it.state is OrderState.OPEN for it in deal.live_orders)


@attrs.define
class Desk:
    """Everything a test of bots' pages asks for.

    Attributes:
        stage: the pages.
        paper: the exchange, whose prices the test moves.
        anna: who is signed in.
    """

    stage: Stage
    paper: InProcessPaper
    anna: User

    @property
    def app(self) -> App:
        return self.stage.app

    @property
    def browser(self) -> Browser:
        return self.stage.browser

    async def bot(
        self, name: str = "Calm", *, starts: bool = True, environment: Environment = Environment.PAPER, **changes: Any
    ) -> BotRecord:
        """Make one of Anna's bots; if it *starts*, its base order has filled then, and the others rest."""
        named = environment.value
        if named not in {it.name for it in await accounts.of(self.app.store, self.anna.id)}:
            key = None if environment is Environment.PAPER else ApiKey("key", "secret")
            await accounts.add(
                *self.app.means,
                self.app.secrets,
                user_id=self.anna.id,
                name=named,
                environment=environment,
                api_key=key,
            )
        file = BotFile(
            file=name, name=name, strategy=attrs.evolve(STRATEGY, **changes), market={}, fees=Fees(fee_maker="0.001")
        )
        made = await bots.create(*self.app.means, user_id=self.anna.id, account=named, bot_file=file, market=MARKET)
        if not starts:
            return made
        await self.ask(made, RequestKind.START)
        return await self.until(made, is_in_position)

    async def ask(self, record: BotRecord, kind: RequestKind, **details: str) -> None:
        """Ask something of a bot, and wait until an engine has dealt with it."""
        one = await asking.ask(*self.app.means, user_id=self.anna.id, bot=record.bot.id, kind=kind, details=details)
        assert (await self.app.wait_for(one)).is_settled

    async def until(self, record: BotRecord, holds: Any) -> BotRecord:
        """Return the bot once *holds* is true of it."""
        for _ in range(3_000):  # a minute, on a machine that is busy with other things
            found = await self.find(record)
            if holds(found):
                return found
            await self.app.clock.sleep(0.02)
        raise AssertionError(f"it has not come to that: {await self.find(record)}")

    async def find(self, record: BotRecord) -> BotRecord:
        """Return the bot as it is stored now."""
        return await bots.find(self.app.store, self.anna.id, record.bot.id)

    @asynccontextmanager
    async def bert(self) -> AsyncIterator[Browser]:
        """Yield a browser in which somebody else is signed in."""
        await users.create(
            *self.app.means, self.app.passwords, email=BERT, password=PASSWORD, is_verified=True, tier=Tier.PRO
        )
        async with self.stage.another_browser() as browser:
            await browser.sign_in(BERT)
            yield browser


@asynccontextmanager
async def desk_in(
    folder: Path, *, has_engine: bool = True, tier: Tier = Tier.PRO, shop: Callable[[App], Shop] | None = None
) -> AsyncIterator[Desk]:
    """Yield a desk over a database in *folder*; Anna is signed in, and has no bots. *shop* is what billing is by."""
    settings = Settings(
        database_url=f"sqlite:///{folder}/app.db",
        data_dir=f"{folder}/data",
        encryption_key=generate_key(),
        base_url=BASE_URL,
    )
    paper = InProcessPaper([(MARKET, 30000)], {"USDT": Decimal(10_000)})
    venues = ByEnvironment({Environment.PAPER: paper, Environment.LIVE: paper})
    async with open_app(settings, may_create=True) as opened:
        mailer = MemoryMailer()
        app = attrs.evolve(
            opened, passwords=BcryptPasswords(4), mailer=mailer, venues=venues, paper=None, binance=None, keys=None
        )
        app = app if shop is None else attrs.evolve(app, shop=shop(app))
        anna = await users.create(*app.means, app.passwords, email=ANNA, password=PASSWORD, is_verified=True, tier=tier)
        async with _perhaps_running(app, has_engine=has_engine) as equipped:
            web = create_app(equipped)
            async with client_of(web) as client:
                stage = Stage(equipped, web, mailer, Browser(client))
                await stage.browser.sign_in()
                yield Desk(stage, paper, anna)


@asynccontextmanager
async def _perhaps_running(app: App, *, has_engine: bool) -> AsyncIterator[App]:
    if not has_engine:
        yield app
        return
    async with running(app) as equipped:
        yield equipped
