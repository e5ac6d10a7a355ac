"""Exchange accounts: the way to trade, on paper or with a key, and how that way is."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from typing import Any, Final

from litestar import Controller, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dcacore.application import account_pages, accounts, connections, holdings, pairs
from dcacore.application.identity.preferences import preferences_of
from dcacore.application.refusals import NotFound, UseCaseError
from dcacore.domain.errors import InvalidParameter, NotNow
from dcacore.domain.ids import UserId
from dcacore.ports.errors import Conflict, PortError
from dcacore.ports.records import Account, Environment
from dcacore.ports.secrets import ApiKey
from dcaweb import forms
from dcaweb.failures import sentence
from dcaweb.flash import Flash, redirect
from dcaweb.formats import Formats
from dcaweb.forms import Form
from dcaweb.rendering import page, part
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import signed_in

_HOME: Final = "/exchange"
_REFUSALS: Final = (InvalidParameter, NotNow, UseCaseError, PortError)
_PAIRS: Final = 20
PAPER_NAME: Final = "Paper"


class Exchange(Controller):
    """A user's accounts."""

    path = _HOME
    guards = (signed_in,)

    @get()
    async def show(self, request: WebRequest) -> Template:
        """Show all accounts, and the ways to another one."""
        return await self._show(request)

    @post("/paper")
    async def add_paper(self, request: WebRequest, data: Form) -> Redirect:
        """Make an account that trades with play money, by one click; a second click on the same page makes no other."""
        app, user_id = app_of(request), _me(request)
        name = data.get("name") or _free_name(await accounts.of(app.store, user_id))
        with contextlib.suppress(Conflict):
            await accounts.add(*app.means, app.secrets, user_id=user_id, name=name, environment=Environment.PAPER)
        return redirect(_HOME, Flash.PAPER_ADDED)

    @post("/accounts")
    async def add(self, request: WebRequest, data: Form) -> Template | Redirect:
        """Keep a key, once its exchange has said what it may do."""
        app, told = app_of(request), list[str]()
        try:
            await accounts.add(
                *app.means,
                app.secrets,
                user_id=_me(request),
                name=data.get("name", ""),
                environment=_environment(data.get("environment", "")),
                api_key=_key(data),
                keys=app.keys,
                warn=told.append,
            )
        except _REFUSALS as error:
            return await self._show(request, add_form=forms.refused(data, error))
        return await self._show(request, warnings=told) if told else redirect(_HOME, Flash.KEY_ADDED)

    @post("/accounts/{account_id:str}/key")
    async def replace_key(self, request: WebRequest, account_id: FromPath[str], data: Form) -> Template | Redirect:
        """Keep another key in the place of the one that an account has."""
        app, told = app_of(request), list[str]()
        try:
            await accounts.replace_key(
                app.store,
                app.venues,
                app.clock,
                app.secrets,
                user_id=_me(request),
                named=account_id,
                api_key=_key(data),
                keys=app.keys,
                warn=told.append,
            )
        except _REFUSALS as error:
            if isinstance(error, NotFound):
                raise
            return await self._show(request, key_forms={account_id: forms.refused(data, error)})
        return await self._show(request, warnings=told) if told else redirect(_HOME, Flash.KEY_REPLACED)

    @post("/accounts/{account_id:str}/remove")
    async def remove(self, request: WebRequest, account_id: FromPath[str]) -> Redirect:
        """Forget an account that no bot belongs to."""
        await accounts.remove(app_of(request).store, user_id=_me(request), named=account_id)
        return redirect(_HOME, Flash.ACCOUNT_REMOVED)

    @get("/accounts/{account_id:str}/balances")
    async def balances(self, request: WebRequest, account_id: FromPath[str]) -> Template:
        """Show what an account holds, as its exchange says now."""
        app, me = app_of(request), _me(request)
        account = await accounts.find(app.store, me, account_id)
        try:
            found = await holdings.holdings(app.store, app.venues, user_id=me, named=account.id)
        except PortError as error:
            return part("exchange/_balances.html", account=account, found=None, failure=sentence(str(error)))
        formats = Formats.of(await preferences_of(app.identity, me))
        return part("exchange/_balances.html", account=account, found=found, failure="", formats=formats)

    @get("/accounts/{account_id:str}/health")
    async def health(self, request: WebRequest, account_id: FromPath[str]) -> Template:
        """Show how the way to an account's exchange is."""
        app, me = app_of(request), _me(request)
        account = await accounts.find(app.store, me, account_id)
        try:
            _, found = await connections.measure(app.store, app.venues, app.clock, user_id=me, named=account.id)
            prices = await app.venues.prices_from(account.environment)
        except PortError as error:
            return part("exchange/_health.html", account=account, found=(), prices=None, failure=sentence(str(error)))
        formats = Formats.of(await preferences_of(app.identity, me))
        return part("exchange/_health.html", account=account, found=found, prices=prices, failure="", formats=formats)

    @get("/accounts/{account_id:str}/pairs")
    async def pairs(self, request: WebRequest, account_id: FromPath[str]) -> Template:
        """Show the pairs that can be traded where an account is, those that fit what is looked for best first."""
        app, text = app_of(request), request.query_params.get("text", "")[:40]
        account = await accounts.find(app.store, _me(request), account_id)
        try:
            found = await pairs.search(
                app.store, app.venues, user_id=_me(request), named=account.id, text=text, limit=_PAIRS
            )
        except PortError as error:
            return part("exchange/_pairs.html", found=(), text=text, failure=sentence(str(error)))
        return part("exchange/_pairs.html", found=found, text=text, failure="")

    async def _show(self, request: WebRequest, **context: Any) -> Template:
        app = app_of(request)
        found = await account_pages.account_pages(app.store, app.secrets, _me(request))
        wrong = context.get("add_form") or next(iter(context.get("key_forms", {}).values()), forms.EMPTY)
        usual = {"add_form": forms.EMPTY, "key_forms": {}, "warnings": ()}
        return await page(
            request,
            "exchange/show.html",
            status=wrong.status,
            accounts=found,
            paper_name=_free_name([it.account for it in found]),
            environments=_choices(has_custom=bool(app.settings.binance_rest_url)),
            default_environment=(Environment.TESTNET if app.settings.binance_testnet else Environment.LIVE).value,
            **{**usual, **context},
        )


def _me(request: WebRequest) -> UserId:
    assert request.auth is not None  # noqa: S101  # the guard has looked
    return request.auth.user.id


def _free_name(found: Iterable[Account]) -> str:
    taken = {it.name for it in found}
    return next(it for it in _names(PAPER_NAME) if it not in taken)


def _names(first: str) -> Iterator[str]:
    yield first
    yield from (f"{first} {number}" for number in itertools.count(2))


def _choices(*, has_custom: bool) -> tuple[tuple[str, str], ...]:
    usual = (("testnet", "Binance Spot Testnet: test funds"), ("live", "Binance Spot: real funds"))
    return (*usual, ("custom", "The custom exchange of this server")) if has_custom else usual


def _environment(text: str) -> Environment:
    try:
        return Environment(text)
    except ValueError:
        raise InvalidParameter("environment", None, "must be one of the choices") from None


def _key(data: Form) -> ApiKey:
    return ApiKey(data.get("key", "").strip(), data.get("secret", "").strip())
