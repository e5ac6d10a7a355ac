"""What is stored so that people can be let in: sessions, links sent by mail, tries, mail to be sent, and wishes."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from enum import Enum
from typing import Final, NewType

import attrs

from dcacore.domain.ids import UserId
from dcacore.ports.mail import Mail

Digest = NewType("Digest", str)
"""The SHA-256 of a secret, in hexadecimal: what is stored in the secret's place."""
SessionId = NewType("SessionId", str)
"""Names a session to its user. It lets nobody in."""
ApiTokenId = NewType("ApiTokenId", str)
"""Names an API token to its user. It lets nobody in."""


class Registration(Enum):
    """Whether people may register themselves."""

    OPEN = "open"
    CLOSED = "closed"


@attrs.frozen(kw_only=True)
class UserSession:
    """Somebody who is logged in, in one browser.

    Attributes:
        id: names it in lists.
        key: the digest of what the browser keeps.
        user_id: who it is.
        created_at: when the user logged in.
        seen_at: when it was last used, to the minute.
        address: from where, as the server saw it; empty when it is not known.
        agent: what the browser calls itself.
    """

    id: SessionId
    key: Digest = attrs.field(repr=False)
    user_id: UserId
    created_at: datetime.datetime
    seen_at: datetime.datetime
    address: str = ""
    agent: str = ""


class LinkKind(Enum):
    """What a link in a mail is for."""

    VERIFY = "verify"
    RESET = "reset"
    ADDRESS = "address"


@attrs.frozen(kw_only=True)
class MailLink:
    """A link that was sent by mail. A user has one of a kind at most: a new one takes the older one's place.

    Attributes:
        key: the digest of what stands in the link.
        user_id: whose.
        kind: what it is for.
        email: the address it was sent to; that it was received there is what it shows.
        expires_at: from when on it is of no use.
        used_at: when it was used; None until then.
    """

    key: Digest = attrs.field(repr=False)
    user_id: UserId
    kind: LinkKind
    email: str
    expires_at: datetime.datetime
    used_at: datetime.datetime | None = None


@attrs.frozen(kw_only=True)
class Tries:
    """How often something was tried within a stretch of time.

    Attributes:
        key: what was tried, and by whom or on whom.
        count: how often, this time included.
        began_at: when the stretch began.
    """

    key: str
    count: int
    began_at: datetime.datetime


@attrs.frozen(kw_only=True)
class QueuedMail:
    """A mail in the outbox. When it has been sent or given up, texts and link are blank: links are as good as keys.

    Attributes:
        mail: what is to be sent.
        queued_at: since when it is there.
        due_at: when it is to be tried next.
        attempts: how often it has been tried.
        sent_at: when it was taken; None until then.
        failed_at: when it was given up; None if it was not.
    """

    mail: Mail
    queued_at: datetime.datetime
    due_at: datetime.datetime
    attempts: int = 0
    sent_at: datetime.datetime | None = None
    failed_at: datetime.datetime | None = None


class Scope(Enum):
    """What a program with an API token may do."""

    READ = "read"
    TRADE = "trade"


@attrs.frozen(kw_only=True)
class ApiToken:
    """What lets a program act for a user.

    Attributes:
        id: names it in lists.
        key: the digest of what the program sends.
        user_id: for whom it acts.
        name: what the user calls it; unique among the user's.
        scope: what it may do.
        created_at: when it was made.
        expires_at: from when on it is of no use; None when it lasts.
        used_at: when it was last used, to the minute; None until then.
    """

    id: ApiTokenId
    key: Digest = attrs.field(repr=False)
    user_id: UserId
    name: str
    scope: Scope
    created_at: datetime.datetime
    expires_at: datetime.datetime | None = None
    used_at: datetime.datetime | None = None


class Theme(Enum):
    """How pages look."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Occasion(Enum):
    """What users may want to be told of."""

    DEAL_OPENED = "deal_opened"
    SAFETY_ORDER_FILLED = "safety_order_filled"
    TARGET_HIT = "target_hit"
    STOPPED = "stopped"
    ERROR = "error"
    LOW_BALANCE = "low_balance"
    RECONCILIATION = "reconciliation"


MOST_LINES: Final = 20
"""As many lines of news are kept for a mail; what comes beyond them is counted."""


@attrs.frozen(kw_only=True)
class Gathered:
    """What a user is told of by the next mail of an occasion.

    Attributes:
        due_at: when that is due.
        count: how often it has happened.
        lines: the first of it, `MOST_LINES` at most, oldest first.
    """

    due_at: datetime.datetime
    count: int
    lines: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Channels:
    """By which ways a user is told.

    Attributes:
        in_page: in the list of notifications.
        by_mail: by mail.
    """

    in_page: bool = True
    by_mail: bool = False


_URGENT: Final = frozenset({Occasion.ERROR, Occasion.LOW_BALANCE})
_FREQUENT: Final = frozenset({Occasion.DEAL_OPENED, Occasion.SAFETY_ORDER_FILLED})


def usual_channels() -> Mapping[Occasion, Channels]:
    """Return how users are told who have said nothing: of what needs them by mail, of the daily round not at all."""
    return {it: Channels(in_page=it not in _FREQUENT, by_mail=it in _URGENT) for it in Occasion}


@attrs.frozen(kw_only=True)
class Preferences:
    """How a user wants to see things, and what to be told.

    Attributes:
        theme: how pages look.
        currency_digits: decimals of money where it is shown rounded; None shows as many as the asset is traded in.
        time_zone: in which times are shown, such as Europe/Berlin.
        display_currency: the asset in which sums over several are shown, such as USDT.
        told: by which ways of what; every occasion is in it.
    """

    theme: Theme = Theme.SYSTEM
    currency_digits: int | None = 2
    time_zone: str = "UTC"
    display_currency: str = "USDT"
    told: Mapping[Occasion, Channels] = attrs.field(factory=usual_channels)
