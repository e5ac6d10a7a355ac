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
from dcacore.adapters.binance.key_rights import rights_of
from dcacore.adapters.binance.orders import fill_of, order_of, ticket, trade_of
from dcacore.adapters.binance.reading import (
    Row,
    Unreadable,
    milliseconds_of,
    number_in,
    row_of,
    rows_of,
    text_in,
    time_in,
)
from dcacore.adapters.binance.refusals import NO_SUCH_ORDER, NoAnswer, Refused, of_reading
from dcacore.adapters.binance.rest import Rest
from dcacore.adapters.binance.user_stream import UserStream
from dcacore.domain.ids import LONGEST_ORDER_ID, OrderId
from dcacore.domain.market import Fees
from dcacore.domain.money import Price
from dcacore.domain.orders import Order
from dcacore.domain.venue import Trade, VenueOrder, VenueOrderId
from dcacore.ports.errors import BadCredentials, NotAccepted, OutcomeUnknown, PortError, Unavailable
from dcacore.ports.exchange import AccountEvent, Balance, Exchange, Listing

if TYPE_CHECKING:
    from dcacore.adapters.binance.site import Site

log = structlog.get_logger("dcacore.binance")

PAGE: Final = 1000
FEES_LAST_S: Final = 3600
RIGHTS_LAST_S: Final = 86_400
VALUED_WITHIN_S: Final = 2
"""How long an answer may wait for what a fee in a third asset was worth; without that the trade is told later."""
CANCEL_WINDOW: Final = datetime.timedelta(seconds=5)
_DAY: Final = datetime.timedelta(days=1)
_NAMES_KEPT: Final = 5000
_TAKEN: Final = re.compile(rf"[a-zA-Z0-9_-]{{1,{LONGEST_ORDER_ID}}}", re.ASCII)


class BinanceExchange(Exchange):
    """One account of one environment."""

    def __init__(self, site: Site, rest: Rest, stream: UserStream) -> None:
        self.site = site
        """What it shares with the other accounts of its environment."""
        self._rest = rest
        self._stream = stream
        stream.on_order = self._note
        self._rights_seen_at = float("-inf")
        self._fees: dict[str, tuple[float, Fees]] = {}
        self._names: dict[tuple[str, VenueOrderId], OrderId] = {}

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
        await self._see_what_the_key_may_do()
        answer = await self._rest.ask(calls.ACCOUNT, {"omitZeroBalances": "true"})
        try:
            rows = rows_of(row_of(answer).get("balances"))
            return {text_in(it, "asset"): Balance(number_in(it, "free"), number_in(it, "locked")) for it in rows}
        except Unreadable as exc:
            raise Unavailable(f"the balances cannot be read: {exc}") from None

    async def _see_what_the_key_may_do(self) -> None:
        """Once a day, where the exchange tells: a key that was given the right to withdraw since is used no more.

        Raises:
            BadCredentials: it was.
        """
        now = self.site.clock.monotonic()
        if self.site.urls.sapi is None or now - self._rights_seen_at < RIGHTS_LAST_S:
            return
        try:
            rights = await rights_of(self._rest, has_restrictions=True)
        except BadCredentials:
            raise
        except PortError as exc:
            log.warning("key_rights_not_known", reason=str(exc))
            return
        if rights.may_withdraw:
            raise BadCredentials("this key may withdraw coins by now: take that right from it, or give another key")
        self._rights_seen_at = now

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
        self._note(pair, placed)
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
        params = {"symbol": pair, "origClientOrderId": order_id}
        await self._rest.act(calls.CANCEL, params, sent_at=self.now(), recv_window=CANCEL_WINDOW)

    # ------------------------------------------------------------------------------------------------------ reading

    async def find(
        self, pair: str, *, order_id: OrderId | None = None, venue_order_id: VenueOrderId | None = None
    ) -> VenueOrder | None:
        named: dict[str, str]
        if venue_order_id is not None:
            named = {"orderId": venue_order_id}
        elif order_id is not None:
            named = {"origClientOrderId": order_id}
        else:
            return None
        try:
            answer = await self._rest.ask_plainly(calls.FIND, {"symbol": pair, **named})
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
        self._note(pair, order)
        return order

    async def trades(
        self, pair: str, *, venue_order_id: VenueOrderId | None = None, after: str | None = None
    ) -> tuple[Trade, ...]:
        market = self.site.rules.market(pair) or (await self.site.rules.listing(pair)).market
        call = calls.TRADES if venue_order_id is None else calls.TRADES_OF_ORDER
        params = {"symbol": pair, "limit": str(PAGE)}
        if venue_order_id is not None:
            params["orderId"] = venue_order_id
        if after is not None:
            params["fromId"] = str(int(after) + 1)
        elif venue_order_id is None:
            params["startTime"] = str(milliseconds_of(self.now() - _DAY))
        trades: list[Trade] = []
        while True:
            page = self._page(pair, await self._rest.ask(call, params, pair=pair))
            known = {trade.trade_id for trade in trades}
            trades += [await self.site.rates.valued(it, market) for it in page if it.trade_id not in known]
            if len(page) < PAGE:
                return tuple(sorted(trades, key=lambda trade: int(trade.trade_id)))
            params.pop("startTime", None)
            params["fromId"] = str(max(int(trade.trade_id) for trade in page) + 1)

    def _page(self, pair: str, answer: object) -> list[Trade]:
        try:
            rows: list[Row] = [row for row in rows_of(answer) if row.get("symbol", pair) == pair]
            trades = [trade_of(row, None) for row in rows]
        except Unreadable as exc:
            raise Unavailable(f"the trades cannot be read: {exc}") from None
        return [attrs.evolve(it, order_id=self._names.get((pair, it.venue_order_id))) for it in trades]

    def _note(self, pair: str, order: VenueOrder) -> None:
        """Remember our id of the order: the exchange does not tell it with trades."""
        if len(self._names) >= _NAMES_KEPT:
            del self._names[next(iter(self._names))]
        self._names[pair, order.venue_order_id] = order.order_id

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
