"""What the tests of use cases work with: a store in memory, a clock that stands, ids in a row, and no slow hashing."""

from __future__ import annotations

import attrs

from dcacore.adapters.fernet import FernetSecrets, generate_key
from dcacore.adapters.memory import MemoryStore
from dcacore.application import accounts, bots, users
from dcacore.domain.market import Fees, Market
from dcacore.domain.strategy import Strategy
from dcacore.ports.bot_file import BotFile
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.records import Account, BotRecord, Environment, Tier, User
from dcacore.ports.secrets import Passwords
from dcacore.ports.store import Store
from tests.unit.simulated.clock import ManualClock

GOOD_PASSWORD = "Test1234"
MARKET = Market(
    pair="BTCUSDT", base_asset="BTC", quote_asset="USDT", tick_size="0.01", step_size="0.00001", min_notional="5"
)
STRATEGY = Strategy(
    pair="BTCUSDT",
    base_order_size=100,
    safety_order_size=100,
    max_safety_orders=3,
    price_deviation=1,
    take_profit="1.5",
)


class CountedIds(Ids):
    """aaaaaaaa, aaaaaaab, and so on."""

    def __init__(self) -> None:
        self.count = 0

    def new(self) -> str:
        number, text = self.count, ""
        self.count += 1
        for _ in range(8):
            number, digit = divmod(number, 26)
            text = chr(ord("a") + digit) + text
        return text


class ReversedPasswords(Passwords):
    """Turns them round, which takes no time."""

    def hash(self, password: str) -> str:
        return password[::-1]

    def check(self, password: str, stored: str) -> bool:
        return stored == password[::-1]

    def check_nobody(self, password: str) -> None:
        """Take no time either."""


@attrs.define
class Office:
    """The ports, and short ways to make what a test begins with."""

    clock: ManualClock = attrs.field(factory=ManualClock)
    ids: CountedIds = attrs.field(factory=CountedIds)
    secrets: FernetSecrets = attrs.field(factory=lambda: FernetSecrets(generate_key()))
    passwords: ReversedPasswords = attrs.field(factory=ReversedPasswords)
    store: Store = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.store = MemoryStore(self.clock)

    @property
    def means(self) -> tuple[Store, Clock, Ids]:
        return self.store, self.clock, self.ids

    async def user(self, email: str = "anna@example.com", tier: Tier = Tier.PRO) -> User:
        return await users.create(*self.means, self.passwords, email=email, password=GOOD_PASSWORD, tier=tier)

    async def account(self, user: User, name: str = "paper") -> Account:
        return await accounts.add(*self.means, self.secrets, user_id=user.id, name=name, environment=Environment.PAPER)

    async def bot(self, user: User, name: str = "calm", account: str = "paper") -> BotRecord:
        return await bots.create(*self.means, user_id=user.id, account=account, bot_file=bot_file(name), market=MARKET)


def bot_file(name: str = "calm", strategy: Strategy = STRATEGY) -> BotFile:
    return BotFile(file=f"{name}.toml", name=name, strategy=strategy, market={}, fees=Fees())
