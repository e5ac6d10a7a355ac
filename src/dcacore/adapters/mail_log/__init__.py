"""Mail for a machine without a mail service: written to the log, so that whoever runs it can follow the link."""

from __future__ import annotations

import structlog

from dcacore.ports.mail import Mail, Mailer

__all__ = ["LogMailer"]

log = structlog.get_logger("dcacore.mail")


class LogMailer(Mailer):
    """Writes recipient, subject and link to the log; whoever reads the log can use the link."""

    async def send(self, mail: Mail) -> None:
        log.warning("mail_only_logged", to=mail.to, subject=mail.subject, link=mail.link or None)
