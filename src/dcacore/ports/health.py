"""How one environment is doing, for a page to show."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Health:
    """What is known of the way to an exchange, at one moment.

    Attributes:
        latency_ms: how long it took to say what time it is; None before it has been asked.
        clock_offset_ms: how far its clock is ahead of ours; None before it has been asked.
        prices_age_s: how long ago the price stream said anything; None while there is no stream.
        events_age_s: how long ago the stream of account events said anything that has been silent for longest; None
            while there is none.
        used_weight: what has been used of the requests of this minute ...
        weight_limit: ... and how many there are.
        hold_s: for how long it wants no request at all; 0 when it takes them.
        bad_frames: how many frames of prices could not be believed.
    """

    latency_ms: int | None
    clock_offset_ms: int | None
    prices_age_s: float | None
    events_age_s: float | None = None
    used_weight: int
    weight_limit: int
    hold_s: float = 0.0
    bad_frames: int = 0
