"""What a key may do: the account says whether it trades, and the live exchange what the key itself is allowed."""

from __future__ import annotations

from typing import Final

import attrs
import structlog

from dcacore.adapters.binance.calls import ACCOUNT, RESTRICTIONS
from dcacore.adapters.binance.reading import Row, Unreadable, flag_in, row_of
from dcacore.adapters.binance.rest import Rest
from dcacore.ports.clock import Clock
from dcacore.ports.errors import BadCredentials, PortError, Unavailable
from dcacore.ports.keys import KeyRights

LAST_S: Final = 86_400
ASKED_AGAIN_AFTER_S: Final = 3600
log = structlog.get_logger("dcacore.binance")


async def rights_of(rest: Rest, *, has_restrictions: bool) -> KeyRights:
    """Return what the key of *rest* may do.

    Args:
        rest: the requests of the key.
        has_restrictions: whether the exchange can be asked what the key itself is allowed, as only the live one can.

    Raises:
        BadCredentials: the exchange does not accept it.
        Unavailable: it cannot be asked now.
    """
    try:
        account = row_of(await rest.ask(ACCOUNT, {"omitZeroBalances": "true"}))
        may_trade = _flag(account, "canTrade")
        if not has_restrictions:
            return KeyRights(may_trade=may_trade)
        allowed = row_of(await rest.ask(RESTRICTIONS))
        return KeyRights(
            may_trade=may_trade and _flag(allowed, "enableSpotAndMarginTrading"),
            may_withdraw=_flag(allowed, "enableWithdrawals"),
            is_bound=_flag(allowed, "ipRestrict"),
        )
    except Unreadable as exc:
        raise Unavailable(f"what the key may do cannot be read: {exc}") from None


def _flag(row: Row, name: str) -> bool:
    """Return a truth value that has to be there: a right that is not told is not taken for harmless."""
    flag = flag_in(row, name)
    if flag is None:
        raise Unreadable(f"{name} is neither true nor false")
    return flag


@attrs.define
class DailyLook:
    """Looks once a day, where the exchange tells it, whether a key was given the right to withdraw since."""

    _rest: Rest
    _clock: Clock
    _is_told: bool = attrs.field(kw_only=True)
    _seen_at: float = attrs.field(default=float("-inf"), init=False)

    async def look(self) -> None:
        """Look if it is due.

        Raises:
            BadCredentials: the key may withdraw, and is used no more; or it is not accepted.
        """
        now = self._clock.monotonic()
        if not self._is_told or now - self._seen_at < LAST_S:
            return
        self._seen_at = now - LAST_S + ASKED_AGAIN_AFTER_S  # whatever comes of it: orders wait behind this
        try:
            rights = await rights_of(self._rest, has_restrictions=True)
        except BadCredentials:
            raise
        except PortError as exc:
            log.warning("key_rights_not_known", reason=str(exc))
            return
        if rights.may_withdraw:
            self._seen_at = float("-inf")
            raise BadCredentials("this key may withdraw coins by now: take that right from it, or give another key")
        self._seen_at = now
