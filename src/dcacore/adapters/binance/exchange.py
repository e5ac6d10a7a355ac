"""One account on Binance, behind the port of live trading."""

from __future__ import annotations

import asyncio
import datetime
import re
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Final

import attrs
import structlog

from dcacore.adapters.binance import calls
from dcacore.adapters.binance.fees import fees_of
from dcacore.adapters.binance.key_rights import DailyLook
from dcacore.adapters.binance.orders import fill_of, order_of, ticket
from dcacore.adapters.binance.reading import (
    Unreadable,
    number_in,
    row_of,
    rows_of,
    text_in,
    time_in,
)
from dcacore.adapters.binance.refusals import NO_SUCH_ORDER, NoAnswer, Refused, of_reading
from dcacore.adapters.binance.rest import Rest
from dcacore.adapters.binance.trades import Trades
from dcacore.adapters.binance.user_stream import UserStream
from dcacore.domain.ids import LONGEST_ORDER_ID, OrderId
from dcacore.domain.market import Fees
from dcacore.domain.money import Price
from dcacore.domain.orders import Order
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId
from dcacore.ports.errors import NotAccepted, OutcomeUnknown, PortError, Unavailable
from dcacore.ports.exchange import AccountEvent, Balance, Exchange, Listing

if TYPE_CHECKING:
    from dcacore.adapters.binance.site import Site

log = structlog.get_logger("dcacore.binance")

FEES_LAST_S: Final = 3600
VALUED_WITHIN_S: Final = 2
"""How long an answer may wait for what a fee in a third asset was worth; without that the trade is told later."""
_TAKEN: Final = re.compile(rf"[a-zA-Z0-9_-]{{1,{LONGEST_ORDER_ID}}}", re.ASCII)


