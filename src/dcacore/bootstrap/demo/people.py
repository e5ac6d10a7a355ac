"""Who is there when the demo's history begins: a user, his account, and three bots that are to start."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import attrs

from dcacore.adapters.passwords import BcryptPasswords
from dcacore.application import accounts, asking, bots, deals, users
from dcacore.domain.ids import BotId, UserId
from dcacore.domain.market import Fees, Market
from dcacore.domain.strategy import Strategy
from dcacore.ports.bot_file import BotFile
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.records import Account, Environment, Request, RequestKind, Tier, User
from dcacore.ports.secrets import Secrets
from dcacore.ports.store import Store

EMAIL: Final = "test@example.com"
PASSWORD: Final = "Test1234"  # noqa: S105  # it is printed: whoever sees the demo is to log in
ACCOUNT: Final = "Paper"

STRATEGIES: Final[Mapping[str, Strategy]] = {
    "BTC steady": Strategy(
        pair="BTCUSDT",
        base_order_size=100,
        safety_order_size=100,
        max_safety_orders=6,
        safety_order_volume_scale="1.3",
        price_deviation="0.8",
        safety_order_step_scale="1.25",
        take_profit="0.7",
    ),
    "ETH trailing": Strategy(
        pair="ETHUSDT",
        base_order_size=80,
        safety_order_size=100,
        max_safety_orders=7,
        safety_order_volume_scale="1.25",
        price_deviation=1,
        safety_order_step_scale="1.2",
        take_profit="1.2",
        trailing_deviation="0.3",
    ),
    "SOL with a stop": Strategy(
        pair="SOLUSDT",
        base_order_size=120,
        safety_order_size=120,
        max_safety_orders=4,
        safety_order_volume_scale="1.5",
        price_deviation="1.5",
        safety_order_step_scale="1.3",
        take_profit="1.5",
        stop_loss=11,
        active_safety_orders=2,
        cooldown=30,
    ),
}
"""By the bot's name."""


@attrs.frozen(kw_only=True)
class Wish:
    """What the user asks of a bot's open deal, if it has one then.

    Attributes:
        after: when, as a share of the history.
        bot: whose deal.
        ask: asks it.
    """

    after: float
    bot: str
    ask: Callable[[Store, Clock, Ids, UserId, str], Awaitable[Request]]


WISHES: Final = (
    Wish(
        after=0.37,
        bot="ETH trailing",
        ask=lambda store, clock, ids, user_id, bot: deals.add_funds(
            store, clock, ids, user_id=user_id, named=bot, amount="150"
        ),
    ),
    Wish(
        after=0.74,
        bot="BTC steady",
        ask=lambda store, clock, ids, user_id, bot: deals.close(store, clock, ids, user_id=user_id, named=bot),
    ),
)


@attrs.frozen
class People:
    """Who was made.

    Attributes:
        user: who can log in.
        account: where he trades.
        bots: what trades for him, in the order of their making.
    """

    user: User
    account: Account
    bots: tuple[BotId, ...]


async def move_in(store: Store, clock: Clock, ids: Ids, secrets: Secrets, markets: Mapping[str, Market]) -> People:
    """Store user, account and bots, and ask the bots to start; an engine has to carry that out."""
    user = await users.create(
        store, clock, ids, BcryptPasswords(), email=EMAIL, password=PASSWORD, is_verified=True, tier=Tier.PRO
    )
    account = await accounts.add(
        store, clock, ids, secrets, user_id=user.id, name=ACCOUNT, environment=Environment.PAPER
    )
    made = []
    for name, strategy in STRATEGIES.items():
        file = BotFile(file=name, name=name, strategy=strategy, market={}, fees=Fees())
        record = await bots.create(
            store, clock, ids, user_id=user.id, account=account.id, bot_file=file, market=markets[strategy.pair]
        )
        await asking.ask(store, clock, ids, user_id=user.id, bot=record.bot.id, kind=RequestKind.START)
        made.append(record.bot.id)
    return People(user, account, tuple(made))
