"""Coming: to register, and to confirm the address."""

from __future__ import annotations

from litestar import Controller, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dcacore.application.identity import registering
from dcacore.application.identity.refusals import IdentityError, LinkUnusable
from dcacore.domain.errors import InvalidParameter
from dcacore.ports.identity import LinkKind, Registration
from dcaweb import forms
from dcaweb.demo_mail import link_for
from dcaweb.failures import sentence
from dcaweb.flash import Flash, redirect
from dcaweb.forms import Form, FormState
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of, client_of, signed_in_of


class Coming(Controller):
    """Registering, and confirming an address."""

    @get("/register")
    async def form(self, request: WebRequest) -> Template | Redirect:
        """Show the form."""
        if signed_in_of(request) is not None:
            return redirect("/dashboard")
        return await self._form(request)

    @post("/register")
    async def register(self, request: WebRequest, data: Form) -> Template:
        """Begin an account; the answer is the same whether or not the address has one."""
        app = app_of(request)
        try:
            email = await registering.register(
                app.identity,
                email=data.get("email", ""),
                password=data.get("password", ""),
                client=client_of(request),
            )
        except (InvalidParameter, IdentityError) as error:
            return await self._form(request, forms.refused(data, error))
        return await self._sent(request, email)

    @post("/verify-email/resend")
    async def resend(self, request: WebRequest, data: Form) -> Template:
        """Send the link once more."""
        email = data.get("email", "")
        try:
            await registering.resend(app_of(request).identity, email=email, client=client_of(request))
        except IdentityError as error:
            return await page(request, "accounts/mail_sent.html", email=email, form=forms.refused(data, error))
        return await self._sent(request, email)

    @get("/verify-email/{secret:str}")
    async def ask(self, request: WebRequest, secret: FromPath[str]) -> Template:
        """Show the button that confirms: whatever looks into mails follows links, and must use nothing up."""
        try:
            link = await registering.look_at_verification(app_of(request).identity, secret)
        except LinkUnusable as error:
            return await self._unusable(request, error)
        return await page(request, "accounts/verify.html", link=link, secret=secret)

    @post("/verify-email/{secret:str}")
    async def verify(self, request: WebRequest, secret: FromPath[str]) -> Template | Redirect:
        """Confirm the address."""
        means = app_of(request).identity
        try:
            link = await registering.look_at_verification(means, secret)
            await registering.verify(means, secret)
        except IdentityError as error:
            return await self._unusable(request, error)
        if signed_in_of(request) is not None:
            return redirect("/settings", Flash.ADDRESS_CHANGED)
        return redirect("/login", Flash.VERIFIED if link.kind is LinkKind.VERIFY else Flash.ADDRESS_CHANGED)

    async def _form(self, request: WebRequest, form: FormState = forms.EMPTY) -> Template:
        may_register = app_of(request).settings.registration is Registration.OPEN
        return await page(request, "accounts/register.html", status=form.status, form=form, may_register=may_register)

    async def _sent(self, request: WebRequest, email: str) -> Template:
        link = await link_for(app_of(request), email)
        return await page(request, "accounts/mail_sent.html", email=email, link=link, form=forms.EMPTY)

    async def _unusable(self, request: WebRequest, error: IdentityError) -> Template:
        return await page(request, "accounts/unusable.html", status=410, detail=sentence(str(error)), again="/login")
