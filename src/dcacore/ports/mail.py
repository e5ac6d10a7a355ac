"""Mail: what is sent, who writes it, and what carries it away."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, Protocol

import attrs

from dcacore.domain.errors import InvalidParameter

_LONGEST_LINE: Final = 254
_NEVER_IN_NAMES: Final = frozenset(',;:<>@"\\')
_NEVER_IN_ADDRESSES: Final = _NEVER_IN_NAMES | frozenset(" ()[]")


def _one_line(mail: Any, field: attrs.Attribute[str], text: str) -> None:  # noqa: ARG001  # as attrs calls it
    """Refuse what could begin another header, or another line of the conversation with a mail server."""
    if not text or not text.isprintable() or len(text) > _LONGEST_LINE:
        rule = f"must be one line of 1 to {_LONGEST_LINE} printable characters"
        raise InvalidParameter(field.name, None, rule)


def _is_address(text: str) -> bool:
    name, _, domain = text.rpartition("@")
    is_plain = text.isprintable() and not set(name + domain) & _NEVER_IN_ADDRESSES
    return is_plain and bool(name) and bool(domain)


def _one_address(mail: Any, field: attrs.Attribute[str], text: str) -> None:
    _one_line(mail, field, text)
    if not _is_address(text):
        raise InvalidParameter(field.name, None, "must be one address such as a@b.org, and nothing else")


def checked_sender(text: str) -> str:
    """Return *text*, whom mails come from: an address, or `name <address>`.

    Raises:
        InvalidParameter: it is neither.
    """
    name, bracket, rest = text.rpartition("<")
    address = rest.removesuffix(">") if bracket else text
    is_closed = rest.endswith(">") or not bracket
    if not is_closed or not _is_address(address) or not name.isprintable() or set(name) & _NEVER_IN_NAMES:
        raise InvalidParameter("sender", None, "must be like a@b.org or Name <a@b.org>")
    return text


@attrs.frozen(kw_only=True)
class Mail:
    """One mail to one person. What could inject a header is refused when it is made.

    Attributes:
        to: the address, and nothing else.
        subject: one line.
        text: the mail as plain text.
        html: the same as a page.
        key: names the mail, also to a service that must not send it twice; the same whenever it is tried again.
        link: the link that is in it; empty when there is none. Whoever has it can use it.
    """

    to: str = attrs.field(validator=_one_address)
    subject: str = attrs.field(validator=_one_line)
    text: str = attrs.field(repr=False)
    html: str = attrs.field(repr=False)
    key: str = attrs.field(validator=_one_line)
    link: str = attrs.field(default="", repr=False)


class Mailer(Protocol):
    """Carries mail away."""

    async def send(self, mail: Mail) -> None:
        """Hand *mail* on; return when it has been taken.

        The same mail may come twice, after a crash or an answer that was lost: its key tells.

        Raises:
            MailRefused: it will never be taken; trying again cannot help.
            Unavailable: it could not be handed on now.
        """


class Letter(Enum):
    """What is written to people about their accounts and bots."""

    VERIFY = "verify"
    NEW_ADDRESS = "new_address"
    ALREADY_REGISTERED = "already_registered"
    RESET = "reset"
    ADDRESS_CHANGED = "address_changed"
    INVITATION = "invitation"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # the name of a letter
    NEWS = "news"
    PLAN = "plan"


@attrs.frozen(kw_only=True)
class Written:
    """What a letter says.

    Attributes:
        subject: one line.
        text: as plain text.
        html: as a page.
    """

    subject: str
    text: str
    html: str


class Letters(Protocol):
    """Writes letters."""

    def write(self, letter: Letter, words: Mapping[str, str]) -> Written:
        """Return *letter* with *words* in their places; they may hold anything.

        Args:
            letter: which one.
            words: all of `base_url`, `to`; `link` and `hours` where it has a link; `email` of ADDRESS_CHANGED; of
                PLAN `headline` and `text`; of
                NEWS `headline`, `text`, `environment`, and `more`, how often the same has come since the mail before.
        """
