"""An account's trades: read page by page, with what their fees were worth, and our ids of their orders where known."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Final

import attrs

from dcacore.adapters.binance import calls
from dcacore.adapters.binance.orders import trade_of
from dcacore.adapters.binance.reading import Unreadable, milliseconds_of, rows_of
from dcacore.adapters.binance.rest import Rest
from dcacore.domain.ids import OrderId
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId
from dcacore.ports.errors import Unavailable

if TYPE_CHECKING:
    from dcacore.adapters.binance.site import Site

PAGE: Final = 1000
_DAY: Final = datetime.timedelta(days=1)
_NAMES_KEPT: Final = 5000


@attrs.define
class Trades:
    """Reads the trades of one account."""

    _site: Site
    _rest: Rest
    _names: dict[tuple[str, VenueOrderId], OrderId] = attrs.field(factory=dict, init=False)

    def note(self, pair: str, order: VenueOrder) -> None:
        """Remember our id of the order: the exchange does not tell it with trades."""
        if len(self._names) >= _NAMES_KEPT:
            del self._names[next(iter(self._names))]
        self._names[pair, order.venue_order_id] = order.order_id

    async def read(self, pair: str, *, venue_order_id: VenueOrderId | None, after: str | None) -> tuple[Trade, ...]:
        """Return trades, oldest first; see `Exchange.trades`."""
        market = self._site.rules.market(pair) or (await self._site.rules.listing(pair)).market
        call = calls.TRADES if venue_order_id is None else calls.TRADES_OF_ORDER
        params = {"symbol": pair, "limit": str(PAGE), **self._first(venue_order_id, after)}
        trades: dict[int, Trade] = {}
        while True:
            page = self._page(pair, await self._rest.ask(call, params, pair=pair))
            for trade in page:
                trades[int(trade.trade_id)] = await self._site.rates.valued(trade, market)
            if len(page) < PAGE:
                return tuple(trades[number] for number in sorted(trades))
            params.pop("startTime", None)
            params["fromId"] = str(max(int(trade.trade_id) for trade in page) + 1)

    def _first(self, venue_order_id: VenueOrderId | None, after: str | None) -> dict[str, str]:
        """Return what the first page begins with."""
        of_order = {} if venue_order_id is None else {"orderId": str(venue_order_id)}
        if after is not None:
            return {**of_order, "fromId": str(int(after) + 1)}
        return of_order or {"startTime": str(milliseconds_of(self._site.time.now() - _DAY))}

    def _page(self, pair: str, answer: object) -> list[Trade]:
        try:
            trades = [trade_of(row, None) for row in rows_of(answer) if row.get("symbol", pair) == pair]
        except Unreadable as exc:
            raise Unavailable(f"the trades cannot be read: {exc}") from None
        return [attrs.evolve(it, order_id=self._names.get((pair, it.venue_order_id))) for it in trades]
