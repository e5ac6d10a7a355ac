"""A download on its way: what has come in so far, and what is still to be asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Final

import attrs

from dcacore.application.download_plan import Range, Wanted, days_instead, pieces, uncovered
from dcacore.application.running_ahead import running_ahead
from dcacore.ports.candle_archive import ArchiveFile, CandleArchive, ExchangeCandles, Piece
from dcacore.ports.candle_store import CandleStore, Saved, Source
from dcacore.ports.candles import Candles, joined
from dcacore.ports.errors import UnknownPair
from dcacore.ports.intervals import interval_ms

FROM_EXCHANGE: Final = "api/v3/klines"
"""The name of a source that is no file: answers of the exchange."""

_AT_ONCE: Final = 4
_NOTHING: Final = Saved(added=0, replaced=0, unchanged=0)


@attrs.define(kw_only=True)
class Run:
    """One download, from the first question to the last save.

    Attributes:
        wanted: which candles, up to the present.
        store: where they go.
        now_ms: the present, Unix milliseconds.
        replace: whether to load again what is there, and let it win.
        progress: is told the share of the range that is done.
        before: by name of a file, the checksums with which it has been loaded before.
        covered: what needs no further question.
        saved: what all saves together did.
        loaded: names of the files that came in.
        known: names of those that were there already.
        from_exchange: number of candles that the exchange answered.
        is_listed: whether the exchange lists the pair, as far as it was asked.
    """

    wanted: Wanted
    store: CandleStore
    now_ms: int
    replace: bool
    progress: Callable[[float], None]
    before: Mapping[str, Collection[str]] = attrs.field(init=False)
    covered: list[Range] = attrs.Factory(list)
    saved: Saved = _NOTHING
    loaded: list[str] = attrs.Factory(list)
    known: list[str] = attrs.Factory(list)
    from_exchange: int = 0
    is_listed: bool = True

    def __attrs_post_init__(self) -> None:
        before: dict[str, set[str]] = {}
        for source in self._sources():
            before.setdefault(source.name, set()).add(source.sha256)
        self.before = before

    async def load_from(self, archive: CandleArchive) -> None:
        """Save what *archive* has, month by month."""

        async def look(piece: Piece) -> tuple[Piece, ArchiveFile | None]:
            found = await archive.fetch(piece, () if self.replace else self.before.get(piece.name, ()))
            if found is not None:
                self._cover((piece.begins, piece.ends))
            return piece, found

        async def look_for_month(files: Sequence[Piece]) -> list[tuple[Piece, ArchiveFile | None]]:
            async with aclosing(running_ahead(look, files, _AT_ONCE)) as found:
                looked = [entry async for entry in found]
            missing = [piece for piece, file in looked if file is None]
            days = days_instead(self.wanted, missing[0], self.now_ms) if missing else ()
            return await look_for_month(days) if days else looked

        async with aclosing(running_ahead(look_for_month, pieces(self.wanted), _AT_ONCE)) as months:
            async for month in months:
                await self._save_files([(piece, file) for piece, file in month if file is not None])

    async def _save_files(self, files: Sequence[tuple[Piece, ArchiveFile]]) -> None:
        loaded = [(piece, file.sha256, file.candles) for piece, file in files if file.candles is not None]
        self.known += [piece.name for piece, file in files if file.candles is None]
        if not loaded:
            return
        self.loaded += [piece.name for piece, _, _ in loaded]
        sources = [_source(piece.name, sha256, candles) for piece, sha256, candles in loaded]
        await self._save(joined([self._named(piece, candles) for piece, _, candles in loaded]), sources)

    def _named(self, piece: Piece, candles: Candles) -> Candles:
        replaced = ", which the archive has replaced since it was loaded" if self._is_replaced(piece.name) else ""
        return attrs.evolve(candles, source=piece.name + replaced)  # for the message of a conflict

    def _is_replaced(self, name: str) -> bool:
        return not self.replace and name in self.before  # with the checksum of before it would not have been loaded

    async def ask(self, exchange: ExchangeCandles) -> None:
        """Save what *exchange* has of the parts that are not covered yet."""
        step = interval_ms(self.wanted.interval)
        if not self.replace:
            asked = [(source.first, source.last + step) for source in self._sources() if source.name == FROM_EXCHANGE]
            self.covered += [part for part in asked if part[0] < self.wanted.to_ms and part[1] > self.wanted.from_ms]
        for begins, ends in list(uncovered((self.wanted.from_ms, self.wanted.to_ms), self.covered)):
            try:
                async with aclosing(exchange.stretches(self.wanted.pair, self.wanted.interval, begins, ends)) as parts:
                    async for part in parts:
                        source = _source(FROM_EXCHANGE, part.sha256, part.candles)
                        await self._save(part.candles, [source])
                        self.from_exchange += len(part.candles)
                        self._cover((source.first, source.last + step))
            except UnknownPair:
                self.is_listed = False
                return

    @property
    def replaced(self) -> tuple[str, ...]:
        """The files that the archive has replaced since they were loaded before."""
        return tuple(name for name in self.loaded if self._is_replaced(name))

    async def _save(self, candles: Candles, sources: Sequence[Source]) -> None:
        # In a thread, so that packing does not keep answers waiting; once begun it ends, also when this is cancelled.
        saved = await asyncio.to_thread(
            self.store.save, self.wanted.pair, candles, sources=sources, replace=self.replace
        )
        self.saved = Saved(
            added=self.saved.added + saved.added,
            replaced=self.saved.replaced + saved.replaced,
            unchanged=self.saved.unchanged + saved.unchanged,
        )

    def _cover(self, part: Range) -> None:
        self.covered.append(part)
        length = self.wanted.to_ms - self.wanted.from_ms
        left = sum(ends - begins for begins, ends in uncovered((self.wanted.from_ms, self.wanted.to_ms), self.covered))
        self.progress(1 - left / length)

    def _sources(self) -> tuple[Source, ...]:
        return self.store.sources(self.wanted.pair, self.wanted.interval)


def _source(name: str, sha256: str, candles: Candles) -> Source:
    return Source(name=name, sha256=sha256, first=int(candles.open_time[0]), last=int(candles.open_time[-1]))
