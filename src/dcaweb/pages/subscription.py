"""A user's plan: what it allows, what is paid, how to get another one, and which bots go on with a smaller one."""

from __future__ import annotations

from collections.abc import Awaitable
from decimal import Decimal
from http import HTTPStatus
from typing import Final, TypeVar

import attrs
from litestar import Controller, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dcacore.application.billing import buying, lapsing
from dcacore.application.billing.means import BillingMeans
from dcacore.application.identity import throttling
from dcacore.application.overview import allowed
from dcacore.application.refusals import NotFound, UseCaseError
from dcacore.domain.entitlement import Standing
from dcacore.domain.entitlement import Subscription as SoldSubscription
from dcacore.domain.errors import NotNow
from dcacore.ports.billing import CheckoutState, Payment, PaymentState
from dcacore.ports.errors import PortError, Rejected, StoreError
from dcacore.ports.records import Tier
from dcaweb.flash import Flash, redirect
from dcaweb.forms import Form
from dcaweb.pages.asked import Refusal, sent, told
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of, client_of
from dcaweb.security.people import me, signed_in

HOME: Final = "/subscription"
_UNREACHABLE: Final = "Billing cannot be reached at the moment. Nothing was changed; try again in a minute."
_NONE_STARTS: Final = Refusal(
    text="None of them is started from here: your plan carries no more, it was stopped, or it trades real money and"
    " its own page asks first.",
    status=HTTPStatus.CONFLICT,
)
_ASKED: Final = 40
"""How often a page asks how a purchase stands before it says that it takes longer; every three seconds."""

T = TypeVar("T")


_WORDS: Final = {
    PaymentState.PAID: "paid",
    PaymentState.REFUNDED: "given back",
    PaymentState.PARTIALLY_REFUNDED: "given back in part",
    PaymentState.VOID: "void",
    PaymentState.OTHER: "unknown",
}


@attrs.frozen
class PaymentView:
    """A payment as it is shown.

    Attributes:
        payment: the payment.
        total: what was charged.
        refunded: how much was given back; empty when nothing was.
        word: how it stands.
        may_have_invoice: whether one can be asked for.
    """

    payment: Payment
    total: str
    refunded: str
    word: str
    may_have_invoice: bool

    @classmethod
    def of(cls, payment: Payment) -> PaymentView:
        """Return *payment* as it is shown."""
        return cls(
            payment,
            money_text(payment.total, payment.currency),
            money_text(payment.refunded, payment.currency) if payment.refunded else "",
            _WORDS.get(payment.state, "on its way"),
            payment.state in {PaymentState.PAID, PaymentState.REFUNDED, PaymentState.PARTIALLY_REFUNDED},
        )


def money_text(hundredths: int, currency: str) -> str:
    """Return an amount of money as it is shown."""
    return f"{Decimal(hundredths).scaleb(-2):.2f} {currency.upper()}"


class BillingFailed(UseCaseError):
    """Billing has not done what it was asked; the text is for the user."""


