"""Mail about accounts: stored in the outbox by the transaction that has a reason for it."""

from __future__ import annotations

import datetime
from typing import Final

from dcacore.application.identity.means import Means, digest
from dcacore.ports.identity import LinkKind, MailLink
from dcacore.ports.mail import Letter, Mail
from dcacore.ports.records import User
from dcacore.ports.store import Work

LIFETIMES: Final = {
    LinkKind.VERIFY: datetime.timedelta(hours=24),
    LinkKind.ADDRESS: datetime.timedelta(hours=24),
    LinkKind.RESET: datetime.timedelta(hours=1),
}
_LETTERS: Final = {
    LinkKind.VERIFY: Letter.VERIFY,
    LinkKind.ADDRESS: Letter.NEW_ADDRESS,
    LinkKind.RESET: Letter.RESET,
}
_PATHS: Final = {
    LinkKind.VERIFY: "verify-email",
    LinkKind.ADDRESS: "verify-email",
    LinkKind.RESET: "reset-password",
}
INVITED_FOR: Final = datetime.timedelta(hours=72)
"""How long an invitation lasts, which is a link that sets a password: nobody waits for it beside the screen."""
_HOUR: Final = datetime.timedelta(hours=1)
_KEY_CHARACTERS: Final = 32


def written(means: Means, letter: Letter, to: str, *, email: str = "") -> Mail:
    """Return a letter without a link of its own.

    Args:
        letter: which one.
        to: who gets it.
        email: the new address, where the letter tells of one.
    """
    return _mail(means, letter, {"to": to, "email": email}, means.draws.secret())


def with_link(means: Means, kind: LinkKind, to: str) -> tuple[Mail, str]:
    """Return the letter with a new link of that kind, and the secret in the link."""
    secret = means.draws.secret()
    link = f"{means.base_url}/{_PATHS[kind]}/{secret}"
    words = {"to": to, "link": link, "hours": str(LIFETIMES[kind] // _HOUR)}
    return _mail(means, _LETTERS[kind], words, secret), secret


def invitation(means: Means, to: str) -> tuple[Mail, str]:
    """Return the letter with a link by which somebody new sets a password, and the secret in the link."""
    secret = means.draws.secret()
    link = f"{means.base_url}/{_PATHS[LinkKind.RESET]}/{secret}"
    words = {"to": to, "link": link, "hours": str(INVITED_FOR // _HOUR)}
    return _mail(means, Letter.INVITATION, words, secret), secret


def _mail(means: Means, letter: Letter, words: dict[str, str], unique: str) -> Mail:
    said = means.letters.write(letter, {"base_url": means.base_url, **words})
    key = f"{letter.value}-{digest(f'mail {unique}')[:_KEY_CHARACTERS]}"
    link = words.get("link", "")
    return Mail(to=words["to"], subject=said.subject, text=said.text, html=said.html, key=key, link=link)


async def send(
    means: Means,
    work: Work,
    user: User,
    kind: LinkKind,
    ready: tuple[Mail, str],
    *,
    lasts: datetime.timedelta | None = None,
) -> None:
    """Store a link for *user*, and the mail with it, in *work*, which the caller commits; it lasts as its kind does."""
    mail, secret = ready
    now = means.clock.now()
    expires_at = now + (lasts or LIFETIMES[kind])
    link = MailLink(key=digest(secret), user_id=user.id, kind=kind, email=mail.to, expires_at=expires_at)
    await work.mail_links.put(link)
    await work.outbox.add(mail, now)
