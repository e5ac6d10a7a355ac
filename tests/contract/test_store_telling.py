"""What every store keeps of what users are told: as they wish, and by mail every ten minutes at most."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Mapping

import attrs
import pytest

from dcacore.application.telling import MAIL_EVERY, News, Post, occasion_of, tell, tell_gathered
from dcacore.domain.deal import Exit
from dcacore.domain.ids import DealId, UserId
from dcacore.domain.notes import NOTIFY, Kind, Level, note
from dcacore.ports.errors import Conflict, StoreUnavailable
from dcacore.ports.identity import MOST_LINES, Channels, Gathered, Occasion, Preferences, QueuedMail, usual_channels
from dcacore.ports.mail import Letter, Letters, Written
from dcacore.ports.records import Notification
from dcacore.ports.store import Store
from tests.contract.databases import Database
from tests.contract.stored import ANN, BOB, PAPER, bot, deal_of, entered, people, record, user
from tests.strategies import NOON

MINUTE = datetime.timedelta(minutes=1)
BOTH, PAGE, MAIL, NEITHER = (
    Channels(by_mail=True),
    Channels(),
    Channels(in_page=False, by_mail=True),
    Channels(in_page=False),
)


class PlainLetters(Letters):
    """Puts the words one after another."""

    def write(self, letter: Letter, words: Mapping[str, str]) -> Written:
        text = f"{words['headline']} on {words['environment']}: {words['text']} and {words['more']} more"
        return Written(subject=words["headline"], text=text, html=text)


UTC = "Times are in UTC.\n\n"
POST = Post(letters=PlainLetters(), base_url="https://dca.example.com")


@pytest.fixture
async def store(database: Database) -> Store:
    await people(database.store, record(bot("one")))
    async with database.store.begin() as work:
        ann = await work.users.get(ANN)
        assert ann is not None
        await work.users.save(attrs.evolve(ann, verified_at=NOON))
        await work.commit()
    return database.store


def news(text: str, occasion: Occasion | None = Occasion.ERROR, at: datetime.datetime = NOON) -> News:
    kind = "deal_closed" if occasion is None else occasion.value
    return News(occasion, Notification(user_id=ANN, at=at, kind=kind, text=text, level=Level.INFO))


async def wish(store: Store, **told: Channels) -> None:
    ways = {**usual_channels(), **{Occasion(name): ways for name, ways in told.items()}}
    async with store.begin() as work:
        await work.wishes.put(ANN, Preferences(told=ways))
        await work.commit()


async def happens(store: Store, *told: News, post: Post | None = POST) -> None:
    async with store.begin() as work:
        await tell(work, ANN, PAPER, told, post)
        await work.commit()


async def shown(store: Store) -> list[str]:
    async with store.begin(reads_only=True) as work:
        return [it.text for it in reversed(await work.feed.notifications(ANN))]


async def mails(store: Store) -> tuple[QueuedMail, ...]:
    async with store.begin(reads_only=True) as work:
        return await work.outbox.due(NOON + 1000 * MINUTE, limit=100)


@pytest.mark.parametrize("occasion", Occasion)
async def test_each_occasion_goes_by_the_ways_that_are_on(store: Store, occasion: Occasion) -> None:
    for number, ways in enumerate((BOTH, PAGE, MAIL, NEITHER)):
        await wish(store, **{occasion.value: ways})
        at = NOON + number * MAIL_EVERY
        await happens(store, news(f"{number}", occasion, at))
    assert await shown(store) == ["0", "1"]
    assert [it.mail.text.split(": ")[1] for it in await mails(store)] == ["0. and 0 more", "2. and 0 more"]


async def test_who_has_said_nothing_reads_what_matters_in_the_page_and_what_is_urgent_by_mail(store: Store) -> None:
    await happens(store, *(news(it.value, it) for it in Occasion), news("asked for", None))
    daily = {Occasion.DEAL_OPENED, Occasion.SAFETY_ORDER_FILLED}
    assert await shown(store) == [*(it.value for it in Occasion if it not in daily), "asked for"]
    assert {it.mail.subject for it in await mails(store)} == {"A bot needs help", "The balance is too low"}
    assert {it.mail.to for it in await mails(store)} == {"ann@example.com"}


async def test_what_a_user_has_asked_for_is_shown_whatever_is_off(store: Store) -> None:
    await wish(store, **{it.value: NEITHER for it in Occasion})
    await happens(store, news("asked for", None), news("off"))
    assert (await shown(store), await mails(store)) == (["asked for"], ())


async def digests(store: Store, at: datetime.datetime) -> int:
    return await tell_gathered(store, at, POST)


async def test_a_storm_is_one_mail_at_once_and_one_with_all_the_rest(store: Store) -> None:
    for second in range(0, 599, 60):
        await happens(store, news(f"at {second}", at=NOON + datetime.timedelta(seconds=second)))
    await happens(store, news("other", Occasion.LOW_BALANCE, NOON + MINUTE))  # each occasion for itself
    assert len(await shown(store)) == 11
    at_once = [
        "A bot needs help on PAPER: at 0. and 0 more",
        "The balance is too low on PAPER: other. and 0 more",
    ]
    assert [it.mail.text for it in await mails(store)] == at_once
    assert await digests(store, NOON + MAIL_EVERY - MINUTE) == 0
    assert await digests(store, NOON + MAIL_EVERY) == 1
    assert await digests(store, NOON + MAIL_EVERY) == 0
    rest = "\n".join(f"- 12:{minute:02} PAPER: at {minute * 60}" for minute in range(1, 10))
    assert [it.mail.text for it in await mails(store)] == [
        *at_once,
        f"A bot needs help (9 times) on : {UTC}{rest} and 0 more",
    ]
    await happens(store, news("later", at=NOON + MAIL_EVERY + MINUTE))  # that mail has begun another ten minutes
    assert len(await mails(store)) == 3
    assert await digests(store, NOON + 2 * MAIL_EVERY) == 1
    assert (await mails(store))[-1].mail.text == f"A bot needs help on : {UTC}- 12:11 PAPER: later and 0 more"
    await happens(store, news("much later", at=NOON + 9 * MAIL_EVERY))
    assert (await mails(store))[-1].mail.text == "A bot needs help on PAPER: much later. and 0 more"


async def test_a_mail_has_twenty_lines_at_most_and_counts_what_is_beyond_them(store: Store) -> None:
    await happens(store, news("first"))
    await happens(store, *(news(f"line {number}") for number in range(15)))
    await happens(store, *(news("long " * 500) for _ in range(15)))
    assert await digests(store, NOON + MAIL_EVERY) == 1
    mail = (await mails(store))[-1].mail
    assert mail.subject == "A bot needs help (30 times)"
    assert mail.text.count("PAPER: ") == 20
    assert mail.text.endswith(" and 10 more")
    assert len(mail.text) < 20 * 450


async def test_what_no_courier_has_come_to_goes_with_the_next_mail(store: Store) -> None:
    await happens(store, news("first"))
    await happens(store, news("second", at=NOON + MINUTE))
    await happens(store, news("third", at=NOON + MAIL_EVERY), news("fourth", at=NOON + MAIL_EVERY))
    lines = "- 12:01 PAPER: second\n- 12:10 PAPER: third\n- 12:10 PAPER: fourth"
    text = f"A bot needs help (3 times) on : {UTC}{lines} and 0 more"
    assert [it.mail.text for it in await mails(store)][1:] == [text]
    assert await digests(store, NOON + 9 * MAIL_EVERY) == 0


async def test_several_couriers_write_a_mail_once(store: Store) -> None:
    await happens(store, news("first"))
    await happens(store, news("second", at=NOON + MINUTE))
    done = await asyncio.gather(*[digests(store, NOON + MAIL_EVERY) for _ in range(4)])
    assert sorted(done) == [0, 0, 0, 1]
    assert len(await mails(store)) == 2


async def test_nothing_is_lost_when_news_and_courier_come_at_the_same_time(store: Store) -> None:
    await happens(store, news("first"))
    for number in range(6):
        await asyncio.gather(
            happens(store, news(f"again {number}", at=NOON + (number + 1) * MAIL_EVERY)),
            digests(store, NOON + (number + 1) * MAIL_EVERY),
            happens(store, news(f"beside {number}", at=NOON + (number + 1) * MAIL_EVERY)),
        )
    await digests(store, NOON + 99 * MAIL_EVERY)
    text = "".join(it.mail.text for it in await mails(store))
    for number in range(6):
        assert text.count(f"again {number}") == text.count(f"beside {number}") == 1


async def test_a_courier_that_dies_before_it_has_written_a_mail_loses_nothing(store: Store) -> None:
    class Dies(PlainLetters):
        def write(self, letter: Letter, words: Mapping[str, str]) -> Written:
            raise StoreUnavailable("gone")

    await happens(store, news("first"))
    await happens(store, news("second", at=NOON + MINUTE))
    with pytest.raises(StoreUnavailable):
        await tell_gathered(store, NOON + MAIL_EVERY, Post(letters=Dies(), base_url=""))
    assert await digests(store, NOON + MAIL_EVERY) == 1
    assert "second" in (await mails(store))[-1].mail.text


@pytest.mark.parametrize("ways", [PAGE, NEITHER])
async def test_who_does_not_want_the_mail_any_more_does_not_get_it(store: Store, ways: Channels) -> None:
    await happens(store, news("first"))
    await happens(store, news("second", at=NOON + MINUTE))
    await wish(store, error=ways)
    assert await digests(store, NOON + MAIL_EVERY) == 1
    assert await digests(store, NOON + 2 * MAIL_EVERY) == 0
    assert len(await mails(store)) == 1


async def test_a_mail_goes_to_the_address_that_its_user_has_when_it_is_written(store: Store) -> None:
    await happens(store, news("first"))
    await happens(store, news("second", at=NOON + MINUTE))
    async with store.begin() as work:
        ann = await work.users.get(ANN)
        assert ann is not None
        await work.users.save(attrs.evolve(ann, email="new@example.com"))
        await work.commit()
    await digests(store, NOON + MAIL_EVERY)
    assert [it.mail.to for it in await mails(store)] == ["ann@example.com", "new@example.com"]


async def test_a_clock_that_is_put_right_holds_no_mail_back(store: Store) -> None:
    await happens(store, news("first", at=NOON + 500 * MINUTE))
    await happens(store, news("second", at=NOON + 500 * MINUTE))
    assert await digests(store, NOON) == 1


async def test_gathered_news_are_taken_once_and_go_with_their_user(store: Store) -> None:
    async with store.begin() as work:
        await work.users.add(user(BOB))
        assert await work.gathered.take(ANN, Occasion.ERROR) is None
        await work.gathered.add(ANN, Occasion.ERROR, ["a", "b"], NOON)
        await work.gathered.add(ANN, Occasion.ERROR, ["c"], NOON + MINUTE)
        await work.gathered.add(BOB, Occasion.ERROR, [str(number) for number in range(25)], NOON - MINUTE)
        await work.gathered.add(BOB, Occasion.STOPPED, ["d"], NOON + MINUTE)
        await work.commit()
    async with store.begin() as work:
        both = ((BOB, Occasion.ERROR), (ANN, Occasion.ERROR))
        assert await work.gathered.due(NOON, NOON + 9 * MINUTE) == both
        assert await work.gathered.due(NOON, NOON + 9 * MINUTE, limit=1) == both[:1]
        assert await work.gathered.due(NOON - 9 * MINUTE, NOON) == ((BOB, Occasion.STOPPED),)
        assert await work.gathered.take(ANN, Occasion.ERROR) == Gathered(due_at=NOON, count=3, lines=("a", "b", "c"))
        assert await work.gathered.take(ANN, Occasion.ERROR) is None
        many = await work.gathered.take(BOB, Occasion.ERROR)
        assert many is not None
        assert (many.count, many.lines) == (25, tuple(str(number) for number in range(MOST_LINES)))
    async with store.begin() as work:
        with pytest.raises(Conflict, match="no such user"):
            await work.gathered.add(UserId("nobody"), Occasion.ERROR, ["a"], NOON)
    async with store.begin() as work:
        await work.users.remove(BOB)
        await work.commit()
    async with store.begin(reads_only=True) as work:
        assert await work.gathered.due(NOON, NOON + 9 * MINUTE) == ((ANN, Occasion.ERROR),)


async def test_it_is_stored_with_the_rest_or_not_at_all(store: Store) -> None:
    async with store.begin() as work:
        await tell(work, ANN, PAPER, [news("lost")], POST)
    assert (await shown(store), await mails(store)) == ([], ())
    await happens(store, news("kept"))
    assert (await shown(store), len(await mails(store))) == (["kept"], 1)  # what was lost has not been counted


async def test_nothing_goes_to_an_address_that_is_not_confirmed_and_nothing_without_letters(store: Store) -> None:
    await happens(store, news("no post"), post=None)
    async with store.begin() as work:
        ann = await work.users.get(ANN)
        assert ann is not None
        await work.users.save(attrs.evolve(ann, verified_at=None))
        await work.commit()
    await happens(store, news("not confirmed"))
    assert (await shown(store), await mails(store)) == (["no post", "not confirmed"], ())


async def test_an_address_that_no_mail_can_have_stops_nothing(store: Store) -> None:
    async with store.begin() as work:
        ann = await work.users.get(ANN)
        assert ann is not None
        await work.users.save(attrs.evolve(ann, email="ann@example.com\r\nbcc: x@y.org"))
        await work.commit()
    await happens(store, news("stored"))
    assert (await shown(store), await mails(store)) == (["stored"], ())


async def test_another_user_hears_nothing(store: Store) -> None:
    await happens(store, news("hers"))
    async with store.begin(reads_only=True) as work:
        assert await work.feed.notifications(BOB) == ()


def test_all_that_users_are_told_of_is_an_occasion() -> None:
    ending = {Kind.DEAL_CLOSED.value}
    assert {kind for kind in NOTIFY if occasion_of(note(Kind(kind), "text"), ()) is None} == ending
    assert occasion_of(note(Kind.SOLD, "text"), ()) is None


@pytest.mark.parametrize(
    ("how", "occasion"),
    [
        (Exit.TAKE_PROFIT, Occasion.TARGET_HIT),
        (Exit.TRAILING_TAKE_PROFIT, Occasion.TARGET_HIT),
        (Exit.STOP_LOSS, Occasion.STOPPED),
        (Exit.RESET, Occasion.RECONCILIATION),
        (Exit.CLOSE, None),
        (Exit.SOLD_BY_HAND, None),
    ],
)
def test_how_a_deal_ends_says_what_its_end_is(how: Exit, occasion: Occasion | None) -> None:
    deal = attrs.evolve(deal_of(entered()), id=DealId("deal"), exit=how)
    closed = note(Kind.DEAL_CLOSED, "closed", deal_id=deal.id)
    assert occasion_of(closed, [deal]) is occasion
