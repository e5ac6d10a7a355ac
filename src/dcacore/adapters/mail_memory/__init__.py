"""Mail that goes nowhere and can be read here: for tests, and for the demo."""

from __future__ import annotations

from collections import deque
from typing import Final

from dcacore.ports.mail import Mail, Mailer

__all__ = ["MemoryMailer"]

_KEPT: Final = 1_000


class MemoryMailer(Mailer):
    """Keeps the newest thousand mails.

    Attributes:
        sent: them, oldest first; one that came twice is there twice.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.sent: deque[Mail] = deque(maxlen=_KEPT)

    async def send(self, mail: Mail) -> None:
        self.sent.append(mail)

    def newest(self, to: str) -> Mail | None:
        """Return the last mail to this address; None when there was none."""
        return next((mail for mail in reversed(self.sent) if mail.to == to.lower()), None)
