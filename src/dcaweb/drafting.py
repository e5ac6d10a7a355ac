"""The form of a bot that is being made or changed: what stands in it, and what it says of what it would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from litestar import Request
from litestar.datastructures import State
from litestar.response import Template

from dcacore.application import drafts
from dcacore.application.drafts import Draft, Outlook
from dcacore.application.pair_now import PairNow, PairsNow
from dcacore.application.parameters import Wrong, texts_of
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.strategy import Strategy
from dcaweb.failures import sentence
from dcaweb.forms import Fields, FormState
from dcaweb.ladder_chart import drawing
from dcaweb.parameters import FEES, LABELS, NAMES
from dcaweb.rendering import page
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me

LONGEST_PAIR: Final = 40
SIZES: Final = ((680, 300), (340, 240))
"""In which the ladder is drawn: for desks and for phones."""
EDITED: Final = (*NAMES, "price")
"""The fields below which something may appear while somebody changes a bot."""
WATCHED: Final = (*EDITED, *(it.name for it in FEES.parameters), "pair")
"""Likewise of a new bot. Of a pair that is being typed nothing is said, but what was said of it goes away."""
_LABELS: Final = {**LABELS, "pair": "Pair", "price": "Price"}
PRESETS: Final[Mapping[str, Mapping[str, str]]] = {
    "Cautious": {
        "max_safety_orders": "10",
        "price_deviation": "1.5",
        "safety_order_volume_scale": "1.2",
        "safety_order_step_scale": "1.25",
        "take_profit": "1",
        "trailing_deviation": "0",
        "stop_loss": "0",
        "cooldown": "300",
    },
    "Balanced": {
        "max_safety_orders": "8",
        "price_deviation": "1",
        "safety_order_volume_scale": "1.4",
        "safety_order_step_scale": "1.2",
        "take_profit": "1.5",
        "trailing_deviation": "0",
        "stop_loss": "0",
        "cooldown": "0",
    },
    "Aggressive": {
        "max_safety_orders": "5",
        "price_deviation": "0.8",
        "safety_order_volume_scale": "1.8",
        "safety_order_step_scale": "1.4",
        "take_profit": "2.5",
        "trailing_deviation": "0.5",
        "stop_loss": "0",
        "cooldown": "0",
    },
}
"""Ladders to begin with, by what one may call them."""
USUAL: Final = texts_of(
    Strategy(pair="BTCUSDT", base_order_size=100, safety_order_size=100, **PRESETS["Balanced"])  # type: ignore[arg-type]  # its converters read text
)
"""What a form for a new bot begins with."""


def pairs_now_of(request: Request[Any, Any, State]) -> PairsNow:
    """Return what asks exchanges for pairs, which all users share."""
    pairs: PairsNow = request.app.state.pairs_now
    return pairs


async def now_of(request: WebRequest, texts: Fields) -> PairNow:
    """Return what there is to know of the pair that a form names, where its bot is to trade.

    Raises:
        NotFound: the user has no such account.
    """
    account, pair = await drafts.account_and_pair(app_of(request).store, me(request).id, texts)
    if not pair or len(pair) > LONGEST_PAIR:
        return PairNow(account=account, pair="")
    return await pairs_now_of(request).of(account, pair)


def errors_of(wrong: Wrong) -> dict[str, str]:
    """Return by field, in a sentence each, what is wrong."""
    return {name: sentence(error.rule) for name, error in wrong.items()}


def told_of(error: InvalidParameter) -> str:
    """Return in a sentence what is wrong with a parameter, and with which."""
    return sentence(f"{_LABELS.get(error.name, error.name)}: {error.rule}")


def refused(typed: Fields, wrong: Wrong) -> FormState:
    """Return the form with all that is wrong, each at its field."""
    return FormState(values=typed, errors=errors_of(wrong), status=422)


async def preview_of(request: WebRequest, data: Fields, now: PairNow, watched: Sequence[str] = WATCHED) -> Template:
    """Return what the bot of *data* would do; what is wrong does not take the last good ladder off the page."""
    shown = look(data, now)
    answer = await page(request, "bots/_preview_answer.html", watched=watched, **shown)
    if shown["outlook"] is None:
        answer.headers["HX-Retarget"] = "#preview-said"
    return answer


def look(texts: Fields, now: PairNow) -> dict[str, Any]:
    """Return for a template what the bot of *texts* would do, or all that keeps that from being told."""
    draft = drafts.read(texts, now)
    wrong, found = dict(draft.wrong), None
    if not wrong:
        try:
            found = drafts.outlook(draft)
        except InvalidParameter as exc:
            wrong[exc.name] = exc
    return {
        "now": now,
        "draft": draft,
        "outlook": found,
        "wrong": errors_of({name: error for name, error in wrong.items() if name != "pair"}),
        "told": [told_of(error) for error in wrong.values()],
        "unknown": "" if found or wrong else _unknown(draft),
        "drawings": _drawings(found),
    }


def _drawings(found: Outlook | None) -> list[Any]:
    return [] if found is None else [drawing(found, width=width, height=height) for width, height in SIZES]


def _unknown(draft: Draft) -> str:
    """Return in a sentence why there is no ladder, though nothing is wrong with what was typed."""
    now = draft.now
    reason = f": {now.failure}" if now.failure else ""
    if now.market is None:
        return f"The rules of {now.pair} are not known now{reason}."
    return f"{now.pair} has no price now{reason}. Type one below to see the ladder from there."


EMPTY_LOOK: Final[Mapping[str, Any]] = {
    "outlook": None,
    "wrong": {},
    "told": (),
    "unknown": "",
    "drawings": (),
    "now": None,
}
"""What a page shows of the ladder before it has been asked for."""
