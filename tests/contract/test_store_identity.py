"""What every store promises of what lets people in: sessions, links sent by mail, tries, the outbox, tokens, wishes."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Coroutine
from typing import Any

import attrs
import pytest

from dcacore.domain.ids import UserId
from dcacore.ports.errors import Conflict, StoreError
from dcacore.ports.identity import (
    ApiToken,
    ApiTokenId,
    Channels,
    Digest,
    LinkKind,
    MailLink,
    Occasion,
    Preferences,
    QueuedMail,
    Scope,
    SessionId,
    Theme,
    Tries,
    UserSession,
)
from dcacore.ports.mail import Mail
from dcacore.ports.store import Store
from tests.contract.databases import Database
from tests.contract.stored import ANN, BOB, account, bot, line, record, user
from tests.strategies import NOON

MINUTE = datetime.timedelta(minutes=1)
ODD = "Zoë’s 机器人 🤖 'quoted' \\ \"double\" %s ?"


@pytest.fixture
async def store(database: Database) -> Store:
    async with database.store.begin() as work:
        await work.users.add(user())
        await work.users.add(user(BOB))
        await work.commit()
    return database.store


def session(name: str, user_id: UserId = ANN, **changes: Any) -> UserSession:
    usual = {"id": SessionId(name), "key": Digest(f"key of {name}"), "created_at": NOON, "seen_at": NOON}
    return UserSession(**{"user_id": user_id, "address": "::1", "agent": ODD, **usual, **changes})


def link(key: str, user_id: UserId = ANN, kind: LinkKind = LinkKind.VERIFY, **changes: Any) -> MailLink:
    usual = {"email": "a@b.org", "expires_at": NOON + MINUTE}
    return MailLink(**{"key": Digest(key), "user_id": user_id, "kind": kind, **usual, **changes})


def mail(key: str = "mail") -> Mail:
    return Mail(to="ann@example.com", subject=f"Hello {ODD}"[:60], text=ODD, html=f"<p>{ODD}", key=key, link="http://x")


def token(called: str, user_id: UserId = ANN, **changes: Any) -> ApiToken:
    usual = {"id": ApiTokenId(called), "key": Digest(f"key of {called}"), "scope": Scope.TRADE, "created_at": NOON}
    return ApiToken(**{"user_id": user_id, "name": called, **usual, **changes})


async def test_sessions_come_back(store: Store) -> None:
    old, new = session("old", seen_at=NOON - MINUTE), session("new")
    async with store.begin() as work:
        for one in (old, new, session("bobs", BOB)):
            await work.sessions.add(one)
        await work.commit()
    async with store.begin() as work:
        assert await work.sessions.find(new.key) == new
        assert await work.sessions.find(Digest("none")) is None
        assert await work.sessions.of(ANN) == (new, old)
        await work.sessions.see(old.key, NOON + MINUTE)
        await work.sessions.see(Digest("none"), NOON)
        assert await work.sessions.of(ANN) == (attrs.evolve(old, seen_at=NOON + MINUTE), new)
        assert not await work.sessions.revoke(ANN, SessionId("bobs"))
        assert await work.sessions.revoke(ANN, SessionId("new"))
        await work.sessions.remove(old.key)
        await work.sessions.remove(old.key)
        assert await work.sessions.of(ANN) == ()
        assert len(await work.sessions.of(BOB)) == 1


async def test_sessions_are_revoked_all_but_one_and_forgotten_when_old(store: Store) -> None:
    async with store.begin() as work:
        for name in "abc":
            await work.sessions.add(session(name))
        await work.sessions.add(session("bobs", BOB))
        assert await work.sessions.revoke_all(ANN, but=Digest("key of b")) == 2
        assert [one.id for one in await work.sessions.of(ANN)] == ["b"]
        assert await work.sessions.revoke_all(ANN) == 1
        await work.sessions.add(session("idle", seen_at=NOON - MINUTE))
        await work.sessions.add(session("old", created_at=NOON - 2 * MINUTE))
        await work.sessions.add(session("young"))
        assert await work.sessions.forget_older(NOON, NOON - MINUTE) == 2
        assert [one.id for one in await work.sessions.of(ANN)] == ["young"]


@pytest.mark.parametrize(
    "refused",
    [session("a", key=Digest("other")), session("b", key=Digest("key of a")), session("c", UserId("nobody"))],
    ids=["id", "key", "user"],
)
async def test_a_session_is_one_of_its_kind_and_somebodys(store: Store, refused: UserSession) -> None:
    async with store.begin() as work:
        await work.sessions.add(session("a"))
        with pytest.raises(Conflict, match="session"):
            await work.sessions.add(refused)


async def test_a_link_takes_the_place_of_the_older_one_of_its_kind(store: Store) -> None:
    async with store.begin() as work:
        for one in (link("1"), link("2", kind=LinkKind.RESET), link("3", BOB), link("4")):
            await work.mail_links.put(one)
        await work.commit()
    async with store.begin() as work:
        assert await work.mail_links.get(Digest("1")) is None
        assert await work.mail_links.get(Digest("4")) == link("4")
        assert await work.mail_links.get(Digest("2")) == link("2", kind=LinkKind.RESET)
        await work.mail_links.forget(ANN, {LinkKind.RESET, LinkKind.ADDRESS})
        await work.mail_links.forget(ANN, ())
        assert await work.mail_links.get(Digest("2")) is None
        assert await work.mail_links.get(Digest("3")) == link("3", BOB)
        assert await work.mail_links.forget_expired(NOON + MINUTE) == 0
        assert await work.mail_links.forget_expired(NOON + 2 * MINUTE) == 2
    for refused in (link("4", BOB), link("5", UserId("nobody"))):
        async with store.begin() as work:
            with pytest.raises(Conflict, match="link"):
                await work.mail_links.put(refused)


async def test_a_link_is_used_once_and_in_time(store: Store) -> None:
    async with store.begin() as work:
        await work.mail_links.put(link("1"))
        assert await work.mail_links.use(Digest("none"), NOON) is None
        assert await work.mail_links.use(Digest("1"), NOON + MINUTE) is None
        used = link("1", used_at=NOON)
        assert await work.mail_links.use(Digest("1"), NOON) == used
        assert await work.mail_links.use(Digest("1"), NOON) is None
        assert await work.mail_links.get(Digest("1")) == used
        await work.mail_links.put(link("1b"))
        assert await work.mail_links.use(Digest("1b"), NOON) is not None


async def test_of_several_at_once_one_uses_the_link(store: Store) -> None:
    async with store.begin() as work:
        await work.mail_links.put(link("1"))
        await work.commit()

    async def use() -> bool:
        async with store.begin() as work:
            used = await work.mail_links.use(Digest("1"), NOON)
            await work.commit()
        return used is not None

    assert sorted(await asyncio.gather(*[use() for _ in range(5)])) == [False] * 4 + [True]


async def test_tries_are_counted_within_a_stretch_of_time(store: Store) -> None:
    async with store.begin() as work:
        counts = [
            (await work.throttle.count("a", NOON + seconds * datetime.timedelta(seconds=1), MINUTE)).count
            for seconds in (0, 1, 59, 60, 61)
        ]
        assert counts == [1, 2, 3, 1, 2]
        assert await work.throttle.count("a", NOON + MINUTE, MINUTE) == Tries(key="a", count=3, began_at=NOON + MINUTE)
        assert (await work.throttle.count("b", NOON, MINUTE)).count == 1
        await work.throttle.forget("a")
        await work.throttle.forget("none")
        assert (await work.throttle.count("a", NOON + MINUTE, MINUTE)).count == 1
        assert await work.throttle.forget_older(NOON) == 0
        assert await work.throttle.forget_older(NOON + MINUTE) == 1
        assert (await work.throttle.count("b", NOON, MINUTE)).count == 1


async def test_tries_of_a_clock_that_was_put_right_are_forgotten(store: Store) -> None:
    async with store.begin() as work:
        ahead = NOON + 2 * MINUTE
        assert (await work.throttle.count("a", ahead, MINUTE)).count == 1
        assert (await work.throttle.count("a", NOON + MINUTE, MINUTE)).count == 2  # clocks of two machines differ
        assert await work.throttle.count("a", NOON, MINUTE) == Tries(key="a", count=1, began_at=NOON)


async def test_all_tokens_of_a_user_end(store: Store) -> None:
    async with store.begin() as work:
        for one in (token("a"), token("b"), token("c", BOB)):
            await work.api_tokens.add(one)
        assert [await work.api_tokens.revoke_all(ANN) for _ in range(2)] == [2, 0]
        assert await work.api_tokens.of(ANN) == ()
        assert len(await work.api_tokens.of(BOB)) == 1


async def test_no_two_tries_at_once_get_the_same_count(store: Store) -> None:
    async def count() -> int:
        async with store.begin() as work:
            tries = await work.throttle.count("a", NOON, MINUTE)
            await work.commit()
        return tries.count

    assert sorted(await asyncio.gather(*[count() for _ in range(6)])) == [1, 2, 3, 4, 5, 6]


async def test_a_mail_waits_until_it_is_sent_and_is_blank_then(store: Store) -> None:
    queued = QueuedMail(mail=mail(), queued_at=NOON, due_at=NOON)
    async with store.begin() as work:
        await work.outbox.add(mail(), NOON)
        await work.outbox.add(attrs.evolve(mail(), text="another"), NOON + MINUTE)
        await work.commit()
    async with store.begin() as work:
        assert await work.outbox.get("none") is None
        assert await work.outbox.due(NOON - MINUTE) == ()
        assert await work.outbox.due(NOON) == (queued,)
        claimed = await work.outbox.claim(queued, NOON + MINUTE)
        assert claimed == attrs.evolve(queued, attempts=1, due_at=NOON + MINUTE)
        assert await work.outbox.claim(queued, NOON + MINUTE) is None
        assert await work.outbox.due(NOON) == ()
        await work.outbox.mark_sent("mail", NOON)
        await work.outbox.mark_failed("mail", NOON)
        blank = attrs.evolve(mail(), text="", html="", link="")
        assert await work.outbox.get("mail") == attrs.evolve(claimed, mail=blank, sent_at=NOON)
        assert await work.outbox.due(NOON + 9 * MINUTE) == ()
        assert await work.outbox.claim(claimed, NOON) is None


async def test_mail_is_due_in_its_order_and_forgotten_when_it_has_ended(store: Store) -> None:
    async with store.begin() as work:
        for number, key in enumerate("cba"):
            await work.outbox.add(mail(key), NOON + number * MINUTE)
        assert [one.mail.key for one in await work.outbox.due(NOON + 9 * MINUTE, limit=2)] == ["c", "b"]
        await work.outbox.mark_failed("c", NOON)
        failed = await work.outbox.get("c")
        assert failed is not None
        assert (failed.failed_at, failed.sent_at, failed.mail.text) == (NOON, None, "")
        await work.outbox.mark_sent("a", NOON)
        assert await work.outbox.forget_older(NOON + MINUTE) == 1
        assert [await work.outbox.get(key) is None for key in "abc"] == [False, False, True]


async def test_a_mail_that_is_put_off_is_as_if_it_had_not_been_tried(store: Store) -> None:
    async with store.begin() as work:
        await work.outbox.add(mail(), NOON)
        (queued,) = await work.outbox.due(NOON)
        claimed = await work.outbox.claim(queued, NOON + MINUTE)
        assert claimed is not None
        await work.outbox.put_off(queued, NOON + 9 * MINUTE)  # somebody else's by now
        assert await work.outbox.get("mail") == claimed
        await work.outbox.put_off(claimed, NOON + 9 * MINUTE)
        assert await work.outbox.get("mail") == attrs.evolve(queued, due_at=NOON + 9 * MINUTE)
        await work.outbox.mark_sent("mail", NOON)
        await work.outbox.put_off(attrs.evolve(claimed, attempts=0), NOON)
        sent = await work.outbox.get("mail")
        assert sent is not None
        assert (sent.attempts, sent.sent_at) == (0, NOON)


async def test_of_several_couriers_one_claims_a_mail(store: Store) -> None:
    async with store.begin() as work:
        await work.outbox.add(mail(), NOON)
        await work.commit()
    async with store.begin(reads_only=True) as work:
        (queued,) = await work.outbox.due(NOON)

    async def claim() -> bool:
        async with store.begin() as work:
            claimed = await work.outbox.claim(queued, NOON + MINUTE)
            await work.commit()
        return claimed is not None

    assert sorted(await asyncio.gather(*[claim() for _ in range(5)])) == [False] * 4 + [True]


async def test_api_tokens_come_back(store: Store) -> None:
    first, second = token(ODD, created_at=NOON - MINUTE), token("b", expires_at=NOON + MINUTE, scope=Scope.READ)
    async with store.begin() as work:
        for one in (second, first, token("b of bob", BOB, name="b")):
            await work.api_tokens.add(one)
        await work.commit()
    async with store.begin() as work:
        assert await work.api_tokens.of(ANN) == (first, second)
        assert await work.api_tokens.find(second.key) == second
        assert await work.api_tokens.find(Digest("none")) is None
        await work.api_tokens.use(second.key, NOON)
        assert await work.api_tokens.find(second.key) == attrs.evolve(second, used_at=NOON)
        assert not await work.api_tokens.revoke(BOB, second.id)
        assert await work.api_tokens.revoke(ANN, second.id)
        await work.api_tokens.use(second.key, NOON)
        assert await work.api_tokens.find(second.key) is None
    taken = token(ODD, id=ApiTokenId("x"), key=Digest("x")), token("c", key=first.key), token("d", UserId("nobody"))
    for refused in taken:
        async with store.begin() as work:
            with pytest.raises(Conflict, match="API token"):
                await work.api_tokens.add(refused)


async def test_preferences_come_back(store: Store) -> None:
    said = Preferences(
        theme=Theme.DARK,
        currency_digits=None,
        time_zone="Europe/Berlin",
        display_currency="EUR",
        told={**Preferences().told, Occasion.TARGET_HIT: Channels(in_page=False, by_mail=True)},
    )
    async with store.begin() as work:
        assert await work.wishes.get(ANN) is None
        for one in (Preferences(), said):
            await work.wishes.put(ANN, one)
            assert await work.wishes.get(ANN) == one
        assert await work.wishes.get(BOB) is None
    async with store.begin() as work:
        with pytest.raises(Conflict, match="no such user"):
            await work.wishes.put(UserId("nobody"), said)


async def test_a_user_who_leaves_takes_everything_along(store: Store) -> None:
    async with store.begin() as work:
        await work.accounts.add(account())
        await work.bots.add(record())
        with pytest.raises(Conflict, match="accounts belong"):
            await work.users.remove(ANN)
    async with store.begin() as work:
        await work.accounts.add(account())
        await work.bots.add(record(bot()))
        for user_id in (ANN, BOB):
            await work.sessions.add(session(f"s{user_id}", user_id))
            await work.mail_links.put(link(f"l{user_id}", user_id))
            await work.api_tokens.add(token(f"t{user_id}", user_id))
            await work.wishes.put(user_id, Preferences())
            await work.feed.add_activity([line("told", user_id=user_id, bot_id=None)])
        await work.bots.remove(bot().id)
        await work.accounts.remove(account().id)
        await work.users.remove(ANN)
        await work.users.remove(ANN)
        await work.commit()
    for user_id, count in ((ANN, 0), (BOB, 1)):
        async with store.begin(reads_only=True) as work:
            assert (await work.users.get(user_id) is None) == (count == 0)
            assert len(await work.sessions.of(user_id)) == count
            assert len(await work.api_tokens.of(user_id)) == count
            assert len(await work.feed.activity(user_id)) == count
            assert (await work.mail_links.get(Digest(f"l{user_id}")) is None) == (count == 0)
            assert (await work.wishes.get(user_id) is None) == (count == 0)


NAIVE = NOON.replace(tzinfo=None)


async def test_times_without_a_zone_are_refused(store: Store) -> None:
    for number in range(6):
        async with store.begin() as work:
            adds: list[Coroutine[Any, Any, object]] = [
                work.sessions.add(session("a", seen_at=NAIVE)),
                work.mail_links.put(link("a", expires_at=NAIVE)),
                work.outbox.add(mail(), NAIVE),
                work.api_tokens.add(token("a", created_at=NAIVE)),
                work.throttle.count("a", NAIVE, MINUTE),
                work.gathered.add(ANN, Occasion.ERROR, ["a"], NAIVE),
            ]
            wrong = adds.pop(number)
            for other in adds:
                other.close()
            with pytest.raises(StoreError, match="no time zone"):
                await wrong


async def test_who_only_reads_changes_nothing(store: Store) -> None:
    async with store.begin(reads_only=True) as work:
        for change in (
            work.sessions.add(session("a")),
            work.mail_links.put(link("a")),
            work.throttle.count("a", NOON, MINUTE),
            work.outbox.add(mail(), NOON),
            work.gathered.add(ANN, Occasion.ERROR, ["a"], NOON),
            work.gathered.take(ANN, Occasion.ERROR),
            work.api_tokens.add(token("a")),
            work.wishes.put(ANN, Preferences()),
            work.users.remove(ANN),
        ):
            with pytest.raises(StoreError, match="only reads"):
                await change
