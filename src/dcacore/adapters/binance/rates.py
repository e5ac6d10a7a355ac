"""What a fee in a third asset (BNB, as a rule) was worth when it was taken: the opening price of that minute.

The opening price of a minute never changes, so that the same trade is worth the same from whatever source it is heard.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Final

import attrs
import structlog

from dcacore.adapters.binance.calls import CANDLES
from dcacore.adapters.binance.reading import Row, Unreadable, milliseconds_of, positive_in
from dcacore.adapters.binance.rest import Rest
from dcacore.domain.market import Market
from dcacore.domain.money import Quotient, exact
from dcacore.domain.venue import Trade
from dcacore.ports.errors import Unavailable, UnknownPair

log = structlog.get_logger("dcacore.binance")

_MINUTE_MS: Final = 60_000
BRIDGES: Final = ("USDT", "USDC", "BTC")
"""Over which an asset is valued that does not trade against the quote asset."""
_KEPT: Final = 2000


class Rates:
    """Values fees; what has been asked for is kept."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._known: dict[tuple[str, int], Decimal | None] = {}

    async def valued(self, trade: Trade, market: Market) -> Trade:
        """Return *trade* with what one unit of its fee's asset was worth in quote, if that is a third asset.

        Raises:
            Unavailable: that cannot be asked now.
        """
        if not trade.fee or trade.fee_asset in {market.base_asset, market.quote_asset}:
            return trade
        rate = await self._rate(trade.fee_asset, market.quote_asset, trade.at)
        if rate is None:
            log.error("fee_not_valued", asset=trade.fee_asset, quote=market.quote_asset, trade=trade.trade_id)
        return attrs.evolve(trade, fee_rate=rate)

    async def _rate(self, asset: str, quote: str, at: datetime.datetime) -> Decimal | None:
        minute = milliseconds_of(at) // _MINUTE_MS * _MINUTE_MS
        if (direct := await self._either(asset, quote, minute)) is not None:
            return direct
        for bridge in BRIDGES:
            if bridge in {asset, quote}:
                continue
            first = await self._either(asset, bridge, minute)
            second = await self._either(bridge, quote, minute) if first is not None else None
            if first is not None and second is not None:
                return _product(first, second)
        return None

    async def _either(self, asset: str, quote: str, minute: int) -> Decimal | None:
        """Return what one *asset* was worth in *quote*, by the pair of both, whichever way round it trades."""
        if (price := await self._open(f"{asset}{quote}", minute)) is not None:
            return price
        inverse = await self._open(f"{quote}{asset}", minute)
        return None if inverse is None else _inverse(inverse)

    async def _open(self, pair: str, minute: int) -> Decimal | None:
        if (pair, minute) not in self._known:
            price = await self._ask(pair, minute)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[pair, minute] = price
        return self._known[pair, minute]

    async def _ask(self, pair: str, minute: int) -> Decimal | None:
        # From an hour before: a pair may have minutes without a candle.
        params = {"symbol": pair, "interval": "1m", "startTime": str(minute - 59 * _MINUTE_MS)}
        try:
            answer = await self._rest.ask(CANDLES, {**params, "endTime": str(minute), "limit": "60"}, pair=pair)
        except UnknownPair:
            return None
        try:
            return _last_open(answer)
        except Unreadable as exc:
            raise Unavailable(f"the price of {pair} cannot be read: {exc}") from None


def _last_open(answer: object) -> Decimal | None:
    if not isinstance(answer, list):
        raise Unreadable("it is no list")
    if not answer:
        return None
    last = answer[-1]
    if not isinstance(last, list) or len(last) < 2:  # noqa: PLR2004  # time and open
        raise Unreadable("it is no candle")
    candle: Row = {"open": last[1]}
    return positive_in(candle, "open")


@exact
def _inverse(price: Decimal) -> Decimal:
    return Quotient(Decimal(1), price).rounded()


@exact
def _product(first: Decimal, second: Decimal) -> Decimal:
    return first * second
