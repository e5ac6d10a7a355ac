"""What a user lets bots do."""

from __future__ import annotations

from litestar import Controller, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dcacore.application import asking, bots
from dcacore.application.refusals import NotConfirmed, NotFound, UseCaseError
from dcacore.domain.errors import DcaError, InvalidParameter, NotNow
from dcacore.ports.errors import Conflict
from dcacore.ports.records import RequestKind
from dcaweb.flash import Flash, redirect
from dcaweb.forms import Form
from dcaweb.pages.asked import Refusal, sent
from dcaweb.pages.bots import HOME, bots_page, one_bot_page
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me, signed_in

ANSWERED = (UseCaseError, NotNow, InvalidParameter, Conflict)
"""Refusals that are shown on the page from where something was asked."""


class BotActions(Controller):
    """What a user lets bots do; each is a form of the list or of the bot's page."""

    path = HOME
    guards = (signed_in,)

    @post("/{bot_id:str}/start")
    async def start(self, request: WebRequest, bot_id: FromPath[str], data: Form) -> Template | Redirect:
        """Ask it to start; where real money is at stake for the first time, that is confirmed first."""
        try:
            return await self._ask(request, bot_id, data, RequestKind.START)
        except NotConfirmed:
            return redirect(f"{HOME}/{bot_id}/go-live")

    @post("/{bot_id:str}/pause")
    async def pause(self, request: WebRequest, bot_id: FromPath[str], data: Form) -> Template | Redirect:
        """Ask it to begin no further deal."""
        return await self._ask(request, bot_id, data, RequestKind.PAUSE)

    @post("/{bot_id:str}/stop")
    async def stop(self, request: WebRequest, bot_id: FromPath[str], data: Form) -> Template | Redirect:
        """Ask it to stop, and to keep or sell what its deal holds."""
        return await self._ask(request, bot_id, data, RequestKind.STOP, {"sell": sells(data)})

    @post("/{bot_id:str}/retry")
    async def retry(self, request: WebRequest, bot_id: FromPath[str], data: Form) -> Template | Redirect:
        """Ask it to go on after what was wrong."""
        return await self._ask(request, bot_id, data, RequestKind.RETRY)

    @post("/stop-all")
    async def stop_all(self, request: WebRequest, data: Form) -> Redirect:
        """Ask all bots to stop."""
        app = app_of(request)
        asks = await asking.stop_all(*app.means, user_id=me(request).id, sell=sells(data) == "true")
        return await sent(request, asks, HOME)

    @post("/{bot_id:str}/rename")
    async def rename(self, request: WebRequest, bot_id: FromPath[str], data: Form) -> Template | Redirect:
        """Give it another name."""
        store, name = app_of(request).store, data.get("name", "")
        try:
            await bots.rename(store, user_id=me(request).id, named=bot_id, name=name)
        except ANSWERED as error:
            return await answered(request, bot_id, data, error)
        return redirect(f"{HOME}/{bot_id}", Flash.SAVED)

    @post("/{bot_id:str}/delete")
    async def delete(self, request: WebRequest, bot_id: FromPath[str], data: Form) -> Template | Redirect:
        """Forget it, with all its history."""
        try:
            await bots.delete(app_of(request).store, user_id=me(request).id, named=bot_id)
        except ANSWERED as error:
            return await answered(request, bot_id, data, error)
        return redirect(HOME, Flash.BOT_DELETED)

    async def _ask(
        self, request: WebRequest, bot_id: str, data: Form, kind: RequestKind, details: dict[str, str] | None = None
    ) -> Template | Redirect:
        means, user = app_of(request).means, me(request)
        try:
            one = await asking.ask(*means, user_id=user.id, bot=bot_id, kind=kind, details=details)
        except NotConfirmed:
            raise
        except ANSWERED as error:
            return await answered(request, bot_id, data, error)
        return await sent(request, [one], HOME if data.get("back") == "list" else f"{HOME}/{bot_id}")


async def answered(request: WebRequest, bot_id: str, data: Form, error: DcaError) -> Template:
    """Return the page from where something was asked, with why it was refused.

    Raises:
        NotFound: that it is not there is all that there is to say.
    """
    if isinstance(error, NotFound):
        raise error
    if data.get("back") == "list":
        return await bots_page(request, Refusal.of(error))
    return await one_bot_page(request, bot_id, Refusal.of(error))


def sells(data: Form) -> str:
    """Return whether what is held is to be sold, as a request says it.

    Raises:
        InvalidParameter: the form does not say.
    """
    choice = data.get("coins", "")
    if choice not in {"sell", "keep"}:
        raise InvalidParameter("coins", None, "must be sold or kept: choose one")
    return "true" if choice == "sell" else "false"
