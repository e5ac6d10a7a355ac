"""Mail by a server that speaks SMTP: one connection a mail.

SMTP knows no keys. When the connection is lost after the mail and before the server's answer to it, nobody knows
whether it was taken, and it is sent again: with the same Message-ID, by which servers and mail programs may tell.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import hashlib
import ssl
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from typing import Final

import aiosmtplib
from aiosmtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException

from dcacore.ports.clock import Clock
from dcacore.ports.errors import MailHeld, MailRefused, PortError, Unavailable
from dcacore.ports.mail import Mail, Mailer
from dcacore.ports.smtp import SmtpServer

__all__ = ["SmtpMailer"]

TIMEOUT_S: Final = 30.0
"""How long a mail may take, the connection included."""
_QUIT_S: Final = 2.0
_ID_DIGITS: Final = 40
_MISSET_PAUSE: Final = datetime.timedelta(minutes=5)
_PERMANENT: Final = 500
_NOT_LOGGED_IN: Final = frozenset({530, 534, 535, 538})
_LOOK: Final = "look at SMTP_URL and MAIL_FROM"


class SmtpMailer(Mailer):
    """Hands mail to an SMTP server."""

    def __init__(
        self,
        server: SmtpServer,
        *,
        sender: str,
        clock: Clock,
        timeout_s: float = TIMEOUT_S,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        """Take what the settings say; nothing is asked yet.

        Args:
            server: where it is, and how it is spoken to.
            sender: whom mails come from: an address, or `name <address>`.
            clock: time.
            timeout_s: how long a mail may take.
            trusted: whom to believe that they are the server; None for whom this machine believes.
        """
        self._server = server
        self._sender = sender
        self._clock = clock
        self._timeout_s = timeout_s
        self._trusted = trusted

    async def send(self, mail: Mail) -> None:
        message = self._message(mail)
        client = self._client()
        try:
            async with asyncio.timeout(self._timeout_s):
                await client.connect()
                await self._hand_over(client, mail, message)
        except (SMTPException, OSError, ValueError) as exc:  # the last one for addresses that SMTP cannot have
            raise self._failure(exc) from exc
        else:
            await _leave(client)
        finally:
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        if self._trusted is None:
            self._trusted = ssl.create_default_context()
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            local_hostname=self._domain,  # else this machine's own name would be looked up, and told
            timeout=self._timeout_s,
            use_tls=server.is_tls,
            start_tls=server.upgrade,
            tls_context=self._trusted,
        )

    @property
    def _domain(self) -> str:
        domain = parseaddr(self._sender)[1].rpartition("@")[2]
        return domain if domain.isascii() else domain.encode("idna").decode()

    async def _hand_over(self, client: aiosmtplib.SMTP, mail: Mail, message: EmailMessage) -> None:
        sender = parseaddr(self._sender)[1]
        options = []
        if not (sender + mail.to).isascii():
            await client.ehlo()
            if not client.supports_extension("smtputf8"):
                raise MailRefused("this mail server takes no address with letters beyond ASCII")
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        policy = SMTP_POLICY.clone(utf8=bool(options))
        await client.sendmail(sender, [mail.to], message.as_bytes(policy=policy), mail_options=options)

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=SMTP_POLICY)
        digest = hashlib.sha256(f"mail {mail.key}".encode()).hexdigest()[:_ID_DIGITS]
        try:
            message["From"] = self._sender
            message["To"] = mail.to
            message["Subject"] = mail.subject
            message["Date"] = format_datetime(self._clock.now())
            message["Message-ID"] = f"<{digest}@{self._domain}>"
            message["Auto-Submitted"] = "auto-generated"
            message.set_content(mail.text)
            message.add_alternative(mail.html, subtype="html")
        except (ValueError, MessageError, IndexError) as exc:  # the last one is how some broken addresses show
            raise MailRefused("this mail cannot be written as one") from exc
        return message

    def _failure(self, exc: Exception) -> PortError:
        if isinstance(exc, SMTPRecipientsRefused):
            exc = exc.recipients[0]
        if isinstance(exc, SMTPResponseException):
            return self._refusal(exc)
        if isinstance(exc, TimeoutError):
            return Unavailable("the mail server has not answered in time")
        if _is_about_tls(exc):
            return self._misset(f"the mail server's certificate is not to be trusted: {_LOOK}")
        if isinstance(exc, OSError):
            return Unavailable(f"the connection to the mail server has failed ({type(exc).__name__})")
        if isinstance(exc, SMTPException):
            return self._misset(f"the mail server offers no encryption, or no way to log in: {_LOOK}")
        return MailRefused("this address cannot be written to by SMTP")

    def _refusal(self, exc: SMTPResponseException) -> PortError:
        code = exc.code
        if code < _PERMANENT:
            return Unavailable(f"the mail server has put this mail off ({code})")
        if isinstance(exc, aiosmtplib.SMTPAuthenticationError) or code in _NOT_LOGGED_IN:
            return self._misset(f"the mail server does not let us in ({code}): {_LOOK}")
        if isinstance(exc, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError):
            return MailRefused(f"the mail server does not take this mail ({code})")
        return self._misset(f"the mail server refuses us ({code}): {_LOOK}")

    def _misset(self, reason: str) -> MailHeld:
        return MailHeld(reason, self._clock.now() + _MISSET_PAUSE, is_misset=True)


async def _leave(client: aiosmtplib.SMTP) -> None:
    """Say goodbye. The mail has been taken: whatever happens now must not have it sent again."""
    with contextlib.suppress(SMTPException, OSError):
        async with asyncio.timeout(_QUIT_S):
            await client.quit()


def _is_about_tls(exc: BaseException | None) -> bool:
    while exc is not None:
        if isinstance(exc, ssl.SSLCertVerificationError):
            return True
        exc = exc.__cause__ or exc.__context__
    return False
