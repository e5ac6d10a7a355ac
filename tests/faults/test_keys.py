"""A key that is replaced while its bots trade."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import pytest

from dcacore.domain.bot import Cure
from dcacore.domain.errors import InvalidParameter, NotNow
from dcacore.domain.ids import AccountId
from dcacore.domain.roles import Role
from dcacore.ports.errors import BadCredentials, OrdersLimited
from dcacore.ports.records import Environment, RequestKind
from tests.faults.stage import ACCOUNT, BOT, DEAD_KEY, Carry, Stage, of_role, refused, slow


def test_f59_bots_go_on_with_a_new_key_of_the_same_account(keyed: Stage) -> None:
    keyed.revoke("first")
    keyed.run(60)
    trouble = keyed.bot().trouble
    assert trouble is not None
    assert trouble.cure is Cure.CREDENTIALS
    keyed.move("90", after=5)  # a safety order fills while nobody may look
    keyed.replace_key("second")
    keyed.run(20)
    assert keyed.trouble() is None
    assert keyed.deal().filled_safety_orders == 1
    assert keyed.venues.opened == ["second"]
    keyed.expect_position()
    began = keyed.loop.time()
    keyed.run(300)
    assert not keyed.wire(ACCOUNT, "first").requests("*", since=began)


def test_f59_a_key_is_replaced_while_the_old_one_still_works(keyed: Stage) -> None:
    before = keyed.orders()
    keyed.replace_key("second")
    keyed.run(20)
    keyed.move("90", after=5)
    assert keyed.deal().filled_safety_orders == 1
    assert {order.order.order_id for order in before} <= {order.order.order_id for order in keyed.orders()}
    assert keyed.venues.opened == ["second"]


def test_f59_an_order_on_the_wire_is_neither_lost_nor_doubled_by_a_new_key(keyed: Stage) -> None:
    keyed.wire(ACCOUNT, "first").on("place", slow(after=30), when=of_role(Role.TAKE_PROFIT))
    keyed.move("90", after=1)  # its safety order fills; the take profit is replaced, and the answer stays away
    keyed.replace_key("second")
    keyed.run(120)
    assert keyed.trouble() is None
    keyed.expect_position()


def test_f59_a_key_of_another_account_is_refused_while_a_deal_is_open(keyed: Stage) -> None:
    keyed.open_account(AccountId("other"), environment=Environment.TESTNET, key="theirs")
    keyed.venues.keyed["theirs"] = AccountId("other")
    with pytest.raises(NotNow, match="another account's: it does not know the orders of"):
        keyed.replace_key("theirs")
    keyed.run(30)
    assert keyed.venues.opened == ["first"]
    assert keyed.trouble() is None


def test_f59_a_deal_that_opens_while_the_key_is_replaced_is_not_overlooked(empty_stage: Stage) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(environment=Environment.TESTNET, key="first")
    stage.add_bot("other")
    stage.add_bot()
    stage.start("other", after=5)

    async def open_another(carry: Carry) -> Any:
        stage.loop.create_task(stage.asked(RequestKind.START, BOT))
        await asyncio.sleep(10)
        return await carry()

    stage.wire(ACCOUNT, "second").on("find", open_another)
    with pytest.raises(NotNow, match="a deal has been opened in this moment"):
        stage.replace_key("second")
    stage.replace_key("second")
    stage.run(30)
    assert stage.venues.opened == ["second"]


def test_f59_a_key_that_does_not_work_is_refused_while_a_deal_is_open(keyed: Stage) -> None:
    keyed.wire(ACCOUNT, "mistyped").on("*", refused(DEAD_KEY), times=10_000)
    with pytest.raises(BadCredentials):
        keyed.replace_key("mistyped")
    keyed.run(30)
    assert keyed.venues.opened == ["first"]


def test_f59_an_account_on_paper_has_no_key_to_replace(stage: Stage) -> None:
    with pytest.raises(InvalidParameter, match="every account but one on paper"):
        stage.replace_key("second")


def test_f59_a_key_that_could_not_be_read_is_replaced(keyed: Stage) -> None:
    keyed.stop_engine()
    keyed.venues.opened.clear()
    secrets = keyed.venues.secrets
    keyed.venues.fails[ACCOUNT] = BadCredentials("the key has been deleted")
    keyed.start_engine()
    keyed.run(60)
    assert keyed.bot(BOT).trouble is not None
    keyed.venues.fails.clear()
    keyed.replace_key("second")
    assert keyed.venues.secrets is secrets
    keyed.run(60)
    assert keyed.trouble() is None
    keyed.expect_position()


def test_f59_a_buy_that_waits_for_a_comparison_keeps_no_bot_from_its_new_key(keyed: Stage) -> None:
    keyed.wire(ACCOUNT, "first").lose_stream()
    keyed.ask(RequestKind.ADD_FUNDS, amount="20", after=3)
    keyed.revoke("first")  # so that what the buy waits for never comes
    keyed.run(60)
    assert len(keyed.orders(Role.EXTRA)) == 0
    keyed.replace_key("second")
    keyed.run(60)
    assert keyed.trouble() is None
    assert keyed.venues.opened == ["second"]
    assert len(keyed.orders(Role.EXTRA)) <= 1
    keyed.expect_position()


def test_f59_a_buy_that_waits_for_a_limit_keeps_no_bot_from_its_new_key(keyed: Stage) -> None:
    wire = keyed.wire(ACCOUNT, "first")
    wire.on("place", refused(OrdersLimited(keyed.clock.now() + datetime.timedelta(hours=12))), when=of_role(Role.EXTRA))
    for _ in range(2):
        keyed.ask(RequestKind.ADD_FUNDS, amount="20", after=3)
    keyed.revoke("first")
    keyed.run(60)
    keyed.replace_key("second")
    keyed.run(60)
    assert keyed.trouble() is None
    assert keyed.venues.opened == ["second"]
    keyed.expect_position()
