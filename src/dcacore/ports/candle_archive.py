"""Where candles of the past are downloaded from: an archive of files, and the exchange itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from typing import Protocol

import attrs

from dcacore.ports.candles import Candles


@attrs.frozen(kw_only=True)
class Piece:
    """What one file of the archive is for: the candles of a month or of a day.

    Attributes:
        pair: the trading pair, such as BTCUSDT.
        interval: the interval's name, such as 1m.
        period: the month as `2021-04`, or the day as `2021-04-02`, in UTC.
        begins: when it begins, Unix milliseconds.
        ends: when the next one begins.
    """

    pair: str
    interval: str
    period: str
    begins: int
    ends: int

    @property
    def is_month(self) -> bool:
        """Whether it is for a month, and not for a day."""
        return self.period.count("-") == 1

    @property
    def name(self) -> str:
        """The name of the file."""
        return f"{self.pair}-{self.interval}-{self.period}.zip"


@attrs.frozen(kw_only=True, eq=False)
class ArchiveFile:
    """A file that the archive has.

    Attributes:
        sha256: the checksum that is published for it, in lower-case hexadecimal.
        candles: what it holds; None when it was not loaded, because its checksum was known.
    """

    sha256: str
    candles: Candles | None


@attrs.frozen(kw_only=True, eq=False)
class Stretch:
    """Closed candles in a row, as the exchange answered them.

    Attributes:
        candles: the candles.
        sha256: checksum of the answers, in lower-case hexadecimal.
    """

    candles: Candles
    sha256: str


class CandleArchive(Protocol):
    """Files of candles, one a pair, interval and month or day, each with a published checksum.

    Files can be missing (before a pair was listed, after it was taken off, not published yet) and can be replaced.
    """

    async def fetch(self, piece: Piece, known: Collection[str] = ()) -> ArchiveFile | None:
        """Return the file for *piece*; None when there is none. One whose checksum is among *known* is not loaded.

        Raises:
            Unavailable: the archive does not answer as it should, however patiently it was asked.
            BadFile: the file's bytes have another checksum than is published, or are not the one file of candles
                that they should be; BadCandles, one of its rows cannot be right.
        """


class ExchangeCandles(Protocol):
    """Candles as the exchange answers them now."""

    def stretches(self, pair: str, interval: str, from_ms: int, to_ms: int) -> AsyncGenerator[Stretch]:
        """Yield the closed candles that open at or after *from_ms* and before *to_ms*, oldest first, in several parts.

        A candle that is still forming is left out. Nothing is yielded where the exchange has none.

        Raises:
            UnknownPair: the exchange does not list the pair now.
            Unavailable: it does not answer as it should; RateLimited when it wants no request for a long time.
            BadCandles: a row cannot be right.
        """
