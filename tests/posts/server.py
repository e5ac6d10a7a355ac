"""A mail server that keeps what it takes, and fails as it is told to."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any, Final, cast

import attrs
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.strategies import NOON

USER: Final = "anna@example.com"
PASSWORD: Final = "p@ss:canary"
_YEARS: Final = datetime.timedelta(days=20 * 365)


@attrs.define
class Server:
    """The server.

    Attributes:
        port: where it listens.
        at: what it says in the place of its usual answer, by step: RCPT, DATA; None drops the connection.
        drops_after: whether it drops the connection once it has taken the mail, without a word.
        hangs_at: the step at which it says nothing any more; empty for none.
        taken: the mails that it has taken, oldest first.
        to: whom they were for, by the envelope.
        senders: who sent them, by the envelope.
        was_tls: for each whether the connection was encrypted.
    """

    port: int = 0
    at: dict[str, deque[str | None]] = attrs.field(factory=dict)
    hangs_at: str = ""
    drops_after: bool = False
    taken: list[EmailMessage] = attrs.field(factory=list)
    to: list[list[str]] = attrs.field(factory=list)
    senders: list[str] = attrs.field(factory=list)
    was_tls: list[bool] = attrs.field(factory=list)
    _open: list[SMTP] = attrs.field(factory=list, init=False)
    _never: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    async def _instead(self, step: str, server: SMTP) -> str:
        if self.hangs_at == step:
            await self._never.wait()
        told = self.at.get(step)
        if not told:
            return ""
        answer = told.popleft()
        if answer is None:
            _drop(server)
            return "451 gone"
        return answer

    async def handle_MAIL(  # noqa: N802  # as aiosmtpd calls it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take whom it comes from."""
        instead = await self._instead("MAIL", server)
        if instead:
            return instead
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  # as aiosmtpd calls it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take whom it is for."""
        instead = await self._instead("RCPT", server)
        if instead:
            return instead
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take the mail."""
        instead = await self._instead("DATA", server)
        if instead:
            return instead
        content = cast("bytes", envelope.content)
        self.taken.append(cast("EmailMessage", message_from_bytes(content, policy=cast("Any", SMTP_POLICY))))
        self.to.append(list(envelope.rcpt_tos))
        self.senders.append(envelope.mail_from or "")
        self.was_tls.append(_transport(server).get_extra_info("sslcontext") is not None)
        if self.hangs_at == "END":
            await self._never.wait()
        if self.drops_after:
            self.drops_after = False
            _drop(server)
        return "250 taken"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Say goodbye."""
        return await self._instead("QUIT", server) or "221 Bye"

    def check(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        """Let the user in who has the password."""
        is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=is_right, handled=False)


def _transport(server: SMTP) -> asyncio.Transport:
    assert isinstance(server.transport, asyncio.Transport)
    return server.transport


def _drop(server: SMTP) -> None:
    _transport(server).abort()


@asynccontextmanager
async def mail_server(
    *,
    tls: ssl.SSLContext | None = None,
    at_once: ssl.SSLContext | None = None,
    asks_who: bool = False,
    utf8: bool = True,
) -> AsyncIterator[Server]:
    """Yield the server on a free port of this machine.

    Args:
        tls: with what it offers STARTTLS; None where it does not.
        at_once: with what it encrypts from the first byte on; None where it does not.
        asks_who: whether nobody gets in without the password.
        utf8: whether it takes addresses with letters beyond ASCII.
    """
    server = Server()
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        made = SMTP(
            server,
            hostname="localhost",
            tls_context=tls,
            require_starttls=False,
            auth_required=asks_who,
            auth_require_tls=tls is not None,
            authenticator=server.check,
            enable_SMTPUTF8=utf8,
            loop=loop,
        )
        server._open.append(made)
        return made

    listening = await loop.create_server(protocol, "127.0.0.1", 0, ssl=at_once)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        server._never.set()
        for one in server._open:
            if one.transport is not None:
                _drop(one)
        for _ in range(5):
            await asyncio.sleep(0)


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a server at 127.0.0.1 shows, and what somebody has who believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a mail server of the tests")])
    made = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(NOON - _YEARS)
        .not_valid_after(NOON + _YEARS)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cert.pem").write_bytes(pem + private)
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(folder / "cert.pem")
    return shown, ssl.create_default_context(cadata=pem.decode())
