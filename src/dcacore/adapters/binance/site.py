"""One environment of Binance: what all of its accounts share in this process."""

from __future__ import annotations

import datetime
import random

from dcacore.adapters.binance.client import ANSWERS_WITHIN_S
from dcacore.adapters.binance.dials import Dials
from dcacore.adapters.binance.directory import BinanceDirectory
from dcacore.adapters.binance.exchange import BinanceExchange
from dcacore.adapters.binance.limiter import Limiter
from dcacore.adapters.binance.pace import Pace
from dcacore.adapters.binance.prices import BinancePrices
from dcacore.adapters.binance.quotes import Quotes
from dcacore.adapters.binance.rates import Rates
from dcacore.adapters.binance.rest import Lister, Rest
from dcacore.adapters.binance.rules import Rules
from dcacore.adapters.binance.urls import Urls, Where
from dcacore.adapters.binance.user_stream import Shared, UserStream
from dcacore.adapters.binance.venue_clock import VenueClock
from dcacore.ports.clock import Clock
from dcacore.ports.health import Health
from dcacore.ports.secrets import ApiKey


class Site:
    """The clock, the limiter, the rules and the prices of one environment."""

    def __init__(
        self,
        where: Urls | Where,
        clock: Clock,
        chance: random.Random,
        *,
        pace: Pace | None = None,
        within_s: float = ANSWERS_WITHIN_S,
        lister: Lister | None = None,
    ) -> None:
        self._within_s = within_s
        self._lister = lister
        self._where = _always(where) if isinstance(where, Urls) else where
        self._pace = pace or Pace()
        self._chance = chance
        self._key_names = 0
        self.clock = clock
        self.time = VenueClock(clock, self._ask_time)
        self.limiter = Limiter(clock, self.time.now)
        self.dials = Dials(clock, self.limiter, self._pace.dials)
        self.public = self.rest()
        self.rules = Rules(self.public, self.limiter, clock)
        self.rates = Rates(self.public)
        self.quotes = Quotes(self.public)
        self.directory = BinanceDirectory(self.quotes, self.rules)
        self.prices = BinancePrices(
            lambda: self.urls.streams, clock, self.time, self.quotes, dials=self.dials, pace=self._pace, chance=chance
        )

    @property
    def urls(self) -> Urls:
        """Where it is reached now."""
        return self._where()

    async def _ask_time(self) -> datetime.datetime:
        return await self.public.time()

    def rest(self, key: ApiKey | None = None) -> Rest:
        """Return the requests of one key, or of nobody."""
        self._key_names += 1
        who = "" if key is None else f"account {self._key_names}"
        return Rest(
            self._where, self.limiter, self.time, key=key, who=who, within_s=self._within_s, lister=self._lister
        )

    def exchange(self, key: ApiKey) -> BinanceExchange:
        """Return the exchange of the account that *key* belongs to."""
        shared = Shared(
            url=lambda: self.urls.ws_api,
            clock=self.clock,
            time=self.time,
            rules=self.rules,
            rates=self.rates,
            dials=self.dials,
            pace=self._pace,
            chance=self._chance,
            spend=self.limiter.spend,
            limited=lambda status, text: self.dials.turned(status, text, None),
        )
        return BinanceExchange(self, self.rest(key), UserStream(shared, key))

    def health(self) -> Health:
        """Return how it is doing."""
        used, most = self.limiter.weight
        measured = self.time.measured_at is not None
        heard_at = self.prices.heard_at
        return Health(
            latency_ms=_milliseconds(self.time.latency) if measured else None,
            clock_offset_ms=_milliseconds(self.time.offset) if measured else None,
            prices_age_s=None if heard_at is None else self.clock.monotonic() - heard_at,
            used_weight=used,
            weight_limit=most,
            hold_s=max(self.limiter.hold_s, 0.0),
            bad_frames=self.prices.bad_frames,
        )

    async def close(self) -> None:
        """Hang up."""
        await self.prices.close()
        await self.public.close()
        self.limiter.close()


def _always(urls: Urls) -> Where:
    return lambda: urls


def _milliseconds(duration: datetime.timedelta) -> int:
    return duration // datetime.timedelta(milliseconds=1)
