"""Where a market has to stop for a bot, so that whoever steps it can let it go on past everything else."""

from __future__ import annotations

import datetime
from typing import Final

import attrs

from dcacore.domain.bot import Bot, Phase, TroubleKind
from dcacore.domain.money import Price
from dcacore.domain.watch import Retry, watches

_NEXT: Final = datetime.timedelta(milliseconds=1)


@attrs.frozen
class Stops:
    """What a bot waits for, besides its resting orders.

    Attributes:
        prices: each of them.
        above: any candle point above it.
        until: the first candle of that time or later.
        past_points: whether the bot says all that it waits for; where it does not, every candle point is a stop.
    """

    prices: tuple[Price, ...] = ()
    above: Price | None = None
    until: datetime.datetime | None = None
    past_points: bool = False


def stops_of(bot: Bot, now: datetime.datetime) -> Stops:
    """Return where the market has to stop for *bot*, to which all has been told that has happened until *now*."""
    wanted = watches(bot)
    prices = tuple(price for price in (wanted.falls_to, wanted.rises_to) if price is not None)
    until = wanted.at if wanted.retry is Retry.NEVER else now + _NEXT
    is_waiting = bot.trouble is None or bot.trouble.kind is TroubleKind.WAITING_FOR_BALANCE
    is_settled = is_waiting and bot.phase in {Phase.MONITORING, Phase.IN_POSITION}
    return Stops(prices, wanted.peak, until, is_settled)
