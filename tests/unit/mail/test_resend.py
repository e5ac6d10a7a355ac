"""What Resend's answers mean: what is refused for good, what waits, and that nothing is sent twice."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import attrs
import pytest
from structlog.testing import capture_logs

from dcacore.adapters.mail_resend import ResendMailer
from dcacore.adapters.memory import MemoryStore
from dcacore.application.identity.courier import Courier
from dcacore.ports.errors import MailHeld, MailRefused, PortError, Unavailable
from dcacore.ports.mail import Mail
from tests.posts.resend import KEY, Fault, Resend, resend, said
from tests.unit.simulated.clock import ManualClock

HELLO = Mail(to="anna@example.com", subject="Hello", text="text", html="<p>page", key="hello")
HTML = "<html><h1>502 Bad Gateway</h1>canary</html>"
MINUTE = datetime.timedelta(minutes=1)


@attrs.frozen
class Post:
    service: Resend
    mailer: ResendMailer
    clock: ManualClock


@asynccontextmanager
async def opened(*, timeout_s: float = 15, key: str = KEY) -> AsyncIterator[Post]:
    clock = ManualClock()
    async with resend() as service:
        mailer = ResendMailer(
            key=key, sender="DCA <dca@example.com>", url=service.url, clock=clock, timeout_s=timeout_s
        )
        async with aclosing(mailer):
            yield Post(service, mailer, clock)


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    async with opened() as made:
        yield made


async def failure(post: Post, fault: Fault) -> PortError:
    post.service.faults.append(fault)
    with pytest.raises(PortError) as failed:
        await post.mailer.send(HELLO)
    assert KEY not in f"{failed.value!r} {failed.value}"
    assert "canary" not in str(failed.value)
    return failed.value


async def test_a_request_has_all_that_resend_asks_for(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # the key goes nowhere else
    await post.mailer.send(HELLO)
    (headers,) = post.service.requests
    assert headers["user-agent"] == "dcabot"
    assert headers["idempotency-key"] == "hello"
    assert headers["content-type"] == "application/json"
    assert post.service.taken["hello"] == {
        "from": "DCA <dca@example.com>",
        "to": ["anna@example.com"],
        "subject": "Hello",
        "text": "text",
        "html": "<p>page",
        "headers": {"Auto-Submitted": "auto-generated"},
    }


@pytest.mark.parametrize(
    "fault",
    [
        said(500, "internal_server_error"),
        Fault(status=502, body=HTML),
        Fault(status=503, body=""),
        Fault(status=408),
        Fault(status=200, body=HTML),
        Fault(status=200, body="[1]"),
        Fault(status=200, body="[" * 60_000),
        Fault(status=200, body="x" * 200_000),
        said(409, "concurrent_idempotent_requests"),
        Fault(),
        Fault(takes=True),
        Fault(status=500, takes=True),
    ],
)
async def test_what_may_have_been_taken_is_tried_again_and_sent_once(post: Post, fault: Fault) -> None:
    assert type(await failure(post, fault)) is Unavailable
    await post.mailer.send(HELLO)
    assert list(post.service.taken) == ["hello"]


@pytest.mark.parametrize("fault", [Fault(hangs=True), Fault(hangs=True, takes=True), Fault(trickles=True)])
async def test_who_does_not_answer_is_not_waited_for_and_the_mail_is_sent_once(fault: Fault) -> None:
    async with opened(timeout_s=0.3) as post:
        assert type(await failure(post, fault)) is Unavailable
        assert ("hello" in post.service.taken) == fault.takes
    async with opened() as post:
        post.service.faults.append(Fault(status=500, takes=True))
        with pytest.raises(Unavailable):
            await post.mailer.send(HELLO)
        await post.mailer.send(HELLO)
        assert [it["idempotency-key"] for it in post.service.requests] == ["hello", "hello"]
        assert len(post.service.taken) == 1


async def test_who_is_not_there_is_unavailable() -> None:
    mailer = ResendMailer(key=KEY, sender="a@b.org", url="http://127.0.0.1:1", clock=ManualClock())
    async with aclosing(mailer):
        with pytest.raises(Unavailable, match=r"^Resend has not answered \(ConnectError\)$"):
            await mailer.send(HELLO)


@pytest.mark.parametrize("status", [400, 413, 422, 451])
async def test_what_is_wrong_with_a_mail_stays_wrong(post: Post, status: int) -> None:
    refusal = await failure(post, said(status, "validation_error"))
    assert isinstance(refusal, MailRefused)
    assert str(refusal) == f"Resend does not take this mail ({status} validation_error)"


async def test_another_mail_under_the_same_key_is_refused(post: Post) -> None:
    await post.mailer.send(HELLO)
    with pytest.raises(MailRefused, match="another mail under this key"):
        await post.mailer.send(attrs.evolve(HELLO, text="another"))


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (401, "missing_api_key"),
        (403, "invalid_api_key"),
        (403, "validation_error"),
        (422, "invalid_from_address"),
        (404, "not_found"),
        (301, ""),
    ],
)
async def test_what_an_administrator_has_to_put_right_loses_no_mail(post: Post, status: int, name: str) -> None:
    hold = await failure(post, said(status, name, location="http://127.0.0.1:1/emails"))
    assert isinstance(hold, MailHeld)
    assert hold.is_misset
    assert hold.retry_at > post.clock.now()
    assert "look at RESEND_API_KEY" in str(hold)
    assert len(post.service.requests) == 1  # no redirect is followed


@pytest.mark.parametrize(
    ("name", "headers", "pause"),
    [
        ("rate_limit_exceeded", {}, MINUTE),
        ("rate_limit_exceeded", {"retry_after": "7"}, datetime.timedelta(seconds=7)),
        ("rate_limit_exceeded", {"retry_after": "9" * 500}, 60 * MINUTE),
        ("rate_limit_exceeded", {"retry_after": "-5"}, MINUTE),
        ("rate_limit_exceeded", {"retry_after": "soon"}, MINUTE),
        ("rate_limit_exceeded", {"retry_after": "²"}, MINUTE),
        ("rate_limit_exceeded", {"retry_after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0 * MINUTE),
        ("rate_limit_exceeded", {"retry_after": "Thu, 01 Jan 2099 00:00:00 GMT"}, 60 * MINUTE),
        ("rate_limit_exceeded", {"retry_after": "Thu, 01 Jan 2099 00:00:00 -0000"}, MINUTE),
        ("daily_quota_exceeded", {"retry_after": "7"}, 60 * MINUTE),
        ("CANARY\n", {}, MINUTE),
    ],
)
async def test_who_asks_too_often_waits_as_long_as_he_is_told(
    post: Post, name: str, headers: dict[str, str], pause: datetime.timedelta
) -> None:
    hold = await failure(post, said(429, name, **headers))
    assert isinstance(hold, MailHeld)
    assert not hold.is_misset
    assert hold.retry_at - post.clock.now() == pause


async def test_a_courier_sends_each_mail_once_whatever_the_service_does(post: Post) -> None:
    store = MemoryStore(post.clock)
    courier = Courier(store, post.mailer, post.clock)
    async with store.begin() as work:
        for number in range(5):
            await work.outbox.add(attrs.evolve(HELLO, key=f"{number}"), post.clock.now())
        await work.commit()
    post.service.faults.extend(
        [
            Fault(takes=True),
            Fault(status=502, body=HTML),
            said(429, "rate_limit_exceeded", retry_after="120"),
            Fault(status=500, takes=True),
            said(403, "invalid_api_key"),
            Fault(),
            said(409, "concurrent_idempotent_requests"),
        ]
    )
    with capture_logs() as lines:
        for _ in range(60):
            await courier.send_due()
            post.clock.pass_by(60)
    assert sorted(post.service.taken) == ["0", "1", "2", "3", "4"]
    async with store.begin(reads_only=True) as work:
        ends = [await work.outbox.get(f"{number}") for number in range(5)]
    assert all(it is not None and it.sent_at is not None for it in ends)
    assert [it["event"] for it in lines].count("mail_held") == 2
    assert KEY not in str(lines)
    assert "canary" not in str(lines)
