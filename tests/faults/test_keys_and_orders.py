"""A key that is replaced in the very moment in which orders go out: F59."""

from __future__ import annotations

import pytest

from dcacore.domain.errors import NotNow
from dcacore.domain.ids import AccountId
from dcacore.domain.intents import IntentState
from dcacore.domain.orders import Role
from dcacore.ports.records import Environment, RequestKind
from tests.faults.stage import ACCOUNT, Stage, of_role, slow

OTHER = AccountId("other")
BOTS = ("one", "two", "three")


@pytest.fixture(params=[Environment.TESTNET, Environment.LIVE])
def two_accounts(request: pytest.FixtureRequest, empty_stage: Stage) -> Stage:
    """Return a stage on which the key "theirs" opens another account than the bot's; no bot has been started."""
    empty_stage.list_pair()
    empty_stage.open_account(environment=request.param, key="first")
    empty_stage.open_account(OTHER, environment=request.param, key="theirs")
    empty_stage.venues.keyed["theirs"] = OTHER
    empty_stage.add_bot()
    return empty_stage


def slow_down(stage: Stage) -> None:
    """Let all requests under all keys be long on their way, so that more happens between two of them."""
    for key in ("first", "second", "third"):
        wire = stage.wire(ACCOUNT, key)
        wire.on("place", slow(before=0.3, after=1.3), times=1000)
        for name in ("find", "open_orders", "trades"):
            wire.on(name, slow(before=0.3), times=1000)


def test_f59_a_key_of_another_account_is_refused_while_a_base_order_is_on_the_wire(two_accounts: Stage) -> None:
    stage = two_accounts
    stage.wire(ACCOUNT, "first").on("place", slow(before=0.4), when=of_role(Role.BASE))
    stage.start(after=0.3)
    assert [intent.state for intent in stage.intents()] == [IntentState.SENDING]
    with pytest.raises(NotNow, match="is being opened with the key so far"):
        stage.replace_key("theirs")
    stage.run(200)
    assert stage.venues.opened == ["first"]
    stage.expect_position()


def test_f59_no_base_order_goes_out_with_a_key_that_is_not_stored_any_more(two_accounts: Stage) -> None:
    stage = two_accounts
    stage.start()
    stage.ask(RequestKind.PAUSE)
    stage.move("111", after=5)  # its deal ends, so that a key of any account is taken
    before = [booked.order.order_id for booked in stage.orders()]
    stage.run(22 - stage.loop.time())  # the engine looks at the accounts' keys every 10 s
    stage.replace_key("theirs")
    stage.ask(RequestKind.START, after=200)
    assert stage.venues.opened == ["theirs"]
    assert [booked.order.order_id for booked in stage.orders()] == before
    assert len(stage.orders(Role.BASE, account=OTHER)) == 1
    assert stage.trouble() is None


def test_f59_keys_that_are_replaced_one_right_after_the_other(keyed: Stage) -> None:
    keyed.replace_key("second")
    keyed.run(0.001)
    for key in ("third", "first"):
        keyed.replace_key(key)
        keyed.run(30)
        assert keyed.venues.opened == [key]
        keyed.expect_position()


@pytest.mark.parametrize("after", [0, 0.5, 1, 2, 3, 4.5, 6, 8, 9.5, 10, 10.5, 11, 12, 13.5, 15, 21])
def test_f59_a_second_new_key_at_any_moment_of_the_first_ones_opening(keyed: Stage, after: float) -> None:
    slow_down(keyed)
    keyed.replace_key("second")
    keyed.run(after)
    keyed.move("90", after=0.1)
    keyed.replace_key("third")
    keyed.run(60)
    assert keyed.venues.opened == ["third"]
    assert keyed.deal().filled_safety_orders == 1
    keyed.expect_position()


@pytest.mark.parametrize("after", [0, 0.7, 2.1, 4.2, 6.3, 8.4, 9.8, 10.5, 11.2, 12.6, 14, 16.8])
def test_f59_an_engine_is_stopped_at_any_moment_of_a_new_keys_opening(keyed: Stage, after: float) -> None:
    slow_down(keyed)
    keyed.replace_key("second")
    keyed.run(after)
    keyed.move("90", after=0.1)
    keyed.stop_engine()
    assert keyed.running.task.exception() is None
    keyed.start_engine()
    keyed.run(60)
    assert keyed.deal().filled_safety_orders == 1
    keyed.expect_position()


@pytest.mark.parametrize("calls", range(2, 42, 4))
def test_f59_killed_at_any_step_of_a_new_keys_opening_the_deal_goes_on(calls: int) -> None:
    stage = Stage(seed=str(calls))
    stage.list_pair()
    stage.open_account(environment=Environment.TESTNET, key="first")
    stage.add_bot()
    stage.start(after=5)
    stage.die_after(calls)
    stage.replace_key("second")
    stage.move("90", after=25)
    stage.start_again()
    stage.run(60)
    assert stage.deal().filled_safety_orders == 1
    stage.expect_position()
    stage.close()


@pytest.mark.parametrize("after", [0, 2.1, 4.9, 7.7, 9.8, 11.2, 12.6, 16.8])
def test_f59_two_engines_share_an_account_whose_key_is_replaced_twice(empty_stage: Stage, after: float) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(environment=Environment.TESTNET, key="first")
    for name in BOTS:
        stage.add_bot(name)
    first = stage.start_engine("first", is_leased=True)
    stage.start(*BOTS, after=15)
    slow_down(stage)
    stage.replace_key("second")
    stage.run(after)
    second = stage.start_engine("second", is_leased=True)
    stage.move("90", after=0.3)
    stage.replace_key("third")
    stage.run(5)
    first.store.commits_fail = 2
    stage.run(120)
    for name in BOTS:
        assert stage.deal(name).filled_safety_orders == 1
        stage.expect_position(name)
    assert set(stage.venues.opened) == {"third"}
    assert sorted([*first.engine.runners, *second.engine.runners]) == sorted(BOTS)
