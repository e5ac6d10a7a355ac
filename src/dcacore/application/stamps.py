"""Times as tables and JSON have them."""

from __future__ import annotations

import datetime


def utc_stamp(at: datetime.datetime) -> str:
    """Return *at* as `2021-04-02T10:15:00.000Z`, cut to milliseconds."""
    return at.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
