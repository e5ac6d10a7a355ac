"""What every store keeps of what users are told: as they wish, and by mail no more often than every ten minutes."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import attrs
import pytest

from dcacore.application.telling import MAIL_EVERY, News, Post, occasion_of, tell
from dcacore.domain.deal import Exit
from dcacore.domain.ids import DealId
from dcacore.domain.notes import NOTIFY, Kind, Level, note
from dcacore.ports.identity import Channels, Occasion, Preferences, QueuedMail, usual_channels
from dcacore.ports.mail import Letter, Letters, Written
from dcacore.ports.records import Notification
from dcacore.ports.store import Store
from tests.contract.databases import Database
from tests.contract.stored import ANN, BOB, PAPER, bot, deal_of, entered, people, record
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


async def test_a_storm_is_one_mail_in_ten_minutes_and_the_next_one_counts(store: Store) -> None:
    for second in range(0, 599, 20):
        await happens(store, news("again", at=NOON + datetime.timedelta(seconds=second)))
    assert len(await shown(store)) == 30
    assert [it.mail.text for it in await mails(store)] == ["A bot needs help on PAPER: again. and 0 more"]
    await happens(store, news("other", Occasion.LOW_BALANCE, NOON + MINUTE))  # each occasion for itself
    await happens(store, news("late", at=NOON + MAIL_EVERY), news("later", at=NOON + MAIL_EVERY))
    assert [it.mail.text for it in await mails(store)][1:] == [
        "The balance is too low on PAPER: other. and 0 more",
        "A bot needs help on PAPER: late.\n\nlater. and 29 more",
    ]
    await happens(store, news("much later", at=NOON + 3 * MAIL_EVERY))
    assert (await mails(store))[-1].mail.text.endswith("much later. and 0 more")


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
