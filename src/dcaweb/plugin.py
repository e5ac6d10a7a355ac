"""The dashboard as a plugin, so that others can have it within an application of theirs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final

from litestar import Router
from litestar.config.app import AppConfig
from litestar.config.compression import CompressionConfig
from litestar.plugins import InitPlugin
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig

from dcacore.bootstrap.app import App
from dcaweb import api, assets
from dcaweb.api.problems import by_place
from dcaweb.failures import handlers
from dcaweb.formats import FILTERS
from dcaweb.live_keys import KEYS
from dcaweb.metrics import Meter, Metering
from dcaweb.pages import ROUTES
from dcaweb.pages.streams import Streams
from dcaweb.security.forgery import Forgery
from dcaweb.security.headers import teller
from dcaweb.security.keys import signing_secret
from dcaweb.security.people import People, is_https

TEMPLATES: Final = Path(__file__).parent / "templates"
_LARGEST_BODY: Final = 2**20
"""Set where the routes are: Litestar takes the limit of the whole application from nobody but its own caller."""


class DcaPlugin(InitPlugin):
    """Adds the pages, and what they need, to a Litestar application."""

    def __init__(self, app: App) -> None:
        """Take the application that the pages show.

        Raises:
            AssetsMissing: the front end has not been built.
        """
        self._app = app
        self._assets = assets.built()

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Return *app_config* with the dashboard in it."""
        app_config.state.dca = self._app
        app_config.state.streams = Streams()
        app_config.state.meter = meter = Meter(self._app.clock)
        api.install(app_config, self._app, largest_body=_LARGEST_BODY)
        app_config.route_handlers.extend([self._pages(), self._static()])
        app_config.middleware.extend([Metering(meter), self._forgery(), self._people()])
        app_config.exception_handlers = {**by_place(handlers()), **app_config.exception_handlers}
        app_config.template_config = self._templates()
        app_config.compression_config = CompressionConfig(
            backend="gzip", exclude=[r"^/events", r"^/settings/export$", r"^/static/.*woff2$"]
        )
        app_config.before_send.append(meter.before_send)
        app_config.before_send.append(teller(is_https=is_https(self._app)))
        # Litestar's writes what any library says to stderr: addresses with keys in them.
        app_config.logging_config = None
        return app_config

    def _pages(self) -> Router:
        # Here and not in the configuration: there Litestar passes over what a plugin says of it.
        return Router("/", route_handlers=ROUTES, request_max_body_size=_LARGEST_BODY, include_in_schema=False)

    def _forgery(self) -> Forgery:
        return Forgery(signing_secret(self._app.settings), is_https=is_https(self._app))

    def _people(self) -> Any:
        return partial(People, exclude=[rf"^{assets.URL}/", "^/api/", "^/healthz$", "^/readyz$"])

    def _static(self) -> Any:
        return create_static_files_router(path=assets.URL, directories=[assets.FOLDER])

    def _templates(self) -> TemplateConfig[JinjaTemplateEngine]:
        def prepare(engine: JinjaTemplateEngine) -> None:
            engine.engine.globals["asset"] = self._assets.url
            engine.engine.globals.update(KEYS)
            engine.engine.filters.update(FILTERS)
            engine.engine.trim_blocks = engine.engine.lstrip_blocks = True

        return TemplateConfig(directory=TEMPLATES, engine=JinjaTemplateEngine, engine_callback=prepare)
