"""Where candles are kept, and how they come in from files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol

import attrs

from dcacore.domain.errors import InvalidParameter
from dcacore.ports.candles import Candles, Gap

_PAIR: Final = re.compile(r"[A-Z0-9]{2,40}")


@attrs.frozen(kw_only=True)
class Source:
    """A file that candles were read from.

    Attributes:
        name: its name, without the folder.
        sha256: checksum of its bytes, in hexadecimal.
        first: open time of its first candle, Unix milliseconds.
        last: open time of its last candle.
    """

    name: str
    sha256: str
    first: int
    last: int


@attrs.frozen(kw_only=True)
class Saved:
    """What a save did.

    Attributes:
        added: candles that are new in the store.
        replaced: candles whose values were overwritten.
        unchanged: candles that were there already, with the same values.
    """

    added: int
    replaced: int
    unchanged: int


@attrs.frozen(kw_only=True)
class Stored:
    """What the store holds of one pair and interval.

    Attributes:
        pair: the trading pair, such as BTCUSDT.
        interval: the interval's name, such as 1m.
        rows: number of candles.
        first: open time of the first candle, Unix milliseconds.
        last: open time of the last candle.
        problem: why these candles cannot be counted; empty when they can. The numbers are 0 otherwise.
    """

    pair: str
    interval: str
    rows: int = 0
    first: int = 0
    last: int = 0
    problem: str = ""


@attrs.frozen(kw_only=True)
class Checked:
    """What a check of one pair and interval found.

    Attributes:
        pair: the trading pair.
        interval: the interval's name.
        rows: number of candles that could be read.
        gaps: the gaps between them, oldest first. A gap is a fact about the market and no problem.
        problems: what is damaged, one line each; empty when all is well.
    """

    pair: str
    interval: str
    rows: int
    gaps: tuple[Gap, ...]
    problems: tuple[str, ...]


class CandleStore(Protocol):
    """Candles by pair and interval, each candle once.

    A pair is written in uppercase letters and digits; every method raises InvalidParameter for another spelling.
    """

    def save(
        self,
        pair: str,
        candles: Candles,
        *,
        sources: Sequence[Source] = (),
        replace: bool = False,
    ) -> Saved:
        """Merge *candles* with what is there. Saving the same candles again changes nothing.

        Args:
            pair: the trading pair.
            candles: what to keep; the interval is its own.
            sources: the files they came from, for the record; it is kept even where all candles were there already.
            replace: overwrite a stored candle that has other values.

        Raises:
            CandleConflict: a candle is there with other values and *replace* is false; nothing was changed.
            BadCandles: *candles* break the rules of a candle; nothing was changed.
            BadFile: what is stored cannot be read or written.
        """

    def load(self, pair: str, interval: str, from_ms: int | None = None, to_ms: int | None = None) -> Candles:
        """Return the candles that open at or after *from_ms* and before *to_ms*, Unix milliseconds.

        Raises:
            NoCandles: there are none.
            BadFile: what is stored is damaged.
        """

    def sources(self, pair: str, interval: str) -> tuple[Source, ...]:
        """Return the files that the stored candles came from, each once, in the order of their imports by month.

        Files whose candles can no longer be read as they were stored are left out: they have to come in again.

        Raises:
            BadFile: what is stored cannot be read.
        """

    def list(self) -> tuple[Stored, ...]:
        """Return what there is, sorted by pair and then by length of the interval."""

    def check(self, pair: str) -> tuple[Checked, ...]:
        """Read every candle of *pair* again and return what was found, one entry an interval, shortest first.

        Raises:
            NoCandles: there is nothing of that pair.
        """


class ReadCandleFiles(Protocol):
    """Reads candle files of any known layout."""

    def __call__(
        self,
        *paths: str,
        interval: str | None = None,
        now_ms: int | None = None,
    ) -> tuple[Candles, tuple[Source, ...]]:
        """Return the candles of all *paths* in one, and where they came from.

        Raises:
            BadFile: a file cannot be used; BadCandles, one of its rows.
            InvalidParameter: there is no such interval.
        """


def known_pair(pair: str) -> str:
    """Return *pair*.

    Raises:
        InvalidParameter: it is not made of 2 to 40 uppercase letters and digits.
    """
    if not _PAIR.fullmatch(pair):
        raise InvalidParameter("pair", pair, "must be uppercase letters and digits, such as BTCUSDT")
    return pair
