"""One's own account: who one is, the password, the browsers that are signed in, how pages look, tokens, leaving."""

from __future__ import annotations

import datetime
from typing import Any

from litestar import Controller, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dcacore.application.administrators import LastAdministrator
from dcacore.application.identity import api_tokens, leaving, passwords, preferences, sessions
from dcacore.application.identity.leaving import Left, OpenDeals
from dcacore.application.identity.preferences import Changes
from dcacore.application.identity.refusals import IdentityError
from dcacore.application.identity.sessions import SignedIn
from dcacore.domain.errors import InvalidParameter
from dcacore.ports.errors import Conflict
from dcacore.ports.identity import ApiTokenId, Channels, Occasion, Scope, SessionId, Theme
from dcaweb import forms
from dcaweb.demo_mail import link_for
from dcaweb.flash import Flash, redirect
from dcaweb.forms import Form, FormState
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of, client_of
from dcaweb.security.evenly import evenly
from dcaweb.security.people import no_session, session_cookie, signed_in

_HOME = "/settings"
_TOKEN_DAYS = (30, 90, 365)
_THEME_LIVES_S = 400 * 86_400


class SettingsPages(Controller):
    """One's own account."""

    path = _HOME
    guards = (signed_in,)

    @get()
    async def show(self, request: WebRequest) -> Template:
        """Show all of it."""
        return await self._show(request)

    @post("/password")
    async def password(self, request: WebRequest, data: Form) -> Template | Redirect:
        """Set another password; other browsers are signed out."""
        try:
            opened = await passwords.change_password(
                app_of(request).identity,
                _me(request),
                current=data.get("current", ""),
                password=data.get("password", ""),
            )
        except (InvalidParameter, IdentityError) as error:
            return await self._show(request, password_form=forms.refused(data, error))
        response = redirect(_HOME, Flash.PASSWORD_CHANGED)
        response.cookies.append(session_cookie(app_of(request), opened))
        return response

    @post("/email")
    async def email(self, request: WebRequest, data: Form) -> Template:
        """Send a link to another address, which counts once it is confirmed."""
        app = app_of(request)
        try:
            async with evenly(app.clock):
                email = await leaving.change_email(
                    app.identity,
                    _me(request),
                    password=data.get("current", ""),
                    email=data.get("email", ""),
                    client=client_of(request),
                )
        except (InvalidParameter, IdentityError) as error:
            return await self._show(request, email_form=forms.refused(data, error))
        return await page(
            request, "accounts/mail_sent.html", email=email, link=await link_for(app, email), form=forms.EMPTY
        )

    @post("/preferences")
    async def prefer(self, request: WebRequest, data: Form) -> Template | Redirect:
        """Store how pages look, and what is told by which way."""
        app, user = app_of(request), _me(request).user
        try:
            wanted = await preferences.prefer(app.identity, user.id, _changes(data))
        except InvalidParameter as error:
            return await self._show(request, preferences_form=forms.refused(data, error))
        response = redirect(_HOME, Flash.SAVED)
        response.set_cookie(key="theme", value=wanted.theme.value, max_age=_THEME_LIVES_S, samesite="lax")
        return response

    @post("/sessions/end-others")
    async def end_others(self, request: WebRequest) -> Redirect:
        """Sign all other browsers out."""
        await sessions.revoke_others(app_of(request).identity, _me(request))
        return redirect(_HOME, Flash.SESSIONS_ENDED)

    @post("/sessions/{session_id:str}/end")
    async def end(self, request: WebRequest, session_id: FromPath[str]) -> Redirect:
        """Sign a browser out."""
        await sessions.revoke(app_of(request).identity, _me(request).user.id, SessionId(session_id))
        return redirect(_HOME, Flash.SESSION_ENDED)

    @post("/tokens")
    async def make_token(self, request: WebRequest, data: Form) -> Template:
        """Make an API token, and show it, this once."""
        app = app_of(request)
        try:
            made = await api_tokens.make_token(
                app.identity,
                _me(request).user.id,
                name=data.get("name", ""),
                scope=_scope(data.get("scope", "")),
                expires_at=_expiry(data.get("days", ""), app.clock.now()),
            )
        except (InvalidParameter, IdentityError, Conflict) as error:
            return await self._show(request, token_form=forms.refused(data, error))
        return await self._show(request, new_token=made)

    @post("/tokens/{token_id:str}/revoke")
    async def revoke_token(self, request: WebRequest, token_id: FromPath[str]) -> Redirect:
        """Take an API token back."""
        await api_tokens.revoke_token(app_of(request).identity, _me(request).user.id, ApiTokenId(token_id))
        return redirect(_HOME, Flash.SAVED)

    @post("/delete")
    async def delete(self, request: WebRequest, data: Form) -> Template | Redirect:
        """Delete the account, or begin to: bots that trade are stopped first."""
        app = app_of(request)
        try:
            left = await leaving.delete_account(
                app.identity,
                _me(request),
                password=data.get("current", ""),
                open_deals=_deals(data),
                is_selling=app.shop is not None,
            )
        except (InvalidParameter, IdentityError, LastAdministrator) as error:
            return await self._show(request, delete_form=forms.refused(data, error))
        if left is Left.STOPPING:
            if app.engine is not None:
                app.engine.poke()
            return redirect(_HOME, Flash.ACCOUNT_STOPPING)
        response = redirect("/", Flash.ACCOUNT_DELETED)
        response.cookies.append(no_session(app))
        return response

    async def _show(self, request: WebRequest, **context: Any) -> Template:
        means, me = app_of(request).identity, _me(request)
        wrong = next((it for it in context.values() if isinstance(it, FormState)), forms.EMPTY)
        usual = dict.fromkeys(
            ("password_form", "email_form", "preferences_form", "token_form", "delete_form"), forms.EMPTY
        )
        return await page(
            request,
            "settings/show.html",
            **{
                "status": wrong.status,
                "me": me,
                "sessions": await sessions.sessions_of(means, me.user.id),
                "tokens": await api_tokens.tokens_of(means, me.user.id),
                "preferences": await preferences.preferences_of(means, me.user.id),
                "time_zones": sorted(preferences.time_zones()),
                "occasions": tuple(Occasion),
                "themes": tuple(Theme),
                "scopes": tuple(Scope),
                "token_days": _TOKEN_DAYS,
                "new_token": None,
                **usual,
                **context,
            },
        )


