"""The errors of the outside: the class says what the caller may do next.

    DcaError
      PortError
        BadFile              a file that cannot be used as it is: missing, empty, broken, of an unknown layout
          BadCandles         a candle file with a row that no market can have made
        NoCandles            the candle store holds nothing of what was asked for
        CandleConflict       the candle store has another candle of that time
        UnknownPair          the exchange does not trade that pair

A file error names the file, a candle error its row: the way out is to look there.
"""

from __future__ import annotations

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
