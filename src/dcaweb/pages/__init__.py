"""The pages, by feature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from litestar.types import ControllerRouterHandler

from dcaweb.pages.activity import ActivityPages
from dcaweb.pages.admin import Administration
from dcaweb.pages.analytics import AnalyticsPages
from dcaweb.pages.asked import AskedPages
from dcaweb.pages.backtest import BacktestPages
from dcaweb.pages.bot_actions import BotActions
from dcaweb.pages.bot_backtest import BotBacktest
from dcaweb.pages.bot_edit import BotEdit
from dcaweb.pages.bot_import import BotImport
from dcaweb.pages.bot_new import BotNew
from dcaweb.pages.bots import BotPages
from dcaweb.pages.charts import Charts
from dcaweb.pages.coming import Coming
from dcaweb.pages.dashboard import Dashboard
from dcaweb.pages.deals import DealPages
from dcaweb.pages.events import events
from dcaweb.pages.exchange import Exchange
from dcaweb.pages.exports import Exports
from dcaweb.pages.going_live import GoingLive
from dcaweb.pages.health import healthz, readyz
from dcaweb.pages.landing import landing
from dcaweb.pages.metrics import metrics
from dcaweb.pages.own_data import OwnData
from dcaweb.pages.passwords import Passwords
from dcaweb.pages.polar_hook import take_polar_event
from dcaweb.pages.settings import SettingsPages
from dcaweb.pages.signals import SignalPages, take_signal
from dcaweb.pages.signing_in import SigningIn
from dcaweb.pages.subscription import BillingReturn, Subscription

ROUTES: Final[Sequence[ControllerRouterHandler]] = (
    landing,
    healthz,
    readyz,
    metrics,
    Coming,
    SigningIn,
    Passwords,
    Dashboard,
    Exchange,
    ActivityPages,
    BotNew,
    BotImport,
    BotBacktest,
    BotPages,
    BotActions,
    BotEdit,
    SignalPages,
    take_signal,
    GoingLive,
    BacktestPages,
    DealPages,
    Charts,
    AnalyticsPages,
    AskedPages,
    SettingsPages,
    OwnData,
    Subscription,
    BillingReturn,
    take_polar_event,
    Exports,
    Administration,
    events,
)
