"""The Polar of the tests behaves as far as others rely on it."""

from __future__ import annotations

import httpx
import pytest

from dcacore.adapters.billing_memory import MemoryBilling
from dcacore.adapters.polar import PolarBilling
from dcacore.domain.ids import UserId
from dcacore.ports.errors import Rejected, Unavailable
from tests.polar.server import TOKEN, PolarServer
from tests.polar.world import PolarIds, PolarWorld
from tests.unit.simulated.clock import ManualClock

ANNA = UserId("anna4567")


async def test_a_browser_pays_and_comes_back(billing: PolarBilling, server: PolarServer, world: PolarWorld) -> None:
    begun = await billing.begin_checkout(
        ANNA,
        email="anna@example.org",
        success_url="http://h/done?checkout_id={CHECKOUT_ID}",
        return_url="http://h/",
        address="",
    )
    async with httpx.AsyncClient(trust_env=False) as browser:
        assert "Pay" in (await browser.get(begun.url)).text
        paid = await browser.post(begun.url)
        assert (paid.status_code, paid.headers["location"]) == (303, f"http://h/done?checkout_id={begun.id}")
        assert (await browser.post(begun.url)).status_code == 403
        second = await billing.begin_checkout(ANNA, email="a@b.org", success_url="", return_url="", address="")
        assert "active subscription already" in (await browser.post(second.url)).text
        assert (await browser.get(f"{server.url}/checkout/none")).status_code == 404
        portal = await billing.portal(ANNA, return_url="http://h/")
        assert (await browser.get(portal)).status_code == 200
    assert [it.type for it in server.told][:3] == ["checkout.created", "checkout.updated", "checkout.updated"]
    assert await billing.subscriptions(ANNA) == world.till.subscriptions_of(ANNA)


async def test_it_takes_nobody_without_the_token_and_version(server: PolarServer) -> None:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as stranger:
        assert (await stranger.get("/v1/subscriptions/")).status_code == 401
        bare = await stranger.get("/v1/subscriptions/", headers={"authorization": f"Bearer {TOKEN}"})
        assert bare.status_code == 400


def test_nobody_buys_twice(world: PolarWorld) -> None:
    world.buy(ANNA)
    with pytest.raises(Rejected, match="active subscription already"):
        world.buy(ANNA)
    world.end(ANNA)
    assert len(world.buy(ANNA)) == 12


def test_every_change_has_a_time_of_its_own(world: PolarWorld) -> None:
    world.buy(ANNA)
    seen = [world.subscription_of(ANNA).changed_at]
    for act in (world.cancel, world.undo, world.fail_charge, world.recover, world.pause, world.resume, world.end):
        act(ANNA)
        seen.append(world.subscription_of(ANNA).changed_at)
    assert seen == sorted(set(seen))


async def test_billing_in_memory_can_be_out_of_order(clock: ManualClock) -> None:
    billing = MemoryBilling(clock, PolarIds())
    billing.trouble = Unavailable("billing is away")
    with pytest.raises(Unavailable):
        await billing.subscriptions(ANNA)
    billing.trouble = None
    assert await billing.subscriptions(ANNA) == ()
