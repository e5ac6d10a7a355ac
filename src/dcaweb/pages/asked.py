"""What a user has asked of bots: sent on its way at once, and what came of it shown on the page that comes next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import attrs
from litestar import Controller, get
from litestar.response import Redirect, Template

from dcacore.application.asked import Asked, asked
from dcacore.application.refusals import PlanLimitReached
from dcacore.domain.errors import DcaError
from dcacore.domain.ids import RequestId
from dcacore.ports.records import Request, RequestKind
from dcaweb.failures import sentence, status_of
from dcaweb.flash import redirect
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me, signed_in

PATIENCE_S: Final = 2.0
"""How long the browser is kept waiting for an engine before the page comes back; the page goes on asking."""

_DONE: Final = {
    RequestKind.START: "is started",
    RequestKind.PAUSE: "is paused: its open deal goes on, and no new one begins",
    RequestKind.STOP: "is stopping",
    RequestKind.RETRY: "tries again",
    RequestKind.CLOSE_DEAL: "sells what its deal holds, at market",
    RequestKind.CANCEL_DEAL: "ends its deal; the coins are kept",
    RequestKind.CLOSE_AS_SOLD: "has ended its deal as sold by hand",
    RequestKind.ADD_FUNDS: "buys more, at market",
    RequestKind.EDIT_DEAL: "has changed its deal",
    RequestKind.EDIT_BOT: "has its new parameters, from the next deal on",
}
_ASKED: Final = {
    RequestKind.START: "start",
    RequestKind.PAUSE: "pause",
    RequestKind.STOP: "stop",
    RequestKind.RETRY: "try again",
    RequestKind.CLOSE_DEAL: "close its deal at market",
    RequestKind.CANCEL_DEAL: "cancel its deal",
    RequestKind.CLOSE_AS_SOLD: "close its deal as sold",
    RequestKind.ADD_FUNDS: "buy more",
    RequestKind.EDIT_DEAL: "change its deal",
    RequestKind.EDIT_BOT: "take new parameters",
}


@attrs.frozen
class Answer:
    """What came of something that was asked.

    Attributes:
        kind: good, error or waiting.
        text: a sentence.
    """

    kind: str
    text: str


@attrs.frozen(kw_only=True)
class Refusal:
    """Why something was not even asked.

    Attributes:
        text: a sentence.
        status: HTTP's.
        may_upgrade: whether a larger plan would allow it.
    """

    text: str
    status: HTTPStatus
    may_upgrade: bool = False

    @classmethod
    def of(cls, error: DcaError) -> Refusal:
        """Return what *error* says."""
        upgrade = isinstance(error, PlanLimitReached)
        return cls(text=sentence(str(error)), status=status_of(error), may_upgrade=upgrade)


class AskedPages(Controller):
    """What came of what was asked, as a part of a page that asks for it again."""

    path = "/asked"
    guards = (signed_in,)

    @get()
    async def show(self, request: WebRequest) -> Template:
        """Show how it stands."""
        return await page(request, "bots/_asked.html", **await told(request))


async def sent(request: WebRequest, asks: Sequence[Request], back: str) -> Redirect:
    """Give the engine a moment to carry out *asks*; return the way back to a page that shows what came of them."""
    app = app_of(request)
    for one in asks[:1]:  # the engine takes all that wait; the page says how each of them stands
        await app.wait_for(one, timeout_s=PATIENCE_S)
    ids = quote(",".join(one.id for one in asks), safe=",")
    return redirect(f"{back}?asked={ids}" if asks else back)


async def told(request: WebRequest) -> dict[str, Any]:
    """Return for a page what came of what its address names."""
    ids = [it for it in request.query_params.get("asked", "").split(",") if it]
    found = await asked(app_of(request).store, me(request).id, [RequestId(it) for it in ids]) if ids else ()
    return {
        "answers": [answer(it) for it in found],
        "asked_ids": ",".join(it.outcome.request.id for it in found),
        "is_asked_waiting": _is_waiting(found),
    }


def _is_waiting(found: Iterable[Asked]) -> bool:
    return any(not it.outcome.is_settled for it in found)


def answer(it: Asked) -> Answer:
    """Return in a sentence what came of it."""
    request, name = it.outcome.request, it.bot.name
    if it.outcome.is_settled and request.refusal:
        return Answer("error", f"{name} was asked to {_ASKED[request.kind]}, and does not: {sentence(request.refusal)}")
    if it.outcome.is_settled:
        return Answer("good", f"{name} {_DONE[request.kind]}.")
    if it.outcome.is_engine_alive:
        return Answer("waiting", f"{name} was asked to {_ASKED[request.kind]}: an engine is about to do it.")
    text = "no engine runs now. It is kept, and done as soon as one does"
    return Answer("waiting", f"{name} was asked to {_ASKED[request.kind]}, but {text}.")
