"""Who may ask for what: every route of the dashboard and of the API is in one of these sets, and in one alone.

A page that is added gets a line here; the tests say which one is missing. Where an address or a form names something
of a user's, the tests put Anna's into it by these names: `bot_id`, `deal_id`, `account_id`, `session_id`, `token_id`,
`backtest_id`, `run_id`, `asked_id`, `user_id`; `payment_id` names nobody's; `number` is that of a notification,
`name` that of a chart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.web.past import RANGE

PUBLIC: Final = frozenset(
    {
        "GET /",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",  # only from this machine, or as an administrator
        "POST /signals",  # by a bot's own secret
        "POST /webhooks/polar",  # by its signature
        "GET /static/{file_path}",
        "HEAD /static/{file_path}",
        "GET /register",
        "POST /register",
        "GET /verify-email/{secret}",
        "POST /verify-email/{secret}",
        "POST /verify-email/resend",
        "GET /login",
        "POST /login",
        "POST /logout",
        "GET /forgot-password",
        "POST /forgot-password",
        "GET /reset-password/{secret}",
        "POST /reset-password/{secret}",
        "GET /api/v1/schema",
        "GET /api/v1/schema/{path}",
        "GET /api/v1/schema/openapi.json",
    }
)
"""What everybody may ask for; nothing of it is anybody's."""

OWN: Final = frozenset(
    {
        "GET /dashboard",
        "GET /dashboard/funds",
        "GET /dashboard/profit",
        "GET /exchange",
        "POST /exchange/accounts",
        "POST /exchange/paper",
        "GET /bots",
        "GET /bots/new/import",
        "GET /bots/new/pair",
        "GET /bots/new/pairs",
        "POST /bots/stop-all",
        "POST /backtest",
        "GET /asked",
        "GET /activity",
        "GET /activity/lines",
        "GET /activity/news",
        "GET /activity/notifications",
        "POST /activity/notifications/read",
        "POST /activity/notifications/{number}/read",
        "POST /settings/export",
        "GET /settings",
        "POST /settings/password",
        "POST /settings/email",
        "POST /settings/preferences",
        "POST /settings/tokens",
        "POST /settings/sessions/end-others",
        "POST /settings/delete",
        "GET /subscription",
        "GET /subscription/payments",
        "POST /subscription/buy",
        "POST /subscription/manage",
        "POST /subscription/cancel",
        "POST /subscription/renew",
        "POST /subscription/resume",
        "POST /subscription/payments/{payment_id}/invoice",
        "GET /billing/done",
        "GET /billing/done/part",
        "GET /analytics",
        "GET /api/v1/bots",
        "POST /api/v1/ladder",
        "POST /api/v1/backtests",
        "GET /api/v1/exchange",
        "GET /api/v1/balances",
        "GET /api/v1/analytics",
        "GET /api/v1/activity",
        "GET /api/v1/me",
    }
)
"""What whoever is signed in may ask for, and sees of it what is one's own."""

THEIRS: Final = frozenset(
    {
        "GET /exchange/accounts/{account_id}/balances",
        "GET /exchange/accounts/{account_id}/health",
        "GET /exchange/accounts/{account_id}/pairs",
        "POST /exchange/accounts/{account_id}/key",
        "POST /exchange/accounts/{account_id}/remove",
        "GET /bots/new",
        "POST /bots/new",
        "POST /bots/new/preview",
        "POST /bots/new/review",
        "POST /bots/new/import",
        "POST /bots/{bot_id}/edit/preview",
        "GET /bots/{bot_id}/signals",
        "POST /bots/{bot_id}/signals",
        "POST /bots/{bot_id}/signals/revoke",
        "GET /bots/{bot_id}",
        "GET /bots/{bot_id}/chart",
        "GET /bots/{bot_id}/edit",
        "POST /bots/{bot_id}/edit",
        "GET /bots/{bot_id}/export",
        "GET /bots/{bot_id}/go-live",
        "POST /bots/{bot_id}/go-live",
        "POST /bots/{bot_id}/delete",
        "POST /bots/{bot_id}/pause",
        "POST /bots/{bot_id}/rename",
        "POST /bots/{bot_id}/retry",
        "POST /bots/{bot_id}/start",
        "POST /bots/{bot_id}/stop",
        "POST /bots/new/backtest",
        "GET /backtest",
        "GET /backtest/compare",
        "GET /backtest/{run_id}",
        "GET /backtest/{run_id}/part",
        "GET /backtest/{run_id}/drawn/{name}",
        "POST /backtest/{run_id}/bot",
        "POST /backtest/{run_id}/delete",
        "GET /deals/{deal_id}",
        "GET /deals/{deal_id}/chart",
        "POST /deals/{deal_id}/add-funds",
        "POST /deals/{deal_id}/cancel",
        "POST /deals/{deal_id}/close",
        "POST /deals/{deal_id}/edit",
        "POST /deals/{deal_id}/sold",
        "POST /subscription/stay",
        "POST /settings/sessions/{session_id}/end",
        "POST /settings/tokens/{token_id}/revoke",
        "GET /exports/deals.csv",
        "GET /exports/orders.csv",
        "POST /api/v1/bots",
        "GET /api/v1/bots/{bot_id}",
        "PATCH /api/v1/bots/{bot_id}",
        "DELETE /api/v1/bots/{bot_id}",
        "GET /api/v1/bots/{bot_id}/deals",
        "POST /api/v1/bots/{bot_id}/start",
        "POST /api/v1/bots/{bot_id}/pause",
        "POST /api/v1/bots/{bot_id}/stop",
        "POST /api/v1/bots/{bot_id}/retry",
        "GET /api/v1/deals/{deal_id}",
        "POST /api/v1/deals/{deal_id}/cancel",
        "POST /api/v1/deals/{deal_id}/close",
        "GET /api/v1/backtests/{backtest_id}",
        "PUT /api/v1/exchange/keys",
        "DELETE /api/v1/exchange/keys",
        "GET /api/v1/pairs",
    }
)
"""What names something of a user's: to others it is not there."""

