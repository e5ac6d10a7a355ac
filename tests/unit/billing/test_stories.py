"""Whole stories, in any order and any number of times, with billing out of reach at times, end in the right plan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcacore.application.billing.keeping import ASK_EVERY
from dcacore.ports.errors import Unavailable
from dcacore.ports.records import Tier, User
from tests.polar.world import Delivery, PolarWorld
from tests.unit.billing.counter import Counter

Act = Callable[[PolarWorld, User], Sequence[Delivery]]
W: Final = PolarWorld

STORIES: Final[dict[str, tuple[tuple[str, ...], Tier]]] = {
    "buys": (("buy",), Tier.PRO),
    "renews": (("buy", "renew", "renew"), Tier.PRO),
    "fails and recovers": (("buy", "fail_charge", "recover"), Tier.PRO),
    "fails for good": (("buy", "fail_charge", "end"), Tier.FREE),
    "cancels": (("buy", "cancel"), Tier.PRO),
    "cancels and takes it back": (("buy", "cancel", "undo"), Tier.PRO),
    "ends": (("buy", "cancel", "end"), Tier.FREE),
    "is revoked": (("buy", "revoke"), Tier.FREE),
    "gets money back": (("buy", "refund"), Tier.PRO),
    "pauses": (("buy", "pause"), Tier.FREE),
    "pauses and resumes": (("buy", "pause", "resume"), Tier.PRO),
    "comes back": (("buy", "revoke", "buy"), Tier.PRO),
}


async def _story(acts: Sequence[str], arrange: Callable[[list[Delivery]], list[Delivery]], reach: Any) -> Tier:
    counter = Counter()
    anna = await counter.anna()
    told: list[Delivery] = []
    for act in acts:
        told += getattr(counter.world, act)(anna.id)
        counter.office.clock.pass_by(60)
    for delivery in arrange(told):
        counter.out_of_reach(None if reach() else Unavailable("no answer"))
        await counter.told([delivery])
        await counter.work(seconds=1)
    counter.out_of_reach(None)
    await counter.work(seconds=ASK_EVERY.total_seconds() + 61)
    return await counter.tier(anna)


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("order", ["told", "reversed", "doubled"])
async def test_a_story_ends_in_its_plan(name: str, order: str) -> None:
    acts, tier = STORIES[name]
    arrange: dict[str, Callable[[list[Delivery]], list[Delivery]]] = {
        "told": list,
        "reversed": lambda told: told[::-1],
        "doubled": lambda told: [it for one in told for it in (one, one)],
    }
    assert await _story(acts, arrange[order], lambda: True) is tier


@given(st.data())
def test_any_order_of_any_part_of_what_is_told_ends_the_same(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(STORIES)))
    acts, tier = STORIES[name]

    def arrange(told: list[Delivery]) -> list[Delivery]:
        chosen = data.draw(st.lists(st.sampled_from(told), max_size=2 * len(told)), label="what arrives")
        return [it for it in chosen if it.type] or told[:1]

    assert asyncio.run(_story(acts, arrange, lambda: data.draw(st.booleans(), label="can be asked"))) is tier
