"""Why somebody is not let in, or an account is not changed. Each is one clear sentence, and holds no secret.

UseCaseError
  IdentityError
    RegistrationClosed   only an administrator makes accounts here
    WrongLogin           address or password is wrong; which of them is not told
    WrongPassword        the password that confirms a change is not the user's
    NotVerified          the password is right, and the address has not been confirmed
    TooManyTries         the next try is due in some seconds
    LinkUnusable         a link of a mail is unknown, expired or used
    AddressTaken         somebody else has the address by now
    StillCharged         a subscription would go on being charged
    StillTrading         bots hold open deals, or are not stopped
    TooManyTokens        no further API token is made
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from dcacore.application.refusals import UseCaseError


class IdentityError(UseCaseError):
    """Somebody is not let in, or an account stays as it is."""


class RegistrationClosed(IdentityError):
    """People do not register themselves here."""

    def __init__(self) -> None:
        super().__init__("registration is closed: ask an administrator for an account")


class WrongLogin(IdentityError):
    """There is no user with that address and that password."""

    def __init__(self) -> None:
        super().__init__("address or password is wrong")


class WrongPassword(IdentityError):
    """The password is not the user's."""

    def __init__(self) -> None:
        super().__init__("the password is wrong")


class NotVerified(IdentityError):
    """The address has not been confirmed. Only who knows the password is told so."""

    def __init__(self) -> None:
        super().__init__("this address has not been confirmed yet: follow the link in the mail, or ask for another one")


class TooManyTries(IdentityError):
    """Something was tried too often.

    Attributes:
        wait_s: seconds until it may be tried again, 1 at least.
    """

    def __init__(self, wait_s: int) -> None:
        self.wait_s = wait_s
        super().__init__(f"too many tries: try again in {wait_s} second{'' if wait_s == 1 else 's'}")


class Unusable(Enum):
    """Why a link cannot be used. Who has it got it by mail: these may be told apart."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"


_WHY = {
    Unusable.UNKNOWN: "this link is not valid, or a newer one has been sent",
    Unusable.EXPIRED: "this link has expired: ask for another one",
    Unusable.USED: "this link has been used already",
}


class LinkUnusable(IdentityError):
    """A link of a mail cannot be used.

    Attributes:
        reason: why.
    """

    def __init__(self, reason: Unusable) -> None:
        self.reason = reason
        super().__init__(_WHY[reason])


class AddressTaken(IdentityError):
    """Somebody else has the address by now; told only to who has shown that mail to it arrives."""

    def __init__(self) -> None:
        super().__init__("there is another account with this address: yours keeps the one it has")


class StillCharged(IdentityError):
    """Somebody would go on being charged who is gone."""

    def __init__(self) -> None:
        super().__init__(
            "the subscription would go on being charged: cancel it first, by Subscription or at the payment service"
        )


class StillTrading(IdentityError):
    """An account is not deleted while bots of it trade.

    Attributes:
        bots: their names.
    """

    def __init__(self, bots: Sequence[str]) -> None:
        self.bots = tuple(bots)
        super().__init__(f"not while bots hold open deals or run: {', '.join(bots)}; stop them first, or say how")


class TooManyTokens(IdentityError):
    """No further API token is made.

    Attributes:
        limit: how many a user may have.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"there may be {limit} API tokens: revoke one first")
