"""What would have come by mail, where nothing is mailed and everybody may see it: in the demo."""

from __future__ import annotations

import asyncio
from typing import Final

from dcacore.bootstrap.app import App

_LOOKS: Final = 40
_EVERY_S: Final = 0.05


async def link_for(app: App, email: str) -> str:
    """Return the link in the newest mail to *email*, once it has been sent; empty outside of the demo."""
    if app.shown_link is None:
        return ""
    if app.courier is not None:
        app.courier.poke()
    before = app.shown_link(email)
    for _ in range(_LOOKS):
        await asyncio.sleep(_EVERY_S)
        if (link := app.shown_link(email)) and link != before:
            return link
    return app.shown_link(email)
