"""What carries mail away: Resend, else an SMTP server, else the log, as the settings say."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from dcacore.adapters.letters import TemplateLetters
from dcacore.adapters.mail_log import LogMailer
from dcacore.adapters.system import RandomIds, SystemClock
from dcacore.ports.clock import Clock
from dcacore.ports.mail import Letter, Mail, Mailer
from dcacore.ports.smtp import SmtpServer
from dcacore.settings import Settings

LOGGED: Final = "the log"
"""What mail goes by where nothing carries it."""


def mail_way(settings: Settings) -> str:
    """Return by what mail goes, for people to read; no secret is in it."""
    if settings.resend_api_key:
        return "Resend"
    if settings.smtp_url:
        server = SmtpServer.from_url(settings.smtp_url)
        return f"SMTP, {server.host}:{server.port}"
    return LOGGED


@asynccontextmanager
async def mailer_of(settings: Settings, clock: Clock) -> AsyncIterator[Mailer]:
    """Yield what carries mail away. What it needs is imported only where it is wanted."""
    if settings.resend_api_key:
        from dcacore.adapters.mail_resend import ResendMailer

        mailer = ResendMailer(
            key=settings.resend_api_key, sender=settings.mail_from, url=settings.resend_api_url, clock=clock
        )
        async with contextlib.aclosing(mailer):
            yield mailer
    elif settings.smtp_url:
        from dcacore.adapters.mail_smtp import SmtpMailer

        yield SmtpMailer(SmtpServer.from_url(settings.smtp_url), sender=settings.mail_from, clock=clock)
    else:
        yield LogMailer()


async def try_mail(settings: Settings, to: str) -> Mail:
    """Send the test letter, at once and beside the outbox, so that it can be said what came of it; return it.

    Args:
        settings: by what, and whom it comes from.
        to: the address.

    Raises:
        InvalidParameter: that is no address.
        MailRefused: it will never be taken.
        MailHeld: the service takes nothing of ours now.
        Unavailable: it could not be handed on now, or nobody knows whether it was.
    """
    said = TemplateLetters().write(Letter.TEST, {"base_url": settings.base_url, "to": to})
    mail = Mail(to=to, subject=said.subject, text=said.text, html=said.html, key=f"test-{RandomIds().new()}")
    async with mailer_of(settings, SystemClock()) as mailer:
        await mailer.send(mail)
    return mail