def _me(request: WebRequest) -> SignedIn:
    assert request.auth is not None  # noqa: S101  # the guard has looked
    return request.auth


def _changes(data: Form) -> Changes:
    digits = data.get("currency_digits", "")
    shows_all = digits == "all"
    return Changes(
        theme=_one_of(Theme, "theme", data.get("theme", "")),
        currency_digits=None if shows_all or not digits else _number("currency_digits", digits),
        shows_all_digits=shows_all,
        time_zone=data.get("time_zone") or None,
        display_currency=data.get("display_currency", "").strip().upper() or None,
        told={it: Channels(in_page=f"page_{it.value}" in data, by_mail=f"mail_{it.value}" in data) for it in Occasion},
    )


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise InvalidParameter(name, None, "must be a whole number")
    return int(text[:9])


def _one_of(kind: type[Any], name: str, text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise InvalidParameter(name, None, "must be one of the choices") from None


def _scope(text: str) -> Scope:
    scope: Scope = _one_of(Scope, "scope", text)
    return scope


def _deals(data: Form) -> OpenDeals:
    deals: OpenDeals = _one_of(OpenDeals, "open_deals", data.get("open_deals", OpenDeals.REFUSE.value))
    return deals


def _expiry(days: str, now: datetime.datetime) -> datetime.datetime | None:
    if days in {"", "never"}:
        return None
    if days not in {str(it) for it in _TOKEN_DAYS}:
        raise InvalidParameter("days", None, "must be one of the choices")
    return now + datetime.timedelta(days=int(days))
