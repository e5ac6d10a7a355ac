from __future__ import annotations

import asyncio
import datetime

import attrs
import pytest
from structlog.testing import capture_logs

from dcacore.adapters.letters import TemplateLetters
from dcacore.adapters.mail_log import LogMailer
from dcacore.adapters.mail_memory import MemoryMailer
from dcacore.application import identity
from dcacore.application.identity.courier import HELD_FOR, LONGEST_HOLD, PAUSES, POLL_S, Courier
from dcacore.application.telling import MAIL_EVERY, ready
from dcacore.domain.errors import InvalidParameter
from dcacore.ports.errors import MailHeld, MailRefused, StoreUnavailable, Unavailable
from dcacore.ports.identity import Occasion, QueuedMail
from dcacore.ports.mail import Letter, Mail, Mailer
from tests.unit.identity.hall import ANNA, GOOD, Hall

HELLO = Mail(to=ANNA, subject="Hello", text="canary text", html="<p>canary", key="hello", link="http://canary")


@attrs.define
class FailingMailer(Mailer):
    """Fails as it is told to, and counts."""

    failures: list[Exception]
    tries: list[str] = attrs.field(factory=list)

    async def send(self, mail: Mail) -> None:
        self.tries.append(mail.key)
        if self.failures:
            raise self.failures.pop(0)


async def queue(hall: Hall, mail: Mail = HELLO) -> None:
    async with hall.means.store.begin() as work:
        await work.outbox.add(mail, hall.clock.now())
        await work.commit()


async def stored(hall: Hall, key: str = "hello") -> QueuedMail:
    async with hall.means.store.begin(reads_only=True) as work:
        found = await work.outbox.get(key)
    assert found is not None
    return found


async def test_a_mail_is_stored_with_what_caused_it_or_not_at_all(hall: Hall) -> None:
    async with hall.means.store.begin() as work:
        await work.outbox.add(HELLO, hall.clock.now())
    assert await hall.mails(ANNA) == []  # that work was not committed


async def test_a_mail_is_sent_once_and_blank_then(hall: Hall) -> None:
    await queue(hall)
    assert await hall.mails(ANNA) == [HELLO]
    assert await hall.courier.send_due() == 0
    found = await stored(hall)
    assert (found.sent_at, found.attempts) == (hall.clock.now(), 1)
    assert "canary" not in f"{found.mail.text}{found.mail.html}{found.mail.link}"


async def test_what_fails_is_tried_again_ever_later_and_then_given_up(hall: Hall) -> None:
    mailer = FailingMailer([Unavailable("no way")] * 99)
    courier = Courier(hall.means.store, mailer, hall.clock)
    await queue(hall)
    with capture_logs() as lines:
        for number, pause in enumerate(PAUSES, start=1):
            assert await courier.send_due() == 1
            assert len(mailer.tries) == number
            hall.clock.pass_by(pause.total_seconds() - 1)
            assert await courier.send_due() == 0
            hall.clock.pass_by(1)
        assert (await stored(hall)).failed_at is None
        await courier.send_due()
    assert len(mailer.tries) == len(PAUSES) + 1
    assert set(mailer.tries) == {"hello"}  # the same key each time
    found = await stored(hall)
    assert (found.failed_at, found.sent_at, found.mail.text) == (hall.clock.now(), None, "")
    assert lines[-1]["event"] == "mail_failed"
    assert "canary" not in str(lines)
    hall.clock.pass_by(10 * 24 * 3600)
    assert await courier.send_due() == 0


async def test_what_works_the_second_time(hall: Hall) -> None:
    mailer = FailingMailer([Unavailable("no way")])
    courier = Courier(hall.means.store, mailer, hall.clock)
    await queue(hall)
    await courier.send_due()
    hall.clock.pass_by(30)
    await courier.send_due()
    assert mailer.tries == ["hello"] * 2
    assert (await stored(hall)).sent_at == hall.clock.now()


async def test_what_is_refused_for_good_is_not_tried_again(hall: Hall) -> None:
    courier = Courier(hall.means.store, FailingMailer([MailRefused("no such address")]), hall.clock)
    await queue(hall)
    await courier.send_due()
    assert (await stored(hall)).failed_at == hall.clock.now()


def held(hall: Hall, seconds: float, *, is_misset: bool = False) -> MailHeld:
    return MailHeld("not now", hall.clock.now() + datetime.timedelta(seconds=seconds), is_misset=is_misset)


