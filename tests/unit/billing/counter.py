"""A shop over a Polar of the tests' own: what is told and what is asked for, with time that stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from dcacore.adapters.billing_memory import MemoryBilling
from dcacore.adapters.letters import TemplateLetters
from dcacore.adapters.polar import PolarHooks
from dcacore.application.billing.keeping import Keeper, receive
from dcacore.application.billing.means import BillingMeans
from dcacore.application.billing.tiers import Selling
from dcacore.application.telling import Post
from dcacore.domain.entitlement import Subscription, Terms
from dcacore.domain.ids import UserId
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.errors import PortError
from dcacore.ports.records import Tier, User
from tests.polar.world import PRODUCT, SECRET, Delivery, PolarWorld
from tests.unit.application.office import Office

BASE_URL: Final = "https://dca.example.com"


class WatchedBilling(MemoryBilling):
    """Billing that remembers about whom it was asked.

    Attributes:
        asked: about whom.
        troubles: what a question about somebody raises.
    """

    def __init__(self, clock: Clock, ids: Ids) -> None:
        super().__init__(clock, ids, product_id=PRODUCT)
        self.asked: list[UserId] = []
        self.troubles: dict[UserId, PortError] = {}

    async def subscriptions(self, user_id: UserId) -> tuple[Subscription, ...]:
        self.asked.append(user_id)
        if user_id in self.troubles:
            raise self.troubles[user_id]
        return await super().subscriptions(user_id)


@attrs.define
class Counter:
    """The office with a shop in it.

    Attributes:
        office: the ports.
        world: what happens at Polar.
        billing: what is asked there.
    """

    office: Office = attrs.field(factory=Office)
    world: PolarWorld = attrs.field(init=False)
    billing: WatchedBilling = attrs.field(init=False)
    hooks: PolarHooks = attrs.field(factory=lambda: PolarHooks([SECRET]))
    keeper: Keeper = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.world = PolarWorld(self.office.clock)
        self.billing = WatchedBilling(self.office.clock, self.office.ids)
        self.billing.till = self.world.till
        self.keeper = Keeper(self.means)

    @property
    def means(self) -> BillingMeans:
        store, clock, ids = self.office.means
        post = Post(letters=TemplateLetters(), base_url=BASE_URL)
        selling = Selling(terms=Terms(product_id=PRODUCT), post=post)
        return BillingMeans(store=store, clock=clock, ids=ids, billing=self.billing, selling=selling, base_url=BASE_URL)

    async def anna(self, email: str = "anna@example.com") -> User:
        """Make a user who has not bought anything."""
        anna = await self.office.user(email, tier=Tier.FREE)
        async with self.office.store.begin() as work:
            await work.users.save(attrs.evolve(anna, verified_at=self.office.clock.now()))
            await work.commit()
        return anna

    async def told(self, deliveries: Iterable[Delivery]) -> list[bool]:
        """Hand in what Polar tells, signed at this moment; say which of it was news."""
        again = [self.world.again(it) for it in deliveries]
        return [await receive(self.means, self.hooks, it.headers, it.body) for it in again]

    async def work(self, *, seconds: float = 0) -> None:
        """Let the keeper do all that is to be done, after so much time."""
        self.office.clock.pass_by(seconds)
        while await self.keeper.deal_with_due():
            pass
        await self.keeper.look_around()

    async def tier(self, user: User) -> Tier:
        async with self.office.store.begin(reads_only=True) as work:
            found = await work.users.get(user.id)
        assert found is not None
        return found.tier

    async def letters(self) -> list[str]:
        """Return the subjects of what waits in the outbox, and take it out."""
        async with self.office.store.begin() as work:
            due = await work.outbox.due(self.office.clock.now())
            for it in due:
                await work.outbox.mark_sent(it.mail.key, self.office.clock.now())
            await work.commit()
        return [it.mail.subject for it in due]

    def out_of_reach(self, why: PortError | None) -> None:
        """Let every question fail, or none any more."""
        self.billing.trouble = why
