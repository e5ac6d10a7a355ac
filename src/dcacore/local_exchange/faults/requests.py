"""What faults do to a request, whichever way it came."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

import attrs

from dcacore.local_exchange.errors import ERRORS, ApiError, error
from dcacore.local_exchange.exchange import LocalExchange
from dcacore.local_exchange.faults.desk import FaultDesk
from dcacore.local_exchange.faults.kinds import Fault, Strikes
from dcacore.local_exchange.limits import banned

HTML: Final = (
    "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n"
    "</body>\r\n</html>\r\n"
)


_BLANKS: Final = {
    "limit": 6_000, "per": "1 MINUTE", "filter": "NOTIONAL", "name": "symbol", "legal": "^[A-Z]$", "hours": 24,
}  # fmt: skip
"""What stands in the texts of errors that are made up, where nobody says what else."""


class Dropped(Exception):
    """The connection is to be cut without an answer."""


class Walled(Exception):
    """A wall before the exchange answers, with a page."""


class Garbled(Exception):
    """Only half of the answer is to be sent."""


@attrs.define
class Gauntlet:
    """The faults that a request runs through."""

    exchange: LocalExchange
    desk: FaultDesk

    async def before(self, label: str, key: str, address: str) -> None:
        """Do to a request what strikes it before it is carried out.

        Raises:
            ApiError: it is refused.
            Dropped: its connection is to be cut.
            Walled: it does not reach the exchange.
        """
        while (fault := self.desk.strike(Strikes.BEFORE, label, key)) is not None:
            match fault.kind:
                case "delay":
                    await asyncio.sleep(fault.seconds())
                case "drop_before":
                    raise Dropped
                case "waf":
                    raise Walled
                case "rate_limit":
                    refusal = error(-1003, limit=6_000, per="1 MINUTE")
                    refusal.headers = {"Retry-After": str(int(fault.number("retry_after")))}
                    raise refusal
                case "ban":
                    raise self._ban(address, int(fault.number("retry_after")))
                case _:
                    raise _failure(fault)

    async def after(self, label: str, key: str) -> None:
        """Do to a request what strikes it after it was carried out.

        Raises:
            ApiError: it is answered with an error.
            Dropped: its connection is to be cut.
            Garbled: its answer is to be cut in half.
        """
        while (fault := self.desk.strike(Strikes.AFTER, label, key)) is not None:
            match fault.kind:
                case "delay_after":
                    await asyncio.sleep(fault.seconds())
                case "drop_after":
                    raise Dropped
                case "garbage":
                    raise Garbled
                case _:
                    raise _failure(fault)

    def _ban(self, address: str, seconds: int) -> ApiError:
        now = self.exchange.clock.ms()
        self.exchange.limits.ban(address, seconds, now)
        return banned(now + 1_000 * seconds, now)


def _failure(fault: Fault) -> ApiError:
    code = int(fault.number("code"))
    status, text = ERRORS.get(code, (HTTPStatus.BAD_REQUEST, "The request was refused."))
    text = fault.options.get("msg") or text.format(**_BLANKS)
    return ApiError(code, str(text), int(fault.number("status")) or int(status))