async def test_a_service_that_wants_nothing_now_is_asked_when_it_has_said_and_no_attempt_counts(hall: Hall) -> None:
    mailer = FailingMailer([held(hall, 600)])
    courier = Courier(hall.means.store, mailer, hall.clock)
    await queue(hall)
    await queue(hall, attrs.evolve(HELLO, key="second"))
    with capture_logs() as lines:
        await courier.send_due()
        assert await courier.send_due() == 0
    assert mailer.tries == ["hello"]  # the second one would be refused as well
    assert str(courier.held()) == "not now"
    assert [(it["event"], it["log_level"]) for it in lines] == [("mail_held", "warning")]
    assert (await stored(hall)).attempts == 0
    hall.clock.pass_by(599)
    assert await courier.send_due() == 0
    hall.clock.pass_by(1)
    assert courier.held() is None
    assert await courier.send_due() == 2
    assert sorted(mailer.tries) == ["hello", "hello", "second"]
    assert (await stored(hall)).attempts == 1


async def test_a_wrong_key_loses_no_mail_before_somebody_has_had_days_to_put_it_right(hall: Hall) -> None:
    mailer = FailingMailer([held(hall, 1e9, is_misset=True) for _ in range(999)])
    courier = Courier(hall.means.store, mailer, hall.clock)
    await queue(hall)
    hours = int(HELD_FOR / LONGEST_HOLD)
    with capture_logs() as lines:
        for _ in range(hours):
            assert await courier.send_due() == 1
            hall.clock.pass_by(LONGEST_HOLD.total_seconds())
        assert (await stored(hall)).failed_at is None
        await courier.send_due()
    assert (await stored(hall)).failed_at == hall.clock.now()
    assert {it["log_level"] for it in lines} == {"error"}
    assert lines[-1]["event"] == "mail_failed"


async def test_a_time_that_has_passed_or_a_clock_that_is_put_right_does_not_stop_the_mail(hall: Hall) -> None:
    mailer = FailingMailer([held(hall, -5), held(hall, 3600)])
    courier = Courier(hall.means.store, mailer, hall.clock)
    await queue(hall)
    await courier.send_due()
    assert await courier.send_due() == 0  # it does not spin
    hall.clock.pass_by(1)
    await courier.send_due()
    hall.clock.pass_by(-1800)
    await queue(hall, attrs.evolve(HELLO, key="second"))
    await courier.send_due()
    assert mailer.tries == ["hello", "hello", "second"]


async def test_a_crash_between_sending_and_noting_it_sends_it_again_under_the_same_key(hall: Hall) -> None:
    crashing = FailingMailer([StoreUnavailable("gone")])  # as good as a crash: nothing is noted after it
    await queue(hall)
    with pytest.raises(StoreUnavailable):
        await Courier(hall.means.store, crashing, hall.clock).send_due()
    assert await hall.mails(ANNA) == []  # not at once: it may be on its way
    hall.clock.pass_by(30)
    assert [mail.key for mail in await hall.mails(ANNA)] == crashing.tries == ["hello"]


async def test_who_crashes_in_the_last_attempt_does_not_try_for_ever(hall: Hall) -> None:
    await queue(hall)
    for _ in range(len(PAUSES) + 1):
        with pytest.raises(StoreUnavailable):
            await Courier(hall.means.store, FailingMailer([StoreUnavailable("gone")]), hall.clock).send_due()
        hall.clock.pass_by(24 * 3600)
    assert await hall.mails(ANNA) == []
    assert (await stored(hall)).failed_at == hall.clock.now()


async def test_two_couriers_send_a_mail_once(hall: Hall) -> None:
    await queue(hall)
    other = Courier(hall.means.store, hall.mailer, hall.clock)
    await asyncio.gather(hall.courier.send_due(), other.send_due())
    assert len(hall.mailer.sent) == 1


async def test_it_goes_on_by_itself_and_at_once_when_poked(hall: Hall) -> None:
    task = asyncio.create_task(hall.courier.run())
    await queue(hall)
    for _ in range(20):
        hall.courier.poke()
        await asyncio.sleep(0)
    assert [mail.key for mail in hall.mailer.sent] == ["hello"]
    begun = hall.clock.now()
    await queue(hall, attrs.evolve(HELLO, key="second"))
    for _ in range(200):
        await asyncio.sleep(0)
        if len(hall.mailer.sent) == 2:
            break
    assert (hall.clock.now() - begun).total_seconds() <= 2 * POLL_S
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