ADMINS: Final = frozenset(
    {
        "GET /admin",
        "GET /admin/health",
        "GET /admin/users/{user_id}",
        "POST /admin/users",
        "POST /admin/users/{user_id}/admin",
        "POST /admin/users/{user_id}/password-link",
        "POST /admin/users/{user_id}/remove",
        "POST /admin/users/{user_id}/sign-out",
        "POST /admin/users/{user_id}/tier",
        "POST /admin/users/{user_id}/verify",
    }
)
"""What is there for administrators alone."""

STREAMS: Final = frozenset({"GET /events"})
"""What does not end by itself, and is looked at by a test of its own."""

QUERIES: Final[Mapping[str, Mapping[str, str | tuple[str, ...]]]] = {
    "GET /backtest": {"again": "{run_id}"},
    "GET /backtest/compare": {"run": ("{run_id}", "{backtest_id}")},
    "GET /dashboard/profit": {"environment": "paper", "quote_asset": "USDT"},
    "GET /analytics": {"bot": "{bot_id}"},
    "GET /bots/new": {"from": "{bot_id}"},
    "GET /bots/new/pair": {"account": "{account_id}", "pair": "BTCUSDT"},
    "GET /bots/new/pairs": {"account": "{account_id}", "pair": "BTC"},
    "GET /activity": {"bot": "{bot_id}"},
    "GET /activity/lines": {"bot": "{bot_id}"},
    "GET /asked": {"asked": "{asked_id}"},
    "GET /exports/deals.csv": {"bot": "{bot_id}"},
    "GET /exports/orders.csv": {"bot": "{bot_id}"},
    "GET /api/v1/pairs": {"account": "{account_id}"},
    "DELETE /api/v1/exchange/keys": {"account": "{account_id}"},
}
"""What stands behind the question mark."""

_KEY: Final = {"key": "k" * 64, "secret": "s" * 64}
_BOT: Final = {
    "name": "mine",
    "pair": "BTCUSDT",
    "base_order_size": "100",
    "safety_order_size": "100",
    "max_safety_orders": 3,
    "price_deviation": "1",
    "take_profit": "1.5",
}
_TYPED: Final = {name: str(value) for name, value in _BOT.items()}
_BOT_FILE: Final = "[bot]\n" + "\n".join(
    f"{name} = {value}" if isinstance(value, int) else f'{name} = "{value}"' for name, value in _BOT.items()
)

BODIES: Final[Mapping[str, Mapping[str, object]]] = {
    "POST /exchange/accounts/{account_id}/key": _KEY,
    "POST /subscription/stay": {"bot": "{bot_id}"},
    "POST /bots/new": {**_TYPED, "account": "{account_id}"},
    "POST /bots/new/preview": {**_TYPED, "account": "{account_id}"},
    "POST /bots/new/review": {**_TYPED, "account": "{account_id}"},
    "POST /bots/new/backtest": {**_TYPED, "account": "{account_id}"},
    "POST /backtest": {"bot": "{bot_id}", **RANGE},
    "POST /backtest/{run_id}/bot": {"account": "{account_id}", "name": "mine"},
    "POST /bots/new/import": {"account": "{account_id}", "file": _BOT_FILE},
    "POST /bots/{bot_id}/edit/preview": {"take_profit": "9"},
    "POST /admin/users": {"email": "carol@example.com", "tier": "PRO"},
    "POST /admin/users/{user_id}/tier": {"tier": "FREE"},
    "POST /bots/{bot_id}/edit": {"take_profit": "9"},
    "POST /bots/{bot_id}/go-live": {"name": "Hers", "shown": "1000000"},
    "POST /bots/{bot_id}/rename": {"name": "Taken over"},
    "POST /bots/{bot_id}/stop": {"coins": "sell"},
    "POST /bots/stop-all": {"coins": "sell"},
    "POST /deals/{deal_id}/add-funds": {"amount": "50"},
    "POST /deals/{deal_id}/edit": {"take_profit": "9"},
    "POST /deals/{deal_id}/sold": {"sold_at": "31000"},
    "POST /settings/tokens": {"name": "mine", "scope": "read"},
    "POST /api/v1/bots": {**_BOT, "account": "{account_id}"},
    "PATCH /api/v1/bots/{bot_id}": {"take_profit": "9"},
    "POST /api/v1/bots/{bot_id}/stop": {"sell": True},
    "POST /api/v1/backtests": {**_BOT, "interval": "1m"},
    "POST /api/v1/ladder": {**{name: value for name, value in _BOT.items() if name != "name"}, "price": "30000"},
    "PUT /api/v1/exchange/keys": {"account": "{account_id}", **_KEY},
}
"""What is sent with a request: good enough that nothing but whose it is can be the reason for a refusal."""

ELSEWHERE: Final = frozenset({"GET /bots/{bot_id}/go-live"})
"""What leads its owner on: there is nothing to confirm of a bot on paper."""
