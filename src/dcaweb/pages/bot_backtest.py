"""A backtest of a bot that is still being typed, by one click."""

from __future__ import annotations

from typing import Final

from litestar import Controller, post
from litestar.response import Template

from dcacore.application import drafts
from dcacore.domain.errors import InvalidParameter, NotNow
from dcacore.ports.errors import PortError
from dcaweb.drafting import now_of, told_of
from dcaweb.failures import sentence
from dcaweb.forms import Form
from dcaweb.pages.backtest import begin_backtest
from dcaweb.pages.bot_new import HOME
from dcaweb.rendering import page
from dcaweb.requests import WebRequest
from dcaweb.security.people import signed_in

DAYS: Final = {"7": 7, "30": 30, "90": 90}
"""Over how many of the last days a bot may be played."""
_NAME: Final = "new bot"


class BotBacktest(Controller):
    """What a bot that is not made yet would have done."""

    path = f"{HOME}/backtest"
    guards = (signed_in,)

    @post(status_code=200)
    async def begin(self, request: WebRequest, data: Form) -> Template:
        """Begin it, and show how far it is, or why it cannot be played."""
        now = await now_of(request, data)
        draft = drafts.read({**data, "price": ""}, now)
        run, failure = None, ""
        try:
            bot, market = drafts.settled(draft, data.get("name", "").strip() or now.pair or _NAME)
            days = DAYS.get(data.get("days", ""), DAYS["30"])
            run = await begin_backtest(request, bot, market, now.account.environment, days=days)
        except InvalidParameter as error:
            failure = told_of(error)
        except (NotNow, PortError) as error:
            failure = sentence(str(error))
        return await page(request, "bots/_backtest.html", run=run, failure=failure)
