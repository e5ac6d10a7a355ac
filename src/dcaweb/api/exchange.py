"""Exchange accounts: their keys, what they hold, and what can be traded there."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, delete, get, put
from litestar.params import QueryParameter

from dcacore.application import accounts, funds, pairs
from dcacore.domain.errors import InvalidParameter
from dcacore.ports.records import Environment
from dcacore.ports.secrets import ApiKey
from dcaweb.api import operations
from dcaweb.api.bearers import ApiRequest, user_id_of
from dcaweb.api.bodies import Body, body_of, named, text_of
from dcaweb.api.queries import Asset, Limit
from dcaweb.api.views.bots import MarketItem, market_item
from dcaweb.api.views.reports import (
    BalancesView,
    ExchangeView,
    KeyView,
    account_item,
    balances_view,
)
from dcaweb.requests import app_of

AccountName = Annotated[str, QueryParameter(min_length=1, max_length=100, description="An account's name or id.")]
OneOfThem = Annotated[
    str | None,
    QueryParameter(
        min_length=1, max_length=100, required=False, description="Its name or id; not needed for the only one."
    ),
]
Search = Annotated[str, QueryParameter(max_length=40, description="What to look for, such as btc.")]


class ExchangeApi(Controller):
    """Exchange accounts."""

    tags = ("Exchange",)

    @get("/exchange", operation_id="ListAccounts")
    async def show(self, request: ApiRequest) -> ExchangeView:
        """List the user's exchange accounts, by name; keys are never shown."""
        found = await accounts.of(app_of(request).store, user_id_of(request))
        return ExchangeView(items=tuple([account_item(account) for account in found]))

    @put("/exchange/keys", operation_id="SetKey", operation_class=operations.NewKey)
    async def set_key(self, request: ApiRequest) -> KeyView:
        """Give the account of that name another key; if there is none, add it, where `environment` says.

        The exchange is asked what the key may do: one that may withdraw, or may not trade, is refused.
        """
        body = await body_of(request, ("account", "environment", "key", "secret"))
        name, environment = text_of(body, "account"), _environment(body)
        key = ApiKey(key=text_of(body, "key"), secret=text_of(body, "secret"))
        app, user_id = app_of(request), user_id_of(request)
        mine = {account.name: account.environment for account in await accounts.of(app.store, user_id)}
        there, warnings = mine.get(name.strip()), list[str]()
        if environment is not None and there not in {None, environment}:
            raise InvalidParameter("environment", environment.value, f"the account {name.strip()} is elsewhere")
        if environment is not None and there is None:
            account = await accounts.add(
                *app.means,
                app.secrets,
                user_id=user_id,
                name=name,
                environment=environment,
                api_key=key,
                keys=app.keys,
                warn=warnings.append,
            )
        else:
            account = await accounts.replace_key(
                app.store,
                app.venues,
                app.clock,
                app.secrets,
                user_id=user_id,
                named=named("account", name),
                api_key=key,
                keys=app.keys,
                warn=warnings.append,
            )
        return KeyView(account=account_item(account), warnings=tuple(warnings))

    @delete("/exchange/keys", operation_id="DeleteKey")
    async def remove_key(self, request: ApiRequest, account: AccountName) -> None:
        """Forget an account and its key; refused while bots belong to it."""
        await accounts.remove(app_of(request).store, user_id=user_id_of(request), named=named("account", account))

    @get("/balances", operation_id="ListBalances")
    async def balances(self, request: ApiRequest, currency: Asset = "USDT") -> BalancesView:
        """Show what each account holds, what its running bots may still need, and what that is worth."""
        app = app_of(request)
        prices = request.app.state.prices
        return balances_view(await funds.funds(app.store, app.venues, prices, user_id_of(request), currency=currency))

    @get("/pairs", operation_id="ListPairs")
    async def pairs(
        self, request: ApiRequest, account: OneOfThem = None, search: Search = "", limit: Limit = 100
    ) -> list[MarketItem]:
        """List the pairs that trade where the account is, with their rules, the best matches of the search first."""
        app, name = app_of(request), await _one(request, account)
        found = await pairs.search(
            app.store, app.venues, user_id=user_id_of(request), named=name, text=search, limit=limit
        )
        return [market_item(market) for market in found]


async def _one(request: ApiRequest, account: str | None) -> str:
    if account is not None:
        return named("account", account)
    mine = await accounts.of(app_of(request).store, user_id_of(request))
    if len(mine) != 1:
        there = f"there are {', '.join(it.name for it in mine)}" if mine else "there is none yet"
        raise InvalidParameter("account", None, f"is missing; {there}")
    return mine[0].name


def _environment(body: Body) -> Environment | None:
    text = body.get("environment")
    if text is None:
        return None
    places = {it.value: it for it in Environment if it is not Environment.PAPER}
    if not isinstance(text, str) or text not in places:
        raise InvalidParameter("environment", None, f"must be one of {', '.join(places)}")
    return places[text]
