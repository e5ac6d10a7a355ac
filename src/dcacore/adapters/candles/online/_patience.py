"""How much is asked of a server at once, how long its answers may take, and how long it is waited for."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import attrs

_UNSAID_S: Final[Mapping[int, float]] = {429: 60, 418: 120}
"""What to wait when an answer does not say it: windows of weight last a minute, the shortest ban two (binance.com)."""


@attrs.frozen(kw_only=True)
class Patience:
    """How a server is treated.

    Attributes:
        at_once: requests under way at a time.
        tries: how often one is sent when it fails in a way that may pass.
        first_pause_s: about how long the first pause between tries is; each may be twice as long as the one before.
        connect_s: how long a connection may take.
        silence_s: how long nothing may come.
        whole_s: how long an answer may take as a whole.
        longest_pause_s: when the server wants no request for longer than that, it is given up.
    """

    at_once: int = 4
    tries: int = 6
    first_pause_s: float = 1
    connect_s: float = 10
    silence_s: float = 30
    whole_s: float = 900
    longest_pause_s: float = 180


def asked_pause(status: int, retry_after: str | None, now: datetime.datetime) -> float | None:
    """Return for how many seconds an answer wants no further request; None when it does not say or mean so.

    `Retry-After` (RFC 9110, 10.2.3) is a number of seconds or a time.
    """
    pause = _read(retry_after, now) if retry_after else None
    return _UNSAID_S.get(status) if pause is None else max(1, pause)


def _read(retry_after: str, now: datetime.datetime) -> float | None:
    text = retry_after.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:  # noqa: PLR2004  # more is no pause
        return int(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp() - now.timestamp()
