"""What carries mail away: memory, the log, Resend, and a server that speaks SMTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing

import attrs
import pytest
from structlog.testing import capture_logs

from dcacore.adapters.mail_log import LogMailer
from dcacore.adapters.mail_memory import MemoryMailer
from dcacore.adapters.mail_resend import ResendMailer
from dcacore.adapters.mail_smtp import SmtpMailer
from dcacore.ports.mail import Mail, Mailer
from dcacore.ports.smtp import SmtpServer
from tests.posts.resend import KEY, resend
from tests.posts.server import mail_server
from tests.unit.simulated.clock import ManualClock

SENDER = "DCA <dca@example.com>"
HELLO = Mail(
    to="anna@example.com",
    subject="Grüße",
    text="Grüße,\n\n.a line with a dot before\n" + "long " * 300 + "\n",
    html="<p>Grüße</p>\n",
    key="hello",
    link="https://dca.example.com/verify-email/canary",
)


@attrs.frozen
class Carried:
    """What carries mail away, and what has arrived: recipient and subject, text and page where they can be seen."""

    mailer: Mailer
    arrived: Callable[[], list[tuple[str, ...]]]
    is_once: bool = False


@pytest.fixture(params=["memory", "log", "resend", "smtp"])
async def carried(request: pytest.FixtureRequest) -> AsyncIterator[Carried]:
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            memory = MemoryMailer()
            yield Carried(memory, lambda: [(it.to, it.subject, it.text, it.html) for it in memory.sent])
        elif request.param == "log":
            lines = stack.enter_context(capture_logs())
            yield Carried(LogMailer(), lambda: [(it["to"], it["subject"]) for it in lines])
        elif request.param == "resend":
            service = await stack.enter_async_context(resend())
            mailer = ResendMailer(key=KEY, sender=SENDER, url=service.url, clock=clock)
            await stack.enter_async_context(aclosing(mailer))
            taken = service.taken
            yield Carried(
                mailer,
                lambda: [(it["to"][0], it["subject"], it["text"], it["html"]) for it in taken.values()],
                is_once=True,
            )
        else:
            server = await stack.enter_async_context(mail_server())
            where = SmtpServer(host="127.0.0.1", port=server.port)
            yield Carried(
                SmtpMailer(where, sender=SENDER, clock=clock),
                lambda: [
                    (
                        str(it["To"]),
                        str(it["Subject"]),
                        *(part.get_content().replace("\r\n", "\n") for part in it.iter_parts()),
                    )
                    for it in server.taken
                ],
            )


async def test_a_mail_arrives_as_it_was_written(carried: Carried) -> None:
    await carried.mailer.send(HELLO)
    (arrived,) = carried.arrived()
    assert arrived == (HELLO.to, HELLO.subject, HELLO.text, HELLO.html)[: len(arrived)]


async def test_several_mails_go_one_after_another(carried: Carried) -> None:
    for number in range(3):
        await carried.mailer.send(attrs.evolve(HELLO, key=f"{number}", subject=f"{number}"))
    assert [it[1] for it in carried.arrived()] == ["0", "1", "2"]


async def test_the_same_mail_may_come_twice(carried: Carried) -> None:
    await carried.mailer.send(HELLO)
    await carried.mailer.send(HELLO)
    assert len(carried.arrived()) == (1 if carried.is_once else 2)


@pytest.mark.parametrize("key", ["x" * 254, "é" * 200, "a/b c:d"])
async def test_any_key_will_do(carried: Carried, key: str) -> None:
    await carried.mailer.send(attrs.evolve(HELLO, key=key))
    assert len(carried.arrived()) == 1
