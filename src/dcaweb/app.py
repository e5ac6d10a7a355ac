"""The dashboard as a program of its own."""

from __future__ import annotations

from litestar import Litestar

from dcacore.bootstrap.app import App
from dcaweb.heads import with_heads
from dcaweb.plugin import DcaPlugin


def create_app(app: App) -> Litestar:
    """Return the dashboard over *app*; whoever runs it opens and closes *app*.

    Raises:
        AssetsMissing: the front end has not been built.
    """
    web = Litestar(plugins=[DcaPlugin(app)], logging_config=None)  # the program has said where its log goes
    web.asgi_handler = with_heads(web.asgi_handler)
    return web
