"""Servers that pages ask for candles, each over connections that stay."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import attrs

from dcacore.ports.clock import Clock

if TYPE_CHECKING:
    from dcacore.adapters.candles.online import Web


@attrs.define
class Webs:
    """Keeps what asks each server: to make it anew, with all certificates, costs more than most answers do."""

    _clock: Clock
    _open: dict[str, tuple[Web, AsyncExitStack]] = attrs.field(factory=dict, init=False)

    async def at(self, base_url: str) -> Web:
        """Return what asks the server at *base_url* for somebody who is looking at a page."""
        from dcacore.adapters.candles.online import Patience, open_web

        if base_url not in self._open:
            stack = AsyncExitStack()
            patience = Patience(tries=1, connect_s=3, silence_s=5, whole_s=10, longest_pause_s=5)
            web = await stack.enter_async_context(open_web(base_url, self._clock, patience))
            self._open[base_url] = web, stack  # nothing has waited since it was looked: nobody else has made it
        return self._open[base_url][0]

    async def aclose(self) -> None:
        """End all connections."""
        while self._open:
            _, (_, stack) = self._open.popitem()
            await stack.aclose()
