"""Which candles the user of a backtest asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dcacore.application.playable import Playable
    from dcacore.ports.bot_file import BotFile
    from dcacore.ports.candles import Candles

_NOTICED_MS: Final = 86_400_000  # missing candles of less than a day at an end are everyday


@attrs.frozen(kw_only=True)
class Wanted:
    """The options that say which candles are played.

    Attributes:
        data: candle files; empty takes another source.
        interval: their length; without files, which candles of the store are meant.
        data_dir: folder of the store.
        is_random: whether the candles are made of chance.
        seed: which chance.
        from_ms: where to start, Unix milliseconds; None is the first candle.
        to_ms: before which time to end; None is after the last.
        max_gap_ms: the longest gap that is taken; 0 takes any.
    """

    data: tuple[str, ...]
    interval: str | None
    data_dir: str
    is_random: bool
    seed: int | None
    from_ms: int | None
    to_ms: int | None
    max_gap_ms: int

    def refuse_misuse(self) -> None:
        """Refuse options that do not go together.

        Raises:
            UsageError: it says which.
        """
        if self.is_random and (self.data or self.interval):
            raise click.UsageError("--random-walk makes its own candles: it goes with neither --data nor --interval")
        if self.is_random != (self.seed is not None):
            raise click.UsageError("--random-walk and --seed N go together")
        if not self.data and not self.interval and not self.is_random:
            raise click.UsageError(
                "what should be played? Say --data FILE..., or --interval I for candles of the store, "
                "or --random-walk --seed N"
            )
        if self.from_ms is not None and self.to_ms is not None and self.from_ms >= self.to_ms:
            raise click.UsageError("--from must lie before --to")

    def find(self, bot: BotFile) -> Playable:
        """Return the candles for *bot*."""
        from dcacore.application.playable import playable

        return playable(self._candles(bot), from_ms=self.from_ms, to_ms=self.to_ms, max_gap_ms=self.max_gap_ms or None)

    def _candles(self, bot: BotFile) -> Candles:
        from dcacore import bootstrap

        if self.data:
            return bootstrap.read_candles(*self.data, interval=self.interval)
        if self.interval is not None:
            store = bootstrap.candle_store(self.data_dir)
            return store.load(bot.strategy.pair, self.interval, self.from_ms, self.to_ms)
        return bootstrap.random_walk(bootstrap.market_of(bot), self.seed or 0)

    def doubts(self, bot: BotFile, found: Playable) -> Iterator[str]:
        """Yield what a user may have mixed up, or may not have noticed."""
        from dcacore.application.candles import named
        from dcacore.ports.times import utc_text

        pair = named(self.data).pair if self.data else None
        if pair is not None and pair != bot.strategy.pair:
            yield f"the bot trades {bot.strategy.pair}, but the files are named after {pair}"
        begins, ends = int(found.candles.open_time[0]), int(found.candles.open_time[-1]) + found.candles.interval_ms
        if self.from_ms is not None and begins - self.from_ms > _NOTICED_MS:
            yield f"the candles begin only at {utc_text(begins)} (UTC), later than --from"
        if self.to_ms is not None and self.to_ms - ends > _NOTICED_MS:
            yield f"the candles end at {utc_text(ends)} (UTC) already, earlier than --to"