class Subscription(Controller):
    """A user's plan."""

    path = HOME
    guards = (signed_in,)

    @get()
    async def show(self, request: WebRequest) -> Template:
        """Show the plan, and what the others allow."""
        return await self._show(request)

    @get("/payments")
    async def payments(self, request: WebRequest) -> Template:
        """Show what was charged, as a part of the page: billing is asked for it, and may take its time."""
        found, failure = tuple[Payment, ...](), ""
        try:
            if app_of(request).shop is not None:
                found = await _asked(buying.payments(await _means(request), me(request).id))
        except BillingFailed as error:
            failure = str(error)
        shown = [PaymentView.of(it) for it in found]
        return await page(request, "subscription/_payments.html", payments=shown, failure=failure)

    @post("/buy")
    async def buy(self, request: WebRequest) -> Template:
        """Begin a purchase, and lead to the page on which it is paid."""
        means = await _means(request)
        address = client_of(request).address
        return await self._led(request, buying.buy(means, me(request).id, address=address), "the page for the payment")

    @post("/manage")
    async def manage(self, request: WebRequest) -> Template:
        """Lead to the page of billing on which cards and addresses are changed."""
        means = await _means(request)
        return await self._led(request, buying.manage(means, me(request).id), "your page at the payment service")

    @post("/cancel")
    async def cancel(self, request: WebRequest) -> Template | Redirect:
        """Let the subscription end with what is paid."""
        return await self._ending(request, ends=True)

    @post("/renew")
    async def renew(self, request: WebRequest) -> Template | Redirect:
        """Let it be renewed after all."""
        return await self._ending(request, ends=False)

    @post("/payments/{payment_id:str}/invoice")
    async def invoice(self, request: WebRequest, payment_id: FromPath[str]) -> Template:
        """Lead to an invoice."""
        means = await _means(request)
        try:
            url = await _asked(buying.invoice(means, me(request).id, payment_id))
        except (BillingFailed, NotNow) as error:
            return await self._show(request, Refusal.of(error))
        if url is None:
            text = "The invoice is being made. Ask for it again in a minute."
            return await self._show(request, Refusal(text=text, status=HTTPStatus.CONFLICT))
        return await _leading(request, url, "the invoice")

    @post("/stay")
    async def stay(self, request: WebRequest, data: Form) -> Template | Redirect:
        """Let this bot be the one that goes on with a smaller plan."""
        app = app_of(request)
        try:
            asks = await lapsing.let_go_on(*app.means, user_id=me(request).id, bot=data.get("bot", ""))
        except (NotFound, NotNow) as error:
            return await self._show(request, Refusal.of(error))
        return await sent(request, asks[::-1], HOME) if asks else redirect(HOME, Flash.SAVED)

    @post("/resume")
    async def resume(self, request: WebRequest) -> Template | Redirect:
        """Start the bots that pause for the plan, as far as it carries them."""
        asks = await lapsing.resume(*app_of(request).means, user_id=me(request).id)
        return await sent(request, asks, HOME) if asks else await self._show(request, _NONE_STARTS)

    async def _ending(self, request: WebRequest, *, ends: bool) -> Template | Redirect:
        try:
            await _asked(buying.set_ending(await _means(request), me(request).id, ends=ends))
        except (BillingFailed, NotNow) as error:
            return await self._show(request, Refusal.of(error))
        return redirect(HOME, Flash.PLAN_ENDS if ends else Flash.PLAN_GOES_ON)

    async def _led(self, request: WebRequest, url: Awaitable[str], name: str) -> Template:
        try:
            return await _leading(request, await _asked(url), name)
        except (BillingFailed, NotNow) as error:
            return await self._show(request, Refusal.of(error))

    async def _show(self, request: WebRequest, refusal: Refusal | None = None) -> Template:
        app = app_of(request)
        plan = await buying.plan_of(app.store, app.clock, me(request).id, app.selling)
        return await page(
            request,
            "subscription/show.html",
            status=200 if refusal is None else refusal.status,
            plan=plan,
            subscription=plan.bought.subscription,
            price="" if plan.bought.subscription is None else _price(plan.bought.subscription),
            standing=plan.bought.standing,
            standings=Standing,
            tiers=Tier,
            used=len(plan.bots),
            allowed=allowed(plan.user.tier),
            free_bots=allowed(Tier.FREE),
            pro_bots=allowed(Tier.PRO),
            is_selling=app.shop is not None,
            refusal=refusal,
            **await told(request),
        )


def _price(subscription: SoldSubscription) -> str:
    return money_text(subscription.amount, subscription.currency)


class BillingReturn(Controller):
    """Where somebody comes back to who has bought; that proves nothing."""

    path = "/billing/done"
    guards = (signed_in,)

    @get()
    async def show(self, request: WebRequest) -> Template:
        """Show that the purchase is being confirmed, until it is."""
        return await self._show(request, "subscription/done.html")

    @get("/part")
    async def show_part(self, request: WebRequest) -> Template:
        """Show the same as a part of the page that asks again."""
        return await self._show(request, "subscription/_done.html")

    async def _show(self, request: WebRequest, template: str) -> Template:
        checkout = request.query_params.get("checkout_id", "")
        state, tier, failure = None, me(request).tier, ""
        if app_of(request).shop is not None and checkout:
            try:
                found = await _asked(buying.come_back(await _means(request), me(request).id, checkout))
                state, tier = found.state, found.tier
            except BillingFailed as error:
                failure = str(error)
        times = request.query_params.get("times", "")
        asked = int(times) if times.isdecimal() and len(times) < len(str(_ASKED)) + 1 else 0
        return await page(
            request,
            template,
            checkout=checkout,
            state=state,
            states=CheckoutState,
            is_pro=tier is Tier.PRO and state is not None,
            is_known=state is not None or failure != "",
            has_failed=state in {CheckoutState.FAILED, CheckoutState.EXPIRED},
            times=asked + 1,
            is_late=asked >= _ASKED,
        )


async def _means(request: WebRequest) -> BillingMeans:
    """Return what billing is asked with.

    Raises:
        NotNow: there is no billing here.
        TooManyTries: the user has had it asked too often of late.
    """
    app = app_of(request)
    if app.shop is None:
        raise NotNow("billing is off here: an administrator gives plans")
    await throttling.count(app.identity, (throttling.BILLING_BY_USER, me(request).id))
    return app.shop.means


async def _asked(answer: Awaitable[T]) -> T:
    """Return what billing answers.

    Raises:
        BillingFailed: it does not, or says no; in words for the user.
    """
    try:
        return await answer
    except StoreError:
        raise
    except Rejected as error:
        raise BillingFailed(f"Billing does not do that: {error.reason}") from error
    except PortError as error:
        raise BillingFailed(_UNREACHABLE) from error


async def _leading(request: WebRequest, url: str, name: str) -> Template:
    """Return a page that leads on at once; a form may only be answered by this site itself."""
    answer = await page(request, "subscription/leading.html", url=url, name=name)
    answer.headers["Refresh"] = f"0; url={url}"
    return answer
