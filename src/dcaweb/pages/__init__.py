"""The pages, by feature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from litestar.types import ControllerRouterHandler

from dcaweb.pages.coming import Coming
from dcaweb.pages.dashboard import Dashboard
from dcaweb.pages.events import events
from dcaweb.pages.exports import Exports
from dcaweb.pages.health import healthz, readyz
from dcaweb.pages.landing import landing
from dcaweb.pages.passwords import Passwords
from dcaweb.pages.settings import SettingsPages
from dcaweb.pages.signing_in import SigningIn

ROUTES: Final[Sequence[ControllerRouterHandler]] = (
    landing,
    healthz,
    readyz,
    Coming,
    SigningIn,
    Passwords,
    Dashboard,
    SettingsPages,
    Exports,
    events,
)
