"""A forgotten password."""

from __future__ import annotations

from litestar import Controller, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dcacore.application.identity import passwords
from dcacore.application.identity.refusals import IdentityError, LinkUnusable
from dcacore.domain.errors import InvalidParameter
from dcaweb import forms
from dcaweb.demo_mail import link_for
from dcaweb.failures import sentence
from dcaweb.flash import Flash, redirect
from dcaweb.forms import Form, FormState
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of, client_of
from dcaweb.security.evenly import evenly


class Passwords(Controller):
    """The way back in."""

    @get("/forgot-password")
    async def form(self, request: WebRequest) -> Template:
        """Show the form."""
        return await page(request, "accounts/forgot.html", form=forms.EMPTY)

    @post("/forgot-password")
    async def forgot(self, request: WebRequest, data: Form) -> Template:
        """Send a link; the answer is the same whether or not anybody has the address."""
        app, email = app_of(request), data.get("email", "")
        try:
            async with evenly(app.clock):
                await passwords.forgot(app.identity, email=email, client=client_of(request))
        except (InvalidParameter, IdentityError) as error:
            form = forms.refused(data, error)
            return await page(request, "accounts/forgot.html", status=form.status, form=form)
        link = await link_for(app, email)
        return await page(request, "accounts/reset_sent.html", email=email, link=link)

    @get("/reset-password/{secret:str}")
    async def ask(self, request: WebRequest, secret: FromPath[str]) -> Template:
        """Show the form for another password."""
        return await self._form(request, secret, forms.EMPTY)

    @post("/reset-password/{secret:str}")
    async def reset(self, request: WebRequest, secret: FromPath[str], data: Form) -> Template | Redirect:
        """Set another password."""
        try:
            await passwords.reset(
                app_of(request).identity, secret, password=data.get("password", ""), client=client_of(request)
            )
        except InvalidParameter as error:
            return await self._form(request, secret, forms.refused(data, error))
        except IdentityError as error:
            return await self._unusable(request, error)
        return redirect("/login", Flash.PASSWORD_RESET)

    async def _form(self, request: WebRequest, secret: str, form: FormState) -> Template:
        try:
            link = await passwords.look_at_reset(app_of(request).identity, secret)
        except LinkUnusable as error:
            return await self._unusable(request, error)
        return await page(request, "accounts/reset.html", status=form.status, link=link, secret=secret, form=form)

    async def _unusable(self, request: WebRequest, error: IdentityError) -> Template:
        detail = sentence(str(error))
        return await page(request, "accounts/unusable.html", status=410, detail=detail, again="/forgot-password")
