"""The WebSocket API, as far as it is needed: to subscribe to an account's events, and to see that they still come."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

import attrs

from dcacore.adapters.binance.link import Dead, Link
from dcacore.adapters.binance.reading import Row, Unreadable, integer_in, milliseconds_of, row_of, rows_of
from dcacore.adapters.binance.refusals import CLOCK_IS_OFF, Refused, of_reading
from dcacore.adapters.binance.venue_clock import VenueClock
from dcacore.ports.secrets import ApiKey

WINDOW_MS: Final = 5000
WEIGHT: Final = 2


@attrs.frozen
class Session:
    """Asks as one account.

    Attributes:
        time: the exchange's time.
        spend: counts what a request weighs.
        limited: told of an answer that wants no further request, with its status and text.
    """

    _key: ApiKey
    time: VenueClock
    spend: Callable[[int], None]
    limited: Callable[[int, str], None]

    async def subscribe(self, link: Link) -> int:
        """Return the number of a new subscription; it is tried once more if the exchange finds our time wrong.

        Raises:
            Dead: there is no answer of use.
            BadCredentials: the key is not accepted.
            Unavailable: the exchange does not do it now.
        """
        await self.time.refresh()
        try:
            answer = await self._subscribe(link)
        except Refused as exc:
            if exc.code != CLOCK_IS_OFF:
                raise of_reading(exc) from None
            self.time.doubt()
            await self.time.refresh()
            try:
                answer = await self._subscribe(link)
            except Refused as again:
                raise of_reading(again) from None
        try:
            return integer_in(row_of(answer.get("result")), "subscriptionId")
        except Unreadable as exc:
            raise Dead(f"the subscription cannot be read: {exc}") from None

    async def subscriptions(self, link: Link) -> frozenset[int]:
        """Return the numbers of the subscriptions that stand.

        Raises:
            Dead: there is no answer of use.
        """
        try:
            answer = await self._request(link, "session.subscriptions")
            return frozenset(integer_in(row, "subscriptionId") for row in rows_of(answer.get("result")))
        except Refused as exc:
            raise Dead(f"the subscriptions cannot be asked for: {exc}") from None
        except Unreadable as exc:
            raise Dead(f"the subscriptions cannot be read: {exc}") from None

    async def _subscribe(self, link: Link) -> Row:
        now = milliseconds_of(self.time.now())
        params: dict[str, object] = {"apiKey": self._key.key, "recvWindow": WINDOW_MS, "timestamp": now}
        payload = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
        signature = hmac.new(self._key.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
        return await self._request(link, "userDataStream.subscribe.signature", {**params, "signature": signature})

    async def _request(self, link: Link, method: str, params: Row | None = None) -> Row:
        self.spend(WEIGHT)
        answer = await link.ask({"method": method, **({} if params is None else {"params": params})})
        status = answer.get("status")
        if status == 200:  # noqa: PLR2004
            return answer
        try:
            error = row_of(answer.get("error"))
            code = integer_in(error, "code")
        except Unreadable as exc:
            raise Dead(f"the answer cannot be used: {exc}") from None
        refused = Refused(status if isinstance(status, int) else 0, code, str(error.get("msg")))
        if refused.status in {418, 429}:
            self.limited(refused.status, refused.text)
        raise refused
