"""A mail service that fails, or never answers: F83."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import attrs
import pytest

from dcacore.adapters import mail_resend, mail_smtp
from dcacore.adapters.letters import TemplateLetters
from dcacore.adapters.mail_resend import ResendMailer
from dcacore.adapters.mail_smtp import SmtpMailer
from dcacore.application.identity.courier import Courier
from dcacore.application.telling import ready
from dcacore.domain.deal import Exit
from dcacore.ports.errors import Unavailable
from dcacore.ports.identity import Channels, Occasion, Preferences, QueuedMail
from dcacore.ports.mail import Mail, Mailer
from dcacore.ports.smtp import SmtpServer
from tests.faults.stage import USER, Stage
from tests.posts.resend import KEY, Fault, resend
from tests.posts.server import mail_server
from tests.simulation.clock import START
from tests.unit.simulated.clock import ManualClock

HELLO = Mail(to="anna@example.com", subject="Hello", text="text", html="page", key="hello")
LONGEST_S = 60


@attrs.define
class HangingMailer(Mailer):
    """Never answers, and counts how often it was asked."""

    tries: int = 0

    async def send(self, mail: Mail) -> None:
        self.tries += 1
        await asyncio.Event().wait()


def wishes_all(stage: Stage) -> None:
    """Let the user have a confirmed address, and mail about everything."""

    async def put() -> None:
        async with stage.store.begin() as work:
            user = await work.users.get(USER)
            assert user is not None
            await work.users.save(attrs.evolve(user, verified_at=START))
            await work.wishes.put(USER, Preferences(told={it: Channels(by_mail=True) for it in Occasion}))
            await work.commit()

    stage.do(put())


def outbox(stage: Stage) -> tuple[QueuedMail, ...]:
    async def due() -> tuple[QueuedMail, ...]:
        async with stage.store.begin(reads_only=True) as work:
            return await work.outbox.due(stage.clock.now(), limit=100)

    return stage.do(due())


def test_f83_a_mail_service_that_never_answers_holds_up_no_turn(stage: Stage) -> None:
    wishes_all(stage)
    stage.post = ready(TemplateLetters(), "https://dca.example.com")
    mailer = HangingMailer()
    courier = Courier(stage.store, mailer, stage.clock, stage.post)
    sending = stage.loop.create_task(courier.run(), name="courier")
    stage.start(after=30)
    assert mailer.tries == 1
    stage.move("90", after=5)
    assert stage.deal().filled_safety_orders >= 1
    stage.move("120", after=60)
    (ended,) = stage.ended()
    assert ended.exit is Exit.TAKE_PROFIT
    stage.expect_position()
    told = {it.mail.subject for it in outbox(stage)}
    assert told >= {"A safety order has filled", "A deal has reached its target"}
    assert mailer.tries == 1
    sending.cancel()
    stage.run()


async def test_f83_resend_that_never_answers_is_waited_for_no_longer_than_a_mail_may_take() -> None:
    assert mail_resend.TIMEOUT_S <= LONGEST_S
    async with resend() as service:
        service.faults.extend([Fault(hangs=True, takes=True), Fault(trickles=True)])
        mailer = ResendMailer(key=KEY, sender="a@b.org", url=service.url, clock=ManualClock(), timeout_s=0.2)
        async with aclosing(mailer):
            for _ in range(2):
                with pytest.raises(Unavailable):
                    await asyncio.wait_for(mailer.send(HELLO), LONGEST_S)
            await mailer.send(HELLO)
        assert list(service.taken) == ["hello"]


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
async def test_f83_a_mail_server_that_never_answers_is_waited_for_no_longer_than_a_mail_may_take(step: str) -> None:
    assert mail_smtp.TIMEOUT_S <= LONGEST_S
    async with mail_server() as server:
        server.hangs_at = step
        where = SmtpServer(host="127.0.0.1", port=server.port)
        mailer = SmtpMailer(where, sender="a@b.org", clock=ManualClock(), timeout_s=0.2)
        with pytest.raises(Unavailable):
            await asyncio.wait_for(mailer.send(HELLO), LONGEST_S)


async def test_f83_a_server_that_takes_connections_and_never_says_a_word_is_not_waited_for() -> None:
    silent = asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    listening = await asyncio.start_server(never, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    where = SmtpServer(host="127.0.0.1", port=port)
    clock = ManualClock()
    by_http = ResendMailer(key=KEY, sender="a@b.org", url=f"http://127.0.0.1:{port}", clock=clock, timeout_s=0.2)
    try:
        async with aclosing(by_http):
            for mailer in (by_http, SmtpMailer(where, sender="a@b.org", clock=clock, timeout_s=0.2)):
                with pytest.raises(Unavailable):
                    await asyncio.wait_for(mailer.send(HELLO), LONGEST_S)
    finally:
        silent.set()
        listening.close()
        await listening.wait_closed()
        await asyncio.sleep(0)
