"""Accounts that must not disturb one another, and workers that must not act for one another's bots."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import pytest

from dcacore.application.engine.ownership import LeaseOwner
from dcacore.domain.bot import Cure, Phase
from dcacore.domain.ids import AccountId, BotId
from dcacore.domain.orders import Role
from dcacore.ports.errors import BadCredentials, OrdersLimited, StoreUnavailable
from dcacore.ports.exchange import AccountEvent
from dcacore.ports.records import Lease, RequestKind
from tests.faults.stage import ACCOUNT, BOT, Carry, Running, ScriptedExchange, Stage, refused
from tests.simulation.loop import PROCESS

OTHER = AccountId("other")
NOTHING: tuple[AccountEvent, ...] = ()
HEARING = {"account_silent", "account_heard"}


@pytest.fixture
def two_accounts(stage: Stage) -> Stage:
    """Return a stage on which "bot" trades on one account and "other" on another."""
    stage.open_account(OTHER)
    stage.add_bot("other", account=OTHER)
    return stage


# ------------------------------------------------------------------------------------------------------------ accounts


async def silence(_: ScriptedExchange) -> AsyncIterator[AccountEvent]:
    """Be a stream on which nothing ever comes, without a word."""
    while True:
        await asyncio.sleep(3600)
        for event in NOTHING:
            yield event


async def refusal(_: ScriptedExchange) -> AsyncIterator[AccountEvent]:
    """Be a stream that the exchange refuses for its key."""
    for event in NOTHING:
        yield event
    raise BadCredentials("Invalid API-key")


def break_events(
    monkeypatch: pytest.MonkeyPatch, stream: Callable[[ScriptedExchange], AsyncIterator[AccountEvent]]
) -> None:
    """Let the account of "bot" have *stream* instead of its events."""
    events = ScriptedExchange.events
    monkeypatch.setattr(
        ScriptedExchange, "events", lambda wire: stream(wire) if wire.account == ACCOUNT else events(wire)
    )


def expect_deal(stage: Stage, bot_id: str, account: AccountId) -> None:
    """See that the bot is in position on its account."""
    [target] = stage.resting(Role.TAKE_PROFIT, bot_id=bot_id, account=account)
    assert target.quantity == stage.deal(bot_id).sellable
    assert stage.bot(bot_id).trouble is None


@pytest.mark.parametrize("stream", [silence, refusal])
def test_an_account_whose_events_never_come_keeps_no_other_from_coming_up(
    two_accounts: Stage,
    monkeypatch: pytest.MonkeyPatch,
    stream: Callable[[ScriptedExchange], AsyncIterator[AccountEvent]],
) -> None:
    stage = two_accounts
    with monkeypatch.context() as broken:
        break_events(broken, stream)
        stage.start(BOT, "other", after=10)
        expect_deal(stage, "other", OTHER)
        stage.run(60)
        assert not stage.orders(account=ACCOUNT)
    stage.kill()
    stage.start_engine()
    stage.ask(RequestKind.START, after=60)
    expect_deal(stage, BOT, ACCOUNT)


def test_f59_a_dead_key_uses_up_none_of_the_connections_that_an_address_may_try(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0

    async def refuses(wire: ScriptedExchange) -> AsyncIterator[AccountEvent]:
        nonlocal tried
        tried += 1
        async for event in refusal(wire):
            yield event

    break_events(monkeypatch, refuses)
    stage.start(after=900)
    assert tried <= 15
    monkeypatch.undo()
    stage.run(360)
    assert stage.running.engine.fleet.places.hears(ACCOUNT)


def test_an_account_whose_events_never_come_keeps_no_other_from_being_tried_again(
    two_accounts: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = two_accounts
    break_events(monkeypatch, silence)
    stage.venues.fails[OTHER] = StoreUnavailable("the database hiccups")
    for bot_id in (BOT, "other"):
        stage.ask(RequestKind.START, bot_id)
    stage.start_engine()
    stage.run(3)
    stage.venues.fails.clear()
    stage.run(30)
    expect_deal(stage, "other", OTHER)


def test_f51_an_account_that_has_ordered_too_often_keeps_no_other_waiting(two_accounts: Stage) -> None:
    stage = two_accounts
    stage.start(BOT, after=5)
    rest = OrdersLimited(stage.clock.now() + datetime.timedelta(hours=1))
    stage.wire().on("place", refused(rest))
    began = stage.loop.time()
    stage.move("90", after=5)  # the order that sells the safety order's coins too has to wait
    assert stage.refused_per_hour() == 1
    stage.start("other", after=10)
    expect_deal(stage, "other", OTHER)
    stage.run(60)
    assert stage.wire().requests("open_orders", since=began)  # it is only ordering that has to wait
    assert not stage.resting(Role.TAKE_PROFIT, bot_id=BOT)
    stage.run(3600)
    expect_deal(stage, BOT, ACCOUNT)
    assert stage.refused_per_hour() <= 1


def test_an_account_that_cannot_be_opened_keeps_no_other_from_coming_up(two_accounts: Stage) -> None:
    stage = two_accounts
    stage.venues.fails[ACCOUNT] = ValueError("cannot parse")
    stage.start(BOT, "other", after=10)
    expect_deal(stage, "other", OTHER)
    assert stage.unforeseen
    stage.unforeseen = [text for text in stage.unforeseen if "cannot parse" not in text]
    stage.venues.fails.clear()
    stage.run(60)
    expect_deal(stage, BOT, ACCOUNT)
    stage.unforeseen = [text for text in stage.unforeseen if "cannot parse" not in text]


def test_a_stream_refused_for_its_key_tells_the_user_at_the_start(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.start()
    stage.kill()
    with monkeypatch.context() as broken:
        break_events(broken, refusal)
        stage.start_engine()
        stage.run(60)
        assert_key_is_asked_for(stage)
        stage.run(600)
        assert len([line for line in stage.activity() if "Invalid API-key" in line.text]) == 1
    stage.run(120)
    stage.expect_position()


def test_a_stream_refused_for_its_key_tells_the_user_of_running_bots(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.start()
    with monkeypatch.context() as broken:
        break_events(broken, refusal)
        stage.wire().break_stream(BadCredentials("Invalid API-key"))
        stage.run(10)
        assert_key_is_asked_for(stage)
    stage.run(120)
    stage.expect_position()


def test_f59_a_silent_account_is_not_heard_of_again_because_its_key_dies(
    keyed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed.wire(ACCOUNT, "first").lose_stream()
    keyed.run(70)
    with monkeypatch.context() as broken:
        break_events(broken, refusal)
        keyed.revoke("first")
        keyed.run(30)
    assert [it.kind for it in keyed.activity() if it.kind in HEARING] == ["account_silent"]


def test_f59_a_silent_account_is_not_heard_of_again_because_of_a_new_key(
    keyed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed.wire(ACCOUNT, "first").lose_stream()
    keyed.run(70)
    with monkeypatch.context() as broken:
        break_events(broken, silence)
        keyed.replace_key("second")
        keyed.run(30)
    assert keyed.venues.opened == ["second"]
    assert [it.kind for it in keyed.activity() if it.kind in HEARING] == ["account_silent"]


@pytest.mark.parametrize("is_stream", [True, False])
def test_a_start_is_refused_while_the_key_is(stage: Stage, monkeypatch: pytest.MonkeyPatch, is_stream: bool) -> None:
    with monkeypatch.context() as broken:
        if is_stream:
            break_events(broken, refusal)
        else:
            stage.venues.fails[ACCOUNT] = BadCredentials("Invalid API-key")
        stage.start_engine()
        asked = stage.ask(RequestKind.START, after=60)
        answer = stage.request(asked)
        assert answer.done_at is not None
        assert "Invalid API-key" in (answer.refusal or "")
        stage.run(600)
        assert stage.bot().phase is Phase.STOPPED
    stage.venues.fails.clear()
    stage.run(60)
    assert not stage.orders()
    stage.ask(RequestKind.START, after=60)
    expect_deal(stage, BOT, ACCOUNT)


def test_a_stop_is_heard_while_the_key_is_refused(stage: Stage) -> None:
    stage.start()
    stage.kill()
    stage.venues.fails[ACCOUNT] = BadCredentials("no key")
    stage.start_engine()
    stage.run(5)
    asked = stage.ask(RequestKind.STOP, sell="false", after=60)
    assert_key_is_asked_for(stage, "no key")
    stage.venues.fails.clear()
    stage.run(120)
    assert stage.request(asked).done_at is not None
    assert stage.bot().phase is Phase.STOPPED


def assert_key_is_asked_for(stage: Stage, reason: str = "Invalid API-key") -> None:
    trouble = stage.bot().trouble
    assert trouble is not None
    assert trouble.cure is Cure.CREDENTIALS
    assert reason in trouble.reason


# ------------------------------------------------------------------------------------------------------------- workers


def holder(stage: Stage) -> Lease | None:
    """Return the lease of the bot that has not run out, as the database knows it."""

    async def get() -> Lease | None:
        async with stage.store.begin(reads_only=True) as work:
            return next((lease for lease in await work.leases.held() if lease.bot_id == BOT), None)

    return stage.do(get())


def two_workers(stage: Stage) -> tuple[Running, Running]:
    """Start two workers and the bot; return the one that acts for it and the other one."""
    first = stage.start_engine("first", is_leased=True)
    stage.ask(RequestKind.START, after=12.3)
    second = stage.start_engine("second", is_leased=True)
    stage.run(1)
    owner = holder(stage)
    assert owner is not None
    return (first, second) if owner.owner == "first" else (second, first)


def watch_wire(stage: Stage) -> list[str]:
    """Return a list that takes in each order that goes out twice, or without the right to act."""
    wrong: list[str] = []
    sent: set[str] = set()
    wire = stage.wire()

    def is_seen(order: Any) -> bool:
        engine = next(it.engine for it in stage.engines if it.process is PROCESS.get())
        lease = engine.runners[BOT].lease if BOT in engine.runners else None
        if lease is None or lease.owner != engine.around.name:
            wrong.append(f"{order.id} by {engine.around.name} without a lease")
        if order.id in sent:
            wrong.append(f"{order.id} twice")
        sent.add(order.id)
        return False

    async def nothing(carry: Carry) -> Any:
        return await carry()

    wire.on("place", nothing, when=is_seen)
    return wrong


def expect_leases(*workers: Running) -> None:
    """See that no worker acts for the bot without a lease."""
    for worker in workers:
        runner = worker.engine.runners.get(BOT)
        assert runner is None or runner.lease is not None


@pytest.mark.parametrize("away_for", [19, 25, *range(28, 46, 2), 70])
def test_a_worker_that_lost_its_database_past_its_lease_acts_for_nobody_when_it_comes_back(
    empty_stage: Stage, away_for: int
) -> None:
    stage = empty_stage
    stage.list_pair()
    stage.open_account(ABC="10")  # the user's own coins, that must not be sold
    stage.add_bot(stop_loss="50", max_safety_orders=1, auto_restart=False)
    wrong = watch_wire(stage)
    owner, other = two_workers(stage)
    owner.store.is_away = True
    stage.move("90", after=away_for)  # a fill that it hears of and cannot store
    owner.store.is_away = False
    for _ in range(20):
        stage.run(0.5)
        expect_leases(owner, other)
    stage.run(30)
    stage.expect_position()
    stage.move("40", after=30)
    assert not wrong
    assert stage.bot().deals_closed == 1
    assert stage.free("ABC") == 10
    assert len(stage.orders(Role.STOP_LOSS)) == 1


def test_a_request_for_a_bot_that_another_acts_for_causes_one_claim(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, other = two_workers(stage)
    stage.run(30)
    claims: list[float] = []
    claim = LeaseOwner.claim

    async def counted(ownership: LeaseOwner, wanted: Sequence[BotId]) -> Mapping[BotId, Lease | None]:
        if ownership is other.engine.ownership:
            claims.append(stage.loop.time())
        return await claim(ownership, wanted)

    owner.engine.runners[BOT].is_reconciled = False  # it hears of no request for now
    monkeypatch.setattr(LeaseOwner, "claim", counted)
    asked = stage.ask(RequestKind.PAUSE, after=100)
    assert len(claims) <= 12  # one each ten seconds, and one for the request
    owner.engine.runners[BOT].is_reconciled = True
    stage.run(5)
    assert stage.request(asked).done_at is not None
    assert BOT not in other.engine.runners
