"""Which rules a bot's market has, and whose fault it is when the bot breaks them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import attrs

from dcacore.domain.errors import InvalidParameter
from dcacore.domain.market import Market
from dcacore.domain.numbers import Number
from dcacore.domain.strategy import Strategy
from dcacore.ports.bot_file import BotFile
from dcacore.ports.errors import BadFile

_REQUIRED: Final = ("base_asset", "quote_asset", "tick_size", "step_size", "min_notional")
_PARAMETERS: Final = frozenset(field.name for field in attrs.fields(Strategy))


def market_of(bot: BotFile, known: Mapping[str, Mapping[str, Number]]) -> Market:
    """Return the market of *bot*: key by key what its file says, else what is *known* of the pair.

    Raises:
        BadFile: a rule is neither in the file nor known, or it is out of range.
    """
    pair = bot.strategy.pair
    rules = {**known.get(pair, {}), **bot.market}
    missing = [name for name in _REQUIRED if name not in rules]
    if missing:
        raise BadFile(bot.file, _way_out(pair, missing, known))
    try:
        return Market(pair=pair, **rules)  # type: ignore[arg-type]  # its converters and validators look
    except InvalidParameter as exc:
        raise BadFile(bot.file, f"[market] {exc}") from exc


def _way_out(pair: str, missing: list[str], known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(pair.upper(), known, n=1, cutoff=0.8)
    hint = f"; or did you mean {close[0]}?" if close else ""
    return f"pair = {pair}: the rules of this market are not known: put {_listed(missing)} under [market]{hint}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


@contextmanager
def named_after(bot: BotFile) -> Iterator[None]:
    """Yield once, and name the file of *bot* when the block finds one of its parameters unfit for the market.

    Raises:
        BadFile: instead of the InvalidParameter.
    """
    try:
        yield
    except InvalidParameter as exc:
        if exc.name in _PARAMETERS:
            raise BadFile(bot.file, str(exc)) from exc
        raise