class BinanceExchange(Exchange):
    """One account of one environment."""

    def __init__(self, site: Site, rest: Rest, stream: UserStream) -> None:
        self.site = site
        """What it shares with the other accounts of its environment."""
        self._rest = rest
        self._stream = stream
        self._trades = Trades(site, rest)
        stream.on_order = self._trades.note
        self._rights = DailyLook(rest, site.clock, is_told=site.urls.sapi is not None)
        self._fees: dict[str, tuple[float, Fees]] = {}

    def now(self) -> datetime.datetime:
        return self.site.time.now()

    # ----------------------------------------------------------------------------------------------------- the pair

    async def listing(self, pair: str) -> Listing:
        return await self.site.rules.listing(pair)

    async def reload_rules(self, pair: str) -> None:
        self.site.rules.forget(pair)

    async def fees(self, pair: str) -> Fees:
        now = self.site.clock.monotonic()
        known = self._fees.get(pair)
        if known is None or now - known[0] >= FEES_LAST_S:
            answer = await self._rest.ask(calls.COMMISSION, {"symbol": pair}, pair=pair)
            try:
                known = self._fees[pair] = (now, fees_of(row_of(answer)))
            except Unreadable as exc:
                raise Unavailable(f"the fees cannot be read: {exc}") from None
        return known[1]

    async def price(self, pair: str) -> Price | None:
        return await self.site.quotes.one(pair)

    async def balances(self) -> Mapping[str, Balance]:
        await self._rights.look()
        answer = await self._rest.ask(calls.ACCOUNT, {"omitZeroBalances": "true"})
        try:
            rows = rows_of(row_of(answer).get("balances"))
            return {text_in(it, "asset"): Balance(number_in(it, "free"), number_in(it, "locked")) for it in rows}
        except Unreadable as exc:
            raise Unavailable(f"the balances cannot be read: {exc}") from None

    # ------------------------------------------------------------------------------------------------------- acting

    async def place(
        self, pair: str, order: Order, *, sent_at: datetime.datetime, recv_window: datetime.timedelta
    ) -> VenueOrder:
        if _TAKEN.fullmatch(order.id) is None:
            raise NotAccepted("the order's id is not one that the exchange takes")
        answer = await self._rest.act(calls.PLACE, ticket(pair, order), sent_at=sent_at, recv_window=recv_window)
        try:
            row = row_of(answer)
            placed = order_of(row)
            fills = tuple(fill_of(it, placed, time_in(row, "transactTime")) for it in rows_of(row.get("fills") or []))
        except Unreadable as exc:
            raise OutcomeUnknown(f"the answer cannot be used: {exc}") from None
        if placed.order_id != order.id or row.get("symbol") != pair:
            raise OutcomeUnknown("the answer is about another order")
        self._trades.note(pair, placed)
        return attrs.evolve(placed, trades=await self._valued_at_once(pair, fills))

    async def _valued_at_once(self, pair: str, fills: tuple[Trade, ...]) -> tuple[Trade, ...]:
        """Return *fills* with what their fees were worth; none of them if that takes too long: `trades` has them."""
        try:
            async with asyncio.timeout(VALUED_WITHIN_S):
                market = self.site.rules.market(pair) or (await self.site.rules.listing(pair)).market
                return tuple([await self.site.rates.valued(fill, market) for fill in fills])
        except (PortError, TimeoutError) as exc:
            log.warning("fees_not_valued_yet", pair=pair, reason=str(exc))
            return ()

    async def cancel(self, pair: str, order_id: OrderId) -> None:
        await self._rest.refresh_time()
        await self._rest.act(calls.CANCEL, {"symbol": pair, "origClientOrderId": order_id})

    # ------------------------------------------------------------------------------------------------------ reading

    async def find(
        self, pair: str, *, order_id: OrderId | None = None, venue_order_id: VenueOrderId | None = None
    ) -> VenueOrder | None:
        named: dict[str, str]
        call = calls.FIND
        if venue_order_id is not None:
            call, named = calls.FIND_BY_NUMBER, {"orderId": venue_order_id}
        elif order_id is not None:
            named = {"origClientOrderId": order_id}
        else:
            return None
        try:
            answer = await self._rest.ask_plainly(call, {"symbol": pair, **named})
        except Refused as exc:
            if exc.code in NO_SUCH_ORDER:
                return None
            raise of_reading(exc, pair) from None
        except NoAnswer as exc:
            raise of_reading(exc) from None
        order = self._order(pair, answer)
        if order_id is not None and venue_order_id is None and order.order_id != order_id:
            raise Unavailable("the answer is about another order")
        return order

    async def open_orders(self, pair: str) -> tuple[VenueOrder, ...]:
        answer = await self._rest.ask(calls.OPEN_ORDERS, {"symbol": pair}, pair=pair)
        try:
            rows = [row for row in rows_of(answer) if row.get("symbol") == pair]
        except Unreadable as exc:
            raise Unavailable(f"the orders cannot be read: {exc}") from None
        orders = [self._order(pair, row) for row in rows]
        return tuple(sorted(orders, key=lambda order: int(order.venue_order_id)))

    def _order(self, pair: str, answer: object) -> VenueOrder:
        try:
            row = row_of(answer)
            order = order_of(row)
        except Unreadable as exc:
            raise Unavailable(f"an order cannot be read: {exc}") from None
        if row.get("symbol") != pair:
            raise Unavailable("the answer is about another pair")
        self._trades.note(pair, order)
        return order

    async def trades(
        self, pair: str, *, venue_order_id: VenueOrderId | None = None, after: str | None = None
    ) -> tuple[Trade, ...]:
        return await self._trades.read(pair, venue_order_id=venue_order_id, after=after)

    # ------------------------------------------------------------------------------------------------------- events

    def events(self) -> AsyncIterator[AccountEvent]:
        return self._stream.events()

    @property
    def heard_at(self) -> float | None:
        """When the stream of account events last said anything, by the monotonic clock; None while there is none."""
        return self._stream.heard_at

    async def close(self) -> None:
        """Hang up."""
        await self._stream.close()
        await self._rest.close()
