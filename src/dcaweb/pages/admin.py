"""For administrators: who is there, and how the machinery is doing."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

import structlog
from litestar import Controller, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dcacore.application import administering, users
from dcacore.application.identity import inviting, leaving
from dcacore.application.refusals import NotFound, UseCaseError
from dcacore.bootstrap.fittings import fittings
from dcacore.domain.errors import DcaError, InvalidParameter
from dcacore.domain.ids import UserId
from dcacore.ports.errors import Conflict
from dcacore.ports.identity import Registration
from dcacore.ports.records import Tier, User
from dcaweb import forms
from dcaweb.flash import Flash, redirect
from dcaweb.forms import Form, FormState
from dcaweb.paging import Pages, page_number
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import administrator, me

log = structlog.get_logger("dcaweb")

HOME: Final = "/admin"
_REFUSALS: Final = (InvalidParameter, UseCaseError, Conflict)


class Administration(Controller):
    """What administrators see and do; to everybody else it does not exist."""

    path = HOME
    guards = (administrator,)

    @get()
    async def index(self, request: WebRequest) -> Template:
        """Show who is there."""
        return await self._index(request)

    @post("/users")
    async def invite(self, request: WebRequest, data: Form) -> Template | Redirect:
        """Make a user, who gets a link by mail that sets the password."""
        try:
            made = await inviting.invite(
                app_of(request).identity,
                email=data.get("email", ""),
                tier=_tier(data),
                is_admin="is_admin" in data,
            )
        except _REFUSALS as error:
            return await self._index(request, forms.refused(data, error))
        self._note(request, made, "invited")
        self._poke(request)
        return redirect(f"{HOME}/users/{made.id}", Flash.USER_INVITED)

    @get("/health")
    async def health(self, request: WebRequest) -> Template:
        """Show how engines, ways to exchanges, mail and database are doing."""
        app = app_of(request)
        return await page(
            request,
            "admin/health.html",
            it=await administering.machinery(app.store, app.clock),
            fittings=await fittings(app),
        )

    @get("/users/{user_id:str}")
    async def user(self, request: WebRequest, user_id: FromPath[str]) -> Template:
        """Show one of the users."""
        return await self._user(request, user_id)

    @post("/users/{user_id:str}/tier")
    async def set_tier(self, request: WebRequest, user_id: FromPath[str], data: Form) -> Template | Redirect:
        """Give a user another tier."""
        user = await self._found(request, user_id)
        try:
            app = app_of(request)
            changed = await users.set_tier(*app.means, email=user.email, tier=_tier(data), selling=app.selling)
        except _REFUSALS as error:
            return await self._refused(request, user_id, error)
        return self._done(request, changed, f"given {changed.given_tier.value}, has {changed.tier.value}")

    @post("/users/{user_id:str}/admin")
    async def set_admin(self, request: WebRequest, user_id: FromPath[str], data: Form) -> Template | Redirect:
        """Let a user administer others, or not any more."""
        user, may = await self._found(request, user_id), data.get("is_admin") == "yes"
        try:
            changed = await users.set_admin(app_of(request).store, email=user.email, is_admin=may)
        except _REFUSALS as error:
            return await self._refused(request, user_id, error)
        done = self._done(request, changed, "administrator" if may else "no administrator")
        return redirect("/dashboard", Flash.SAVED) if changed.id == me(request).id and not may else done

    @post("/users/{user_id:str}/verify")
    async def verify(self, request: WebRequest, user_id: FromPath[str]) -> Redirect:
        """Note that the address is the user's."""
        app, user = app_of(request), await self._found(request, user_id)
        return self._done(request, await users.verify(app.store, app.clock, email=user.email), "verified")

    @post("/users/{user_id:str}/password-link")
    async def password_link(self, request: WebRequest, user_id: FromPath[str]) -> Redirect:
        """Send a link that sets a new password."""
        sent = await inviting.send_password_link(app_of(request).identity, UserId(user_id))
        self._note(request, sent, "password link sent")
        self._poke(request)
        return redirect(f"{HOME}/users/{user_id}", Flash.PASSWORD_LINK_SENT)

    @post("/users/{user_id:str}/sign-out")
    async def sign_out(self, request: WebRequest, user_id: FromPath[str]) -> Redirect:
        """End all sessions and API tokens of a user."""
        user = await self._found(request, user_id)
        signed_out = await users.sign_out(app_of(request).store, email=user.email)
        self._note(request, signed_out, "signed out")
        return redirect(f"{HOME}/users/{user_id}", Flash.USER_SIGNED_OUT)

    @post("/users/{user_id:str}/remove")
    async def remove(self, request: WebRequest, user_id: FromPath[str], data: Form) -> Template | Redirect:
        """Forget a user with everything, if nothing of the user's trades."""
        user = await self._found(request, user_id)
        try:
            if user.id == me(request).id:
                raise InvalidParameter("word", None, "is not asked for here: delete your own account in the settings")
            if data.get("word", "").strip() != user.email:
                raise InvalidParameter("word", None, "must be the address of the user")
            await leaving.remove_user(app_of(request).store, user.id, is_selling=app_of(request).shop is not None)
        except _REFUSALS as error:
            return await self._refused(request, user_id, error)
        self._note(request, user, "removed")
        return redirect(HOME, Flash.USER_REMOVED)

    async def _index(self, request: WebRequest, form: FormState = forms.EMPTY) -> Template:
        app, text, number = app_of(request), request.query_params.get("text", ""), page_number(request)
        found = await administering.directory(
            app.store, text=text, skip=(number - 1) * administering.PAGE, limit=administering.PAGE
        )
        return await page(
            request,
            "admin/index.html",
            status=form.status,
            found=found,
            pages=Pages(number=number, per_page=administering.PAGE, total=found.total),
            text=text,
            here=f"{HOME}?{urlencode({'text': text})}&" if text.isprintable() and text else f"{HOME}?",
            form=form,
            tiers=tuple(Tier),
            default_tier=app.settings.default_tier,
            is_open=app.settings.registration is Registration.OPEN,
        )

    async def _user(self, request: WebRequest, user_id: str, form: FormState = forms.EMPTY) -> Template:
        found = await administering.user_view(app_of(request).store, UserId(user_id))
        user = found.line.user
        context: dict[str, Any] = {"it": found, "user": user, "is_me": user.id == me(request).id}
        return await page(
            request, "admin/user.html", status=form.status, form=form, tiers=tuple(Tier), home=HOME, **context
        )

    async def _found(self, request: WebRequest, user_id: str) -> User:
        return (await administering.user_view(app_of(request).store, UserId(user_id))).line.user

    async def _refused(self, request: WebRequest, user_id: str, error: DcaError) -> Template:
        if isinstance(error, NotFound):
            raise error
        return await self._user(request, user_id, forms.refused({}, error))

    def _done(self, request: WebRequest, user: User, what: str) -> Redirect:
        self._note(request, user, what)
        return redirect(f"{HOME}/users/{user.id}", Flash.SAVED)

    def _note(self, request: WebRequest, user: User, what: str) -> None:
        log.info("user_administered", what=what, user=user.id, administrator=me(request).id)

    def _poke(self, request: WebRequest) -> None:
        courier = app_of(request).courier
        if courier is not None:
            courier.poke()


def _tier(data: Form) -> Tier:
    try:
        return Tier(data.get("tier", ""))
    except ValueError:
        raise InvalidParameter("tier", None, "must be one of the choices") from None
