"""One limiter for everything that goes to one environment from this process: its limits count by internet address.

    placing   never waits: it goes out, or is refused with the time from which it may
    order     cancels and questions about an order: up to nine tenths of what there is
    reading   up to four fifths of what there is
    periodic  up to a half

Whoever has to wait waits for the next window, in turn with the other accounts. While the exchange wants no request at
all, none goes out.
"""

from __future__ import annotations

import asyncio
import datetime
import re
from collections.abc import Callable, Mapping
from typing import Final

import attrs
import structlog

from dcacore.adapters.binance.calls import Call, Rank
from dcacore.adapters.binance.lines import Lines
from dcacore.adapters.binance.windows import BEFORE_TOLD, ORDERS, REQUESTS, WEIGHT, Limit, Window, told_by
from dcacore.ports.clock import Clock
from dcacore.ports.errors import OrdersLimited, RateLimited, Unavailable
from dcacore.ports.turns import waiting_for_turn

log = structlog.get_logger("dcacore.binance")

SHARES: Final = {Rank.PLACING: 0.95, Rank.ORDER: 0.9, Rank.READING: 0.8, Rank.PERIODIC: 0.5}
BAN_S: Final = {403: 300, 418: 120, 429: 60}
"""How long nothing is asked after such a status, when the answer does not say how long."""
_IN_DOUBT: Final = datetime.timedelta(seconds=1)
_LONGEST_BAN_S: Final = 3 * 86_400
_ORDERS_REST_S: Final = 10
_DAY_S: Final = 86_400
_UNTIL: Final = re.compile(r"banned until (\d{13})")


