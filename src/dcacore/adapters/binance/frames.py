"""Frames of market streams: which of them tell a price, and which are not to be believed."""

from __future__ import annotations

from typing import Final

from dcacore.adapters.binance.reading import Row, Unreadable, positive_in, row_of, text_in, time_in
from dcacore.domain.money import Price
from dcacore.ports.prices import Tick

STREAM: Final = "aggTrade"
"""What is subscribed to: every price at which there was a trade, and no more frames than that takes."""
_PRICES: Final = {"trade": ("p", "T"), "aggTrade": ("p", "T"), "24hrMiniTicker": ("c", "E"), "24hrTicker": ("c", "E")}
"""By event: the field of the last price, and of its time."""


def stream_of(pair: str) -> str:
    """Return the name of the pair's stream."""
    return f"{pair.lower()}@{STREAM}"


def tick_of(frame: Row) -> Tick | None:
    """Return the price that a frame tells; None when frames of its kind tell none.

    Raises:
        Unreadable: the price is missing, 0, negative or no number, or the frame is of another pair than its stream.
    """
    stream, data = frame.get("stream"), row_of(frame.get("data", frame))
    event = data.get("e")
    fields = _PRICES.get(event) if isinstance(event, str) else None
    if fields is None:
        return None
    price, time = fields
    pair = text_in(data, "s")
    if isinstance(stream, str) and stream.partition("@")[0] != pair.lower():
        raise Unreadable(f"a stream told of {pair[:20]}")
    return Tick(pair, Price(positive_in(data, price)), time_in(data, time))
