"""Where an environment is reached: one value, so that nothing of one environment can go to another's hosts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from dcacore.ports.records import Environment


@attrs.frozen(kw_only=True)
class Urls:
    """The hosts of one environment, without a slash at the end.

    Attributes:
        rest: requests; `/api/v3/...` follows.
        streams: market streams; `/stream` follows.
        ws_api: requests and account events over a websocket, whole.
        sapi: `/sapi/v1/...` follows; None where there is none: nothing signed with a test key may ever reach the
            live one.
    """

    rest: str
    streams: str
    ws_api: str
    sapi: str | None = None


Where = Callable[[], Urls]
"""Says where an environment is reached now: asked before each request and each connection."""

LIVE: Final = Urls(
    rest="https://api.binance.com",
    streams="wss://stream.binance.com:9443",
    ws_api="wss://ws-api.binance.com:443/ws-api/v3",
    sapi="https://api.binance.com",
)
TESTNET: Final = Urls(
    rest="https://testnet.binance.vision",
    streams="wss://stream.testnet.binance.vision",
    ws_api="wss://ws-api.testnet.binance.vision/ws-api/v3",
)
KNOWN: Final = {Environment.LIVE: LIVE, Environment.TESTNET: TESTNET}
"""The environments that Binance itself runs and that an account can be of."""
