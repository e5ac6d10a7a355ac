"""A dashboard that sells: Polar is one of the tests' own, in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import attrs

from dcacore.adapters.billing_memory import MemoryBilling
from dcacore.adapters.letters import TemplateLetters
from dcacore.adapters.polar import PolarHooks
from dcacore.application.billing.keeping import Keeper
from dcacore.application.billing.means import BillingMeans
from dcacore.application.billing.tiers import Selling
from dcacore.application.telling import Post
from dcacore.bootstrap.app import App
from dcacore.bootstrap.shop import Shop
from dcacore.domain.entitlement import Terms
from dcacore.ports.records import Tier
from tests.polar.world import PRODUCT, SECRET, Delivery, PolarWorld
from tests.web.desk import Desk, desk_in
from tests.web.stage import BASE_URL


@attrs.define
class Till:
    """A desk at which plans are sold.

    Attributes:
        desk: the desk; Anna has no plan yet.
        world: what happens at Polar.
        billing: what is asked there.
        keeper: what deals with what is told; the tests let it work.
    """

    desk: Desk
    world: PolarWorld
    billing: MemoryBilling
    keeper: Keeper

    async def told(self, deliveries: Iterable[Delivery]) -> list[int]:
        """Send what Polar tells, and return how each was answered."""
        answers = []
        for it in map(self.world.again, deliveries):
            client = self.desk.browser.client
            answers.append(await client.post("/webhooks/polar", content=it.body, headers=it.headers))
        return [it.status_code for it in answers]

    async def work(self) -> None:
        """Let the keeper do what is to be done."""
        while await self.keeper.deal_with_due():
            pass
        await self.keeper.look_around()

    async def tier(self) -> Tier:
        """Return what Anna has."""
        async with self.desk.app.store.begin(reads_only=True) as work:
            found = await work.users.get(self.desk.anna.id)
        assert found is not None
        return found.tier


@asynccontextmanager
async def till_in(folder: Path, *, has_engine: bool = False) -> AsyncIterator[Till]:
    """Yield a desk that sells."""
    made: list[Till] = []

    def shop(app: App) -> Shop:
        world = PolarWorld(app.clock)
        billing = MemoryBilling(app.clock, app.ids, product_id=PRODUCT)
        billing.till = world.till
        means = BillingMeans(
            store=app.store,
            clock=app.clock,
            ids=app.ids,
            billing=billing,
            selling=Selling(terms=Terms(product_id=PRODUCT), post=Post(letters=TemplateLetters(), base_url=BASE_URL)),
            base_url=BASE_URL,
        )
        keeper = Keeper(means)
        made.append(Till(None, world, billing, keeper))  # type: ignore[arg-type]  # the desk comes below
        return Shop(means=means, hooks=PolarHooks([SECRET]), keeper=keeper)

    async with desk_in(folder, has_engine=has_engine, tier=Tier.FREE, shop=shop) as desk:
        yield attrs.evolve(made[0], desk=desk)
