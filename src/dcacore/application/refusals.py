"""The errors of the use cases: what a user asks for is not there, or not allowed.

    DcaError
      UseCaseError
        NotFound             there is no such user, account, bot or deal; another user's is not told apart from none
        PlanLimitReached     the user's tier allows no further bot, or none that runs
        NotConfirmed         a bot would spend real money, and its user has not confirmed that it may
        LastAdministrator    without this user nobody could administer the others
        UnfitKey             the exchange key may do too little, or too much, or is not accepted at all

What a bot cannot do as it stands is `dcacore.domain.errors.NotNow`, a wrong value `InvalidParameter`.
"""

from __future__ import annotations

from dcacore.domain.errors import DcaError, InvalidParameter


class UseCaseError(DcaError):
    """A use case refused what it was asked for, and nothing has changed."""


class NotFound(UseCaseError):
    """There is no such thing, or it is not this user's.

    Attributes:
        kind: what was looked for: user, account, bot, deal.
        name: by which name or id.
    """

    def __init__(self, kind: str, name: str, hint: str = "") -> None:
        self.kind = kind
        self.name = name
        super().__init__(f"there is no {kind} {name}{hint}")


class PlanLimitReached(UseCaseError):
    """The tier allows no further bot, or no further one to run.

    Attributes:
        tier: the user's tier.
        limit: how many bots it allows.
        is_start: whether one was to be started, not made.
    """

    def __init__(self, tier: str, limit: int, *, is_start: bool = False) -> None:
        self.tier = tier
        self.limit = limit
        self.is_start = is_start
        bots = f"{limit} bot{'' if limit == 1 else 's'}"
        what = f"{bots} to run at a time: stop one" if is_start else f"{bots}: delete one"
        super().__init__(f"the tier {tier} allows {what}, or move up")


class NotConfirmed(UseCaseError):
    """A bot would spend real money that its user has not confirmed; `dcacore.application.going_live` has the way on.

    Attributes:
        bot: its name.
        reason: what has not been confirmed.
    """

    def __init__(self, bot: str, reason: str) -> None:
        self.bot = bot
        self.reason = reason
        super().__init__(f"{bot} would trade real money, and {reason}")


class UnfitKey(UseCaseError):
    """An exchange key is not taken; the text says why, and holds nothing of it."""


LONGEST_NAME = 60


def checked_name(parameter: str, name: str) -> str:
    """Return *name*, which people give to things, without blanks around it.

    Raises:
        InvalidParameter: it is empty, too long, or has characters that cannot be printed.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        rule = f"must be 1 to {LONGEST_NAME} printable characters"
        raise InvalidParameter(parameter, name if name.isprintable() and name else None, rule)
    return name
