"""Signing in and out."""

from __future__ import annotations

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from dcacore.application.identity import logging_in, sessions
from dcacore.application.identity.refusals import IdentityError, NotVerified
from dcaweb import forms
from dcaweb.flash import Flash, redirect
from dcaweb.forms import Form, FormState
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of, client_of, local_path, signed_in_of
from dcaweb.security.people import cookie_name, no_session, session_cookie

_HOME = "/dashboard"


class SigningIn(Controller):
    """The way in, and the way out."""

    @get("/login")
    async def form(self, request: WebRequest) -> Template | Redirect:
        """Show the form."""
        onwards = local_path(request.query_params.get("next"), _HOME)
        if signed_in_of(request) is not None:
            return redirect(onwards)
        return await self._form(request, onwards)

    @post("/login")
    async def login(self, request: WebRequest, data: Form) -> Template | Redirect:
        """Let somebody in, by a new session."""
        app = app_of(request)
        onwards = local_path(data.get("next"), _HOME)
        try:
            opened = await logging_in.login(
                app.identity,
                email=data.get("email", ""),
                password=data.get("password", ""),
                client=client_of(request),
                old_session=request.cookies.get(cookie_name(app)),
            )
        except IdentityError as error:
            is_unconfirmed = isinstance(error, NotVerified)
            return await self._form(request, onwards, forms.refused(data, error), is_unconfirmed=is_unconfirmed)
        response = redirect(onwards, Flash.WELCOME)
        response.cookies.append(session_cookie(app, opened))
        return response

    @post("/logout")
    async def logout(self, request: WebRequest) -> Redirect:
        """End the session."""
        app = app_of(request)
        await sessions.logout(app.identity, request.cookies.get(cookie_name(app), ""))
        response = redirect("/login", Flash.SIGNED_OUT)
        response.cookies.append(no_session(app))
        return response

    async def _form(
        self, request: WebRequest, onwards: str, form: FormState = forms.EMPTY, *, is_unconfirmed: bool = False
    ) -> Template:
        return await page(
            request,
            "accounts/login.html",
            status=form.status,
            form=form,
            onwards=onwards,
            is_unconfirmed=is_unconfirmed,
        )