async def test_news_that_have_been_gathered_go_when_their_time_has_come(hall: Hall) -> None:
    user = await hall.user()
    post = ready(TemplateLetters(), "https://dca.example.com")
    couriers = [Courier(hall.means.store, hall.mailer, hall.clock, post) for _ in range(2)]
    hall.mailer.sent.clear()
    due_at = hall.clock.now() + MAIL_EVERY
    async with hall.means.store.begin() as work:
        await work.gathered.add(user.id, Occasion.ERROR, [f"PAPER: bot {it} needs help" for it in range(25)], due_at)
        await work.commit()
    tasks = [asyncio.create_task(it.run()) for it in couriers]
    for _ in range(2000):
        await asyncio.sleep(0)
        if hall.mailer.sent:
            break
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    (mail,) = hall.mailer.sent
    assert due_at <= hall.clock.now() <= due_at + datetime.timedelta(seconds=3 * POLL_S)
    assert mail.subject == "A bot needs help (25 times)"
    assert mail.text.startswith("Times are in UTC.\n\n- PAPER: bot 0 needs help\n- PAPER: bot 1 needs help\n")
    assert "\n\nAnd 5 more.\n\n" in mail.text
    assert "This is on" not in mail.text
    assert "https://dca.example.com/activity" in mail.text
    assert mail.html.count(">PAPER: bot") == mail.html.count("<li ") == 20
    assert 'href="https://dca.example.com/activity"' in mail.html


async def test_old_links_tries_and_mail_are_cleared_away_once_an_hour(hall: Hall) -> None:
    await identity.register(hall.means, email=ANNA, password=GOOD)
    (mail,) = await hall.mails(ANNA)
    await hall.courier.tidy()
    assert (await stored(hall, mail.key)).sent_at is not None
    hall.clock.pass_by(32 * 24 * 3600)
    await hall.courier.tidy()
    tables = hall.means.store._tables  # type: ignore[attr-defined]  # the memory store's
    assert (tables.outbox, tables.mail_links, tables.tries) == ({}, {}, {})


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": "a@b.org\r\nBcc: c@d.org"},
        {"to": "a@b.org, c@d.org"},
        {"to": "A <a@b.org>"},
        {"to": "a@b.org\x00"},
        {"to": "a@"},
        {"to": ""},
        {"subject": "Hello\nBcc: c@d.org"},
        {"subject": "Hello\u2028there"},
        {"subject": ""},
        {"subject": "x" * 255},
        {"key": "a\r\nb"},
    ],
)
def test_headers_cannot_be_injected(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidParameter) as refused:
        attrs.evolve(HELLO, **wrong)
    assert "c@d.org" not in str(refused.value)


@pytest.mark.parametrize("letter", Letter)
def test_every_letter_says_the_same_as_text_and_as_a_page(letter: Letter) -> None:
    link = "https://dca.example.com/verify-email/secret"
    words = {"base_url": "https://dca.example.com", "to": ANNA, "link": link, "hours": "24", "email": "<b>@x.org"}
    words |= {
        "headline": "A bot needs help",
        "text": "<b>: no key",
        "environment": "PAPER",
        "more": "3",
        "advice": "Look.",
    }
    said = TemplateLetters().write(letter, words)
    mail = Mail(to=ANNA, subject=said.subject, text=said.text, html=said.html, key="key")
    assert mail.text.endswith("\n")
    assert not mail.text.endswith("\n\n")
    assert f"<title>{said.subject}</title>" in said.html
    assert "<b>" not in said.html
    assert (f'href="{link}"' in said.html) == (link in said.text)
    has_link = letter in {Letter.VERIFY, Letter.NEW_ADDRESS, Letter.RESET, Letter.INVITATION}
    assert (link in said.text) == has_link
    assert "{" not in said.text


def test_what_is_told_of_a_plan_leads_to_its_page() -> None:
    words = {"base_url": "https://dca.example.com", "to": ANNA, "headline": "Your plan\nends", "text": "<b>Soon & so"}
    said = TemplateLetters().write(Letter.PLAN, words)
    assert said.subject == "Your plan ends"
    assert "<b>Soon & so" in said.text
    assert "&lt;b&gt;Soon &amp; so" in said.html
    assert 'href="https://dca.example.com/subscription"' in said.html


async def test_the_log_has_who_what_and_the_link_and_no_more() -> None:
    with capture_logs() as lines:
        await LogMailer().send(HELLO)
    assert lines == [
        {
            "event": "mail_only_logged",
            "log_level": "warning",
            "to": ANNA,
            "subject": "Hello",
            "link": "http://canary",
        }
    ]


async def test_mail_in_memory_can_be_read() -> None:
    mailer = MemoryMailer()
    second = attrs.evolve(HELLO, key="second")
    for mail in (HELLO, second):
        await mailer.send(mail)
    assert mailer.newest("Anna@example.com") == second
    assert mailer.newest("bert@example.com") is None
    assert list(mailer.sent) == [HELLO, second]
