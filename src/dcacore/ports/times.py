"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_text(time_ms: int) -> str:
    """Return *time_ms* as `2021-04-20 02:00` (UTC), with seconds only where it has them."""
    try:
        moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return f"{time_ms} ms"
    if time_ms % 1000:
        return moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return moment.strftime("%Y-%m-%d %H:%M:%S" if time_ms % 60_000 else "%Y-%m-%d %H:%M")
