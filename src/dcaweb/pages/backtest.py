"""Backtests: ask for one, see how far it is and what came of it, compare several, make a bot of one."""

from __future__ import annotations

from typing import Any, Final

import attrs
from litestar import Controller, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dcacore import bootstrap
from dcacore.application import accounts, bots
from dcacore.application.refusals import NotFound, PlanLimitReached
from dcacore.domain.errors import InvalidParameter, NotNow
from dcacore.ports.backtests import BacktestRun
from dcacore.ports.errors import BadFile, Conflict
from dcacore.ports.identity import Preferences
from dcaweb import forms
from dcaweb.flash import Flash, redirect
from dcaweb.formats import Formats
from dcaweb.forms import Form, FormState
from dcaweb.pages import backtest_form, backtest_views
from dcaweb.pages.asked import Refusal
from dcaweb.pages.backtest_form import backtests_of, begin_backtest
from dcaweb.pages.backtest_views import RunView, run_view
from dcaweb.paging import Pages, page_number
from dcaweb.rendering import page, part
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me, signed_in

__all__ = ["BacktestPages", "begin_backtest"]

HOME: Final = "/backtest"
PAGE: Final = 25
FEWEST: Final = 2
MOST: Final = 4
"""How many are compared."""
_WHOLE: Final = "whole"
_DRAWN: Final = frozenset({"equity", "drawdown", "candles"})
_ANSWERED: Final = (BadFile, Conflict, InvalidParameter, NotFound, NotNow, PlanLimitReached)


