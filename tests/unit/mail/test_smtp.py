"""What a mail server's answers mean, and what can be known when there is none."""

from __future__ import annotations

import ssl
from collections import deque
from pathlib import Path

import attrs
import pytest

from dcacore.adapters.mail_smtp import SmtpMailer
from dcacore.ports.errors import MailHeld, MailRefused, PortError, Unavailable
from dcacore.ports.mail import Mail
from dcacore.ports.smtp import SmtpServer
from tests.posts.server import PASSWORD, USER, Server, certificate, mail_server
from tests.unit.simulated.clock import ManualClock

HELLO = Mail(to="anna@example.com", subject="Hello", text="text\n", html="<p>page\n", key="hello")


def mailer(
    server: Server,
    *,
    timeout_s: float = 30,
    trusted: ssl.SSLContext | None = None,
    sender: str = "DCA <dca@example.com>",
    upgrade: bool | None = None,
    is_tls: bool = False,
    password: str = "",
) -> SmtpMailer:
    user = USER if password else ""
    where = SmtpServer(host="127.0.0.1", port=server.port, user=user, password=password, is_tls=is_tls, upgrade=upgrade)
    return SmtpMailer(where, sender=sender, clock=ManualClock(), timeout_s=timeout_s, trusted=trusted)


async def failure(sends: SmtpMailer, mail: Mail = HELLO) -> PortError:
    with pytest.raises(PortError) as failed:
        await sends.send(mail)
    assert "canary" not in f"{failed.value!r} {failed.value}"
    return failed.value


async def test_a_mail_has_two_parts_and_the_headers_of_one_that_a_program_has_written() -> None:
    async with mail_server() as server:
        await mailer(server, sender="Grüße <dca@example.com>").send(HELLO)
    (mail,) = server.taken
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert str(mail["From"]) == "Grüße <dca@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == ManualClock().now()
    assert str(mail["Message-ID"]).endswith("@example.com>")
    assert "hello" not in str(mail["Message-ID"])
    assert (server.to, server.senders) == ([["anna@example.com"]], ["dca@example.com"])


async def test_the_message_id_is_the_same_whenever_a_mail_is_tried_and_another_for_another_one() -> None:
    async with mail_server() as server:
        server.drops_after = True
        assert type(await failure(mailer(server))) is Unavailable  # it was taken, and nobody can know
        await mailer(server).send(HELLO)
        await mailer(server).send(attrs.evolve(HELLO, key="another"))
    first, again, other = [str(it["Message-ID"]) for it in server.taken]
    assert first == again != other


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "END"])
async def test_a_server_that_does_not_answer_is_not_waited_for(step: str) -> None:
    async with mail_server() as server:
        server.hangs_at = step
        failed = await failure(mailer(server, timeout_s=0.3))
    assert type(failed) is Unavailable
    assert str(failed) == "the mail server has not answered in time"


@pytest.mark.parametrize("answer", ["500 what", None])
async def test_a_mail_that_was_taken_is_taken_however_the_goodbye_goes(answer: str | None) -> None:
    async with mail_server() as server:
        server.at = {"QUIT": deque([answer])}
        await mailer(server).send(HELLO)
        assert len(server.taken) == 1


@pytest.mark.parametrize(
    ("step", "answer", "kind"),
    [
        ("MAIL", "451 canary", Unavailable),
        ("MAIL", "550 canary", MailHeld),
        ("MAIL", "530 canary", MailHeld),
        ("MAIL", None, Unavailable),
        ("RCPT", "550 canary", MailRefused),
        ("RCPT", "553 canary", MailRefused),
        ("RCPT", "530 canary", MailHeld),
        ("RCPT", "451 canary", Unavailable),
        ("RCPT", "421 canary", Unavailable),
        ("RCPT", None, Unavailable),
        ("DATA", "554 canary", MailRefused),
        ("DATA", "452 canary", Unavailable),
        ("DATA", None, Unavailable),
    ],
)
async def test_what_refusals_mean(step: str, answer: str | None, kind: type[PortError]) -> None:
    async with mail_server() as server:
        server.at = {step: deque([answer])}
        assert type(await failure(mailer(server))) is kind
        assert server.taken == []
        await mailer(server).send(HELLO)
        assert len(server.taken) == 1


async def test_who_is_not_there_is_unavailable() -> None:
    server = Server(port=1)
    failed = await failure(mailer(server))
    assert type(failed) is Unavailable
    assert str(failed) == "the connection to the mail server has failed (SMTPConnectError)"


async def test_the_password_goes_over_an_encrypted_connection(tmp_path: Path) -> None:
    shown, trusted = certificate(tmp_path)
    async with mail_server(tls=shown, asks_who=True) as server:
        await mailer(server, trusted=trusted, upgrade=True, password=PASSWORD).send(HELLO)
        assert server.was_tls == [True]
        wrong = await failure(mailer(server, trusted=trusted, upgrade=True, password="canary"))
        assert isinstance(wrong, MailHeld)
        assert wrong.is_misset
        assert str(wrong) == "the mail server does not let us in (535): look at SMTP_URL and MAIL_FROM"
        nobody = await failure(mailer(server, trusted=trusted, upgrade=True))
        assert isinstance(nobody, MailHeld)
        stranger = await failure(mailer(server, upgrade=True, password=PASSWORD))
        assert isinstance(stranger, MailHeld)
        assert "certificate is not to be trusted" in str(stranger)
        assert len(server.taken) == 1


async def test_a_connection_may_be_encrypted_from_its_first_byte(tmp_path: Path) -> None:
    shown, trusted = certificate(tmp_path)
    async with mail_server(at_once=shown) as server:
        await mailer(server, trusted=trusted, is_tls=True, upgrade=False).send(HELLO)
        assert server.was_tls == [True]
        stranger = await failure(mailer(server, is_tls=True, upgrade=False))
        assert isinstance(stranger, MailHeld)
        assert "certificate is not to be trusted" in str(stranger)


async def test_without_encryption_nothing_goes_where_it_is_insisted_on(tmp_path: Path) -> None:
    async with mail_server() as server:
        bare = await failure(mailer(server, upgrade=True))
        assert isinstance(bare, MailHeld)
        assert "offers no encryption" in str(bare)
        await mailer(server).send(HELLO)  # only where it is offered
    shown, trusted = certificate(tmp_path)
    async with mail_server(tls=shown) as server:
        await mailer(server, trusted=trusted).send(HELLO)
        await mailer(server, upgrade=False).send(HELLO)
        assert server.was_tls == [True, False]


async def test_addresses_with_letters_beyond_ascii_go_where_they_are_taken() -> None:
    mail = attrs.evolve(HELLO, to="änne@example.com")
    async with mail_server() as server:
        await mailer(server).send(mail)
        assert server.to == [["änne@example.com"]]
    async with mail_server(utf8=False) as server:
        assert isinstance(await failure(mailer(server), mail), MailRefused)
        await mailer(server).send(HELLO)


@pytest.mark.parametrize(
    "to", ["a..b@example.com", ".@.", "a@-", "a'b@x", "=?x?=@example.com", "=?utf-8?q?=0A?=@x.org"]
)
async def test_addresses_that_hardly_are_some_break_nothing(to: str) -> None:
    async with mail_server() as server:
        try:
            await mailer(server).send(attrs.evolve(HELLO, to=to))
        except MailRefused:
            assert server.taken == []
        await mailer(server).send(HELLO)
        assert str(server.taken[-1]["To"]) == HELLO.to
