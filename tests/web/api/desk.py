"""The API over a store in memory in which Ann and Bob have traded, and short ways to ask it."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
from httpx import Response
from litestar import Litestar
from litestar.testing import AsyncTestClient

from dcacore.adapters.fernet import FernetSecrets, generate_key
from dcacore.adapters.memory import MemoryStore
from dcacore.application.identity import api_tokens
from dcacore.application.identity.api_tokens import NewToken
from dcacore.bootstrap.app import App
from dcacore.bootstrap.paper import InProcessPaper
from dcacore.bootstrap.venues import ByEnvironment
from dcacore.domain.ids import UserId
from dcacore.ports.identity import Scope
from dcacore.ports.records import Environment
from dcacore.settings import Settings
from dcaweb.app import create_app
from tests.contract.stored import ANN, BOB
from tests.unit.application.office import MARKET, CountedIds, ReversedPasswords
from tests.unit.application.readings import filled
from tests.unit.simulated.clock import ManualClock

BOT: dict[str, Any] = {
    "account": "paper",
    "name": "calm",
    "pair": "BTCUSDT",
    "base_order_size": "100",
    "safety_order_size": "100",
    "max_safety_orders": 3,
    "price_deviation": "1",
    "take_profit": "1.5",
}
"""The body of a bot that can be made."""
PARAMETERS = {name: value for name, value in BOT.items() if name != "account"}
SHORT = datetime.timedelta(minutes=1)


@attrs.define
class Desk:
    """The API, and who asks it.

    Attributes:
        app: what it is over.
        web: the Litestar application.
        client: asks it.
        clock: stands until it is set on.
        trade: Ann's token that may trade.
        read: hers that may only read.
        bobs: Bob's that may trade.
    """

    app: App
    web: Litestar
    client: AsyncTestClient[Litestar]
    clock: ManualClock
    trade: NewToken
    read: NewToken
    bobs: NewToken

    @classmethod
    @asynccontextmanager
    async def opened(cls, folder: Path) -> AsyncIterator[Desk]:
        """Yield the API."""
        store, clock = await filled()
        await _verified(store, clock)
        paper = InProcessPaper([(MARKET, "30000")], {"USDT": Decimal(1000)}, clock)
        app = App(
            settings=Settings(encryption_key=generate_key(), data_dir=str(folder / "candles")),
            store=store,
            clock=clock,
            ids=CountedIds(),
            secrets=FernetSecrets(generate_key()),
            passwords=ReversedPasswords(),
            venues=ByEnvironment({Environment.PAPER: paper}),
        )
        made = [await _token(app, ANN, Scope.TRADE), await _token(app, ANN, Scope.READ), await _token(app, BOB)]
        web = create_app(app)
        async with AsyncTestClient(web) as client:
            yield cls(app, web, client, clock, *made)

    async def ask(self, method: str, path: str, token: NewToken | None = None, **terms: Any) -> Response:
        """Return what the API answers to Ann's trade token, or to another one."""
        secret = (token or self.trade).secret
        headers = {"authorization": f"Bearer {secret}", **terms.pop("headers", {})}
        return await self.client.request(method, f"/api/v1{path}", headers=headers, **terms)


async def _verified(store: MemoryStore, clock: ManualClock) -> None:
    async with store.begin() as work:
        for user_id in (ANN, BOB):
            user = await work.users.get(user_id)
            assert user is not None
            await work.users.save(attrs.evolve(user, verified_at=clock.now()))
        await work.commit()


async def _token(app: App, user_id: UserId, scope: Scope = Scope.TRADE) -> NewToken:
    return await api_tokens.make_token(app.identity, user_id, name=scope.value, scope=scope)


def problem_of(answer: Response, status: int) -> dict[str, Any]:
    """Return the problem details of an answer that has to be one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    return told
