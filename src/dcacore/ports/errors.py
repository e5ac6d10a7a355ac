"""The errors of the outside: the class says what the caller may do next.

    DcaError
      PortError
        BadFile              a file that cannot be used as it is: missing, empty, broken, of an unknown layout
          BadCandles         a candle file with a row that no market can have made
"""

from __future__ import annotations

from dcacore.domain.errors import DcaError


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