class BacktestPages(Controller):
    """Backtests."""

    path = HOME
    guards = (signed_in,)

    @get()
    async def index(self, request: WebRequest) -> Template:
        """Show the form and the past ones; `bot` or `again` in the address fill the form in."""
        values = {**backtest_form.USUAL, "bot": request.query_params.get("bot", "")}
        if again := request.query_params.get("again", ""):
            values |= await self._again(request, again)
        return await self._index(request, FormState(values=values))

    @post()
    async def begin(self, request: WebRequest, data: Form) -> Template | Redirect:
        """Begin one."""
        try:
            order = await backtest_form.order_of(request, data, await backtest_form.choices(request))
            run = await backtests_of(request).begin(me(request).id, order)
        except BadFile as error:
            field = "file" if error.file == backtest_form.FILE or not data.get("pair") else "pair"
            return await self._index(request, forms.wrong_at(field, data, error))
        except NotFound as error:
            return await self._index(request, forms.wrong_at("bot", data, error))
        except (InvalidParameter, NotNow) as error:
            return await self._index(request, _placed(forms.refused(data, error), data))
        return redirect(f"{HOME}/{run.id}")

    @get("/compare")
    async def compare(self, request: WebRequest) -> Template:
        """Show several beside each other."""
        wanted = list(dict.fromkeys(request.query_params.getall("run", [])))
        if not FEWEST <= len(wanted) <= MOST:
            word = f"Tick {FEWEST} to {MOST} backtests that are done, to compare them."
            return await self._index(request, FormState(values=dict(backtest_form.USUAL), status=422), refusal=word)
        found = [await backtests_of(request).of(me(request).id, it) for it in wanted]
        if not all(it.figures for it in found):
            word = "Only backtests that are done can be compared."
            return await self._index(request, FormState(values=dict(backtest_form.USUAL), status=422), refusal=word)
        rows = backtest_views.compared(found)
        return await page(
            request,
            "backtest/compare.html",
            runs=[run_view(it) for it in found],
            differing=[it for it in rows if it.differs],
            same=[it for it in rows if not it.differs],
        )

    @get("/{run_id:str}")
    async def show(self, request: WebRequest, run_id: FromPath[str]) -> Template:
        """Show one: how far it is, or what came of it."""
        return await self._show(request, run_id)

    @get("/{run_id:str}/part")
    async def show_part(self, request: WebRequest, run_id: FromPath[str]) -> Template:
        """Show how far one is, as a part of a page that asks again until it has ended, and then its key figures."""
        view = await _view(request, run_id)
        is_whole = _WHOLE in request.query_params
        answer = part("backtest/_part.html", it=view, whole=is_whole, formats=await _formats(request))
        if is_whole and view.run.state.has_ended:
            answer.headers["HX-Refresh"] = "true"
        return answer

    @get("/{run_id:str}/drawn/{name:str}")
    async def drawn(self, request: WebRequest, run_id: FromPath[str], name: FromPath[str]) -> Response[dict[str, Any]]:
        """Return what one of its charts draws."""
        found = await backtests_of(request).drawings(me(request).id, run_id) if name in _DRAWN else None
        if found is None:
            raise NotFound("chart", name if name in _DRAWN else "of that name")
        return Response(found[name])

    @post("/{run_id:str}/delete")
    async def delete(self, request: WebRequest, run_id: FromPath[str]) -> Redirect:
        """Forget one; one that is under way ends."""
        await backtests_of(request).remove(me(request).id, run_id)
        return redirect(HOME, Flash.BACKTEST_DELETED)

    @post("/{run_id:str}/bot")
    async def make_bot(self, request: WebRequest, run_id: FromPath[str], data: Form) -> Template | Redirect:
        """Make a bot of what was played; it does nothing until it is started."""
        app, run = app_of(request), await backtests_of(request).of(me(request).id, run_id)
        bot_file = bootstrap.bot_of_text(run.name, run.bot)
        try:
            record = await bots.create(
                *app.means,
                user_id=me(request).id,
                account=data.get("account", ""),
                bot_file=bot_file,
                market=bootstrap.market_of(bot_file),
                name=data.get("name", "").strip(),
            )
        except _ANSWERED as error:
            return await self._show(request, run_id, Refusal.of(error))
        return redirect(f"/bots/{record.bot.id}", Flash.BOT_MADE)

    async def _again(self, request: WebRequest, run_id: str) -> dict[str, str]:
        run = await backtests_of(request).of(me(request).id, run_id)
        values = {
            "bot": "",
            "file": run.bot,
            "interval": run.interval,
            "path": run.path,
            "source": "" if run.environment is None else run.environment.value,
            "slippage": f"{run.slippage.scaleb(2):f}",
            "balance": "" if run.balance is None else f"{run.balance:f}",
        }
        if run.from_ms is None or run.to_ms is None:
            return values
        formats = await _formats(request)
        first, last = backtest_views.at(run.from_ms), backtest_views.at(run.to_ms - 1)  # the end is not played
        days = {"from": f"{formats.at(first):%Y-%m-%d}", "to": f"{formats.at(last):%Y-%m-%d}"}
        return {**values, "range": "own", **days}

    async def _index(self, request: WebRequest, form: FormState, refusal: str = "") -> Template:
        found = await backtests_of(request).all_of(me(request).id)
        return await page(
            request,
            "backtest/index.html",
            status=form.status,
            form=form,
            offered=await backtest_form.choices(request),
            ranges=backtest_form.RANGES,
            paths=backtest_form.PATHS,
            runs=[run_view(it, backtests_of(request).percent(it.id)) for it in found],
            refusal=refusal,
        )

    async def _show(self, request: WebRequest, run_id: str, refusal: Refusal | None = None) -> Template:
        view = await _view(request, run_id)
        report = await backtests_of(request).report(me(request).id, run_id) if view.figures else None
        number = page_number(request)
        total = len(report["deals"]) if report else 0
        return await page(
            request,
            "backtest/show.html",
            status=200 if refusal is None else refusal.status,
            it=view,
            deals=backtest_views.deal_rows(report, (number - 1) * PAGE, PAGE) if report else [],
            pages=Pages(number=number, per_page=PAGE, total=total),
            rest=backtest_views.rest(report) if report else None,
            terms=backtest_views.terms(view.run),
            parameter_groups=backtest_views.parameter_groups(view.run),
            accounts=await accounts.of(app_of(request).store, me(request).id),
            refusal=refusal,
        )


def _placed(form: FormState, data: Form) -> FormState:
    """Return the form with what is wrong with a parameter in the bot file at the file."""
    known = {"bot", "file", "pair", "source", "interval", "range", "from", "to", "path", "slippage", "balance", ""}
    if form.errors.keys() <= known:
        return form
    return attrs.evolve(form, errors={"file" if not data.get("bot") else "": " ".join(form.errors.values())})


async def _view(request: WebRequest, run_id: str) -> RunView:
    run: BacktestRun = await backtests_of(request).of(me(request).id, run_id)
    return run_view(run, backtests_of(request).percent(run_id))


async def _formats(request: WebRequest) -> Formats:
    async with app_of(request).store.begin(reads_only=True) as work:
        return Formats.of(await work.wishes.get(me(request).id) or Preferences())
