"""The errors of the outside: the class says what the caller may do next.

    DcaError
      PortError
        BadFile              a file that cannot be used as it is: missing, empty, broken, of an unknown layout
          BadCandles         a candle file with a row that no market can have made
        NoCandles            the candle store holds nothing of what was asked for
        CandleConflict       the candle store has another candle of that time
        UnknownPair          the exchange does not trade that pair
        Rejected             the exchange gave a definite no: the order does not exist and never will
          InsufficientBalance  the account has not enough for it
          FilterViolation      a rule of the pair forbids it: our rules are stale, or a bug is ours
          TradingHalted        the pair, or the account, does not trade now
          TooLate              it arrived after its deadline: nothing was done
          NotAccepted          any other no
        OutcomeUnknown       a time-out, a lost connection, a server's failure: ask before anything else
        Unavailable          nothing was learned; ask again later
          RateLimited          no request before a given time
            OrdersLimited        no order of this account before a given time; everything else may go out
          MailHeld             the mail service takes nothing of ours before a given time
        BadCredentials       the key is not, or no longer, accepted
        MailRefused          a mail will never be taken
        BadSignature         what came is not from whom it says
        StoreError           the database
          StoreUnavailable     not reachable, locked, or its disk full: nothing was stored; try again
          SchemaMismatch       its schema is older or newer than this program
          LeaseLost            another engine acts for the bot
          Conflict             what was to be stored is there already, or forbidden by what is
          EngineRunning        another engine holds the database
        NoEncryptionKey      ENCRYPTION_KEY is not set, or is no key
        CannotDecrypt        cipher text that no key of ours opens

A file error names the file, a candle error its row: the way out is to look there.
"""

from __future__ import annotations

import datetime
from typing import ClassVar

from dcacore.domain.errors import DcaError
from dcacore.ports.times import utc_text


class PortError(DcaError):
    """Something outside the library failed or was refused."""


class BadFile(PortError):
    """A file cannot be used.

    Attributes:
        file: its name as the user gave it.
        reason: what is wrong with it.
    """

    def __init__(self, file: str, reason: str) -> None:
        self.file = file
        self.reason = reason
        super().__init__(f"{file}: {reason}")


class BadCandles(BadFile):
    """A candle file holds a row that cannot be right.

    Attributes:
        row: the row's number in the file, the first candle being 1 (header lines do not count).
    """

    def __init__(self, file: str, row: int, reason: str) -> None:
        self.row = row
        super().__init__(file, f"row {row}: {reason}")


class NoCandles(PortError):
    """The store holds no candles that were asked for."""


class CandleConflict(PortError):
    """A candle of this time is stored already, with other values.

    Attributes:
        source: what the refused candle was read from.
        open_time: its time in Unix milliseconds.
        column: the first value that differs.
        stored: the value in the store.
        given: the value that was refused.
    """

    def __init__(self, source: str, open_time: int, column: str, stored: float, given: float) -> None:
        self.source = source
        self.open_time = open_time
        self.column = column
        self.stored = stored
        self.given = given
        super().__init__(
            f"{source}: the candle of {utc_text(open_time)} ({open_time}) has {column} {given!r}, "
            f"but the store has {stored!r}; to take the new values ask for it with --replace",
        )


class UnknownPair(PortError):
    """The exchange has no such market.

    Attributes:
        pair: what was asked for.
    """

    def __init__(self, pair: str) -> None:
        self.pair = pair
        super().__init__(f"{pair} is not traded on this exchange")


class Rejected(PortError):
    """The exchange refused a request; what it asked for was not done.

    Attributes:
        reason: the exchange's words, or the rule's name; never a part of the request.
        code: the exchange's number for it, where it has one.
    """

    def __init__(self, reason: str, code: int | None = None) -> None:
        self.reason = reason
        self.code = code
        super().__init__(reason)


class InsufficientBalance(Rejected):
    """The account has not enough."""


class FilterViolation(Rejected):
    """A rule of the pair forbids the order; a reload of the rules may tell why."""

    @property
    def rule(self) -> str:
        """What the exchange calls the rule: the last word of its reason."""
        return self.reason.rpartition(" ")[2].rstrip(".")


class TradingHalted(Rejected):
    """The pair, or the account, does not trade now."""


class TooLate(Rejected):
    """The request arrived after its deadline, or with a time of the future: the clocks differ."""


class NotAccepted(Rejected):
    """Any other definite no."""


class OutcomeUnknown(PortError):
    """A request went out and its fate is not known: it may have been carried out."""


class Unavailable(PortError):
    """A question could not be asked or was not answered; nothing was learned, nothing was changed."""


class RateLimited(Unavailable):
    """The exchange wants no request before a given time; nothing was done.

    Attributes:
        retry_at: when requests may go out again, in UTC.
    """

    _of_what: ClassVar = "request"

    def __init__(self, retry_at: datetime.datetime) -> None:
        self.retry_at = retry_at
        super().__init__(f"the exchange wants no {self._of_what} before {retry_at:%Y-%m-%d %H:%M:%S} UTC")


class OrdersLimited(RateLimited):
    """The account has ordered too often: the exchange wants no order of it before a given time."""

    _of_what = "order of this account"


class MailHeld(Unavailable):
    """The mail service takes nothing of ours before a given time, whatever it is; nothing was sent.

    Attributes:
        retry_at: when it may be asked again, in UTC.
        is_misset: whether nothing goes out before somebody has put a setting right.
    """

    def __init__(self, reason: str, retry_at: datetime.datetime, *, is_misset: bool = False) -> None:
        self.retry_at = retry_at
        self.is_misset = is_misset
        super().__init__(reason)


class BadCredentials(PortError):
    """The exchange does not accept the key: wrong, revoked, or without the right to trade; nothing was done."""


class MailRefused(PortError):
    """A mail will never be taken: its address does not exist, or the service does not carry it; nothing was sent."""


class BadSignature(PortError):
    """What came is not from whom it says, is not as it was sent, or is too old; nothing of it has been read."""


class StoreError(PortError):
    """The database did not do what it was asked."""


class StoreUnavailable(StoreError):
    """The database cannot be reached, is locked, or has no room: nothing was stored, and it may work again later."""


class SchemaMismatch(StoreError):
    """The database's schema is not this program's."""


class LeaseLost(StoreError):
    """Another engine acts for the bot by now; nothing was stored."""


class Conflict(StoreError):
    """What was to be stored is there already (a name, an address, a second open deal), or is still referred to."""


class EngineRunning(StoreError):
    """Another engine runs over this database."""


class NoEncryptionKey(PortError):
    """There is no key to encrypt or decrypt with."""


class CannotDecrypt(PortError):
    """Stored cipher text cannot be read with the keys that are set."""