@attrs.define(eq=False)
class Limiter:
    """Lets requests out.

    Attributes:
        clock: for waiting.
        exchange_now: the exchange's time, to which its windows belong.
    """

    clock: Clock
    exchange_now: Callable[[], datetime.datetime]
    _windows: list[Window] = attrs.field(init=False)
    _order_limits: tuple[Limit, ...] = attrs.field(init=False)
    _orders: dict[str, list[Window]] = attrs.field(factory=dict, init=False)
    _hold_until: float = attrs.field(default=float("-inf"), init=False)
    _lines: Lines = attrs.field(factory=Lines, init=False)
    _pump: asyncio.Task[None] | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.learn(BEFORE_TOLD)

    # ------------------------------------------------------------------------------------------------ what is known

    def learn(self, limits: tuple[Limit, ...]) -> None:
        """Go by what the exchange says its limits are; what has been used up stays used up."""
        used = {(it.limit.kind, it.limit.seconds): it for it in getattr(self, "_windows", [])}
        self._windows = []
        for limit in limits:
            if limit.kind in {WEIGHT, REQUESTS} and limit.most > 0:
                window = used.get((limit.kind, limit.seconds), Window(limit))
                self._windows.append(attrs.evolve(window, limit=limit))
        self._order_limits = tuple(limit for limit in limits if limit.kind == ORDERS and limit.most > 0)

    @property
    def hold_s(self) -> float:
        """For how long nothing may be asked at all; 0 or less when it may."""
        return self._hold_until - self.clock.monotonic()

    @property
    def weight(self) -> tuple[int, int]:
        """What has been used of the weight of this minute, and how much there is."""
        now = self.exchange_now()
        for window in self._windows:
            if window.limit.kind == WEIGHT:
                window.turn(now)
                return window.used, window.limit.most
        return 0, 0

    def note(self, headers: Mapping[str, str], who: str, sent_at: datetime.datetime | None = None) -> None:
        """Believe what an answer says has been used up, by this process and all others of the same address.

        Where the question was sent at *sent_at*, before the present window or as it began, what it says may be true of
        the window before.
        """
        now = self.exchange_now()
        for kind, seconds, count in told_by(headers):
            for window in self._orders_of(who) if kind == ORDERS else self._windows:
                if (window.limit.kind, window.limit.seconds) == (kind, seconds):
                    window.turn(now)
                    if sent_at is not None and not window.has(sent_at - _IN_DOUBT):
                        continue
                    window.used = count if kind == ORDERS else max(window.used, count)

    def punish(self, status: int, text: str, retry_after: str | None) -> datetime.datetime:
        """Let nothing out for as long as an answer wants; return until when, by the local clock."""
        seconds = float(BAN_S.get(status, 60))
        if retry_after is not None and retry_after.isascii() and retry_after.isdigit():
            seconds = max(1.0, float(retry_after[:9]))
        elif until := _UNTIL.search(text):
            seconds = int(until[1]) / 1000 - self.exchange_now().timestamp()
        seconds = min(max(seconds, 1.0), _LONGEST_BAN_S)
        self._hold_until = max(self._hold_until, self.clock.monotonic() + seconds)
        log.warning("exchange_limit", status=status, seconds=round(seconds))
        self._lines.refuse(lambda: RateLimited(self._local(self.hold_s)))
        return self._local(self.hold_s)

    def orders_rest(self, who: str, text: str = "") -> datetime.datetime:
        """Return from when on, by the local clock, *who* may order again that has ordered too often, as *text* says."""
        now = self.exchange_now()
        full = [Limit(ORDERS, _DAY_S if "DAY" in text else _ORDERS_REST_S, 1)]
        full += [window.limit for window in self._orders_of(who) if not window.fits(1, 1)]
        return self._local(max(Window(limit).left_s(now) for limit in full))

    # ----------------------------------------------------------------------------------------------------- letting out

    async def admit(self, call: Call, who: str) -> None:
        """Return when *call* of the account *who* may go out; it counts from then on.

        Raises:
            RateLimited: nothing may go out, or it is an order and may not go out now.
        """
        self._refuse_on_hold()
        if call.rank is Rank.PLACING:
            self._admit_order(call, who)
            return
        if self._lines.has(call.rank) or not self._take_if_it_fits(call):
            if self._pump is None or self._pump.done():
                self._pump = asyncio.create_task(self._let_out(), name="binance limiter")
            with waiting_for_turn():
                await self._lines.wait(call, who)

    def spend(self, weight: int) -> None:
        """Count something that goes out beside `admit`."""
        now = self.exchange_now()
        for window in self._windows:
            window.turn(now)
            window.used += weight if window.limit.kind == WEIGHT else 1

    def close(self) -> None:
        """Let nobody wait any more."""
        if self._pump is not None:
            self._pump.cancel()
        self._lines.refuse(lambda: Unavailable("the exchange is not asked any more"))

    def _admit_order(self, call: Call, who: str) -> None:
        now = self.exchange_now()
        if not self._fits(call):
            raise RateLimited(self._local(self._left_s()))
        windows = self._orders_of(who)
        if any(not window.fits(1, 1) for window in windows):
            raise OrdersLimited(self.orders_rest(who))
        for window in windows:
            window.turn(now)
            window.used += 1
        self.spend(call.weight)

    def _fits(self, call: Call) -> bool:
        now = self.exchange_now()
        for window in self._windows:
            window.turn(now)
        share = SHARES[call.rank]
        return all(it.fits(call.weight if it.limit.kind == WEIGHT else 1, share) for it in self._windows)

    def _take_if_it_fits(self, call: Call) -> bool:
        if not self._fits(call):
            return False
        self.spend(call.weight)
        return True

    async def _let_out(self) -> None:
        while not self._lines.is_empty:
            self._lines.let_out(self._take_if_it_fits)
            if not self._lines.is_empty:
                await self.clock.sleep(self._left_s() + 0.05)

    def _left_s(self) -> float:
        now = self.exchange_now()
        full = [it.left_s(now) for it in self._windows if it.used >= it.limit.most * SHARES[Rank.PERIODIC]]
        return min(full, default=1.0)

    def _refuse_on_hold(self) -> None:
        if (left := self.hold_s) > 0:
            raise RateLimited(self._local(left))

    def _orders_of(self, who: str) -> list[Window]:
        windows = self._orders.setdefault(who, [])
        known = {window.limit for window in windows}
        if known != set(self._order_limits):
            used = {window.limit.seconds: window for window in windows}
            windows[:] = [attrs.evolve(used.get(it.seconds, Window(it)), limit=it) for it in self._order_limits]
        now = self.exchange_now()
        for window in windows:
            window.turn(now)
        return windows

    def _local(self, seconds: float) -> datetime.datetime:
        return self.clock.now() + datetime.timedelta(seconds=seconds)
