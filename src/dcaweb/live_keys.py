"""The names of what changes on an open page, and what stands there: the same for the page and for its stream.

A node of a page says by `data-live` which value it shows. The stream sends values by these names, each with the text to
be shown; some with the exact value, the tone, or the state, by which the node looks as it does. For each open page the
stream takes `Told().news(values_of(patch, formats))`, and sends what is in it as one message of JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs

from dcacore.application.bot_pages import BotCard
from dcacore.application.deal_cards import DealCard
from dcacore.application.live import BotGonePatch, LinesPatch, NotificationPatch, Patch, PricePatch, StatePatch
from dcacore.application.live_sums import Place
from dcacore.domain.ids import BotId
from dcacore.domain.money import plain
from dcacore.ports.records import Environment
from dcaweb.formats import Formats, percent_text, price_text, quantity_text, tone_of

UNREAD: Final = "unread"
NEWEST_LINE: Final = "feed"
"""The number of the newest line of activity."""

Values = dict[str, dict[str, Any]]
"""By the name of a node: `text`, and where they matter `value` (exact), `tone` and `state`."""


def bot_key(bot_id: str, part: str) -> str:
    """Return the name of a value of a bot: state, deals, profit, win_rate, deal, next (what happens next and why)."""
    return f"bot.{bot_id}.{part}"


def deal_key(deal_id: str, part: str) -> str:
    """Return the name of a value of an open deal.

    The parts: price, average, target, stop, next_safety_order, trail_exit, safety_orders, held, spent, unrealized,
    unrealized_percent, at_market, progress (0 to 100).
    """
    return f"deal.{deal_id}.{part}"


def price_key(environment: Environment, pair: str) -> str:
    """Return the name of the last price of a market."""
    return f"price.{environment.value}.{pair}"


def values_of(patch: Patch, formats: Formats) -> Values:
    """Return what *patch* changes on pages, by name."""
    match patch:
        case StatePatch(card=card):
            return of_bot(card, formats)
        case PricePatch(environment=environment, pair=pair, price=price, deals=deals):
            found = {price_key(environment, pair): _value(price, price_text(price))}
            for deal in deals:
                found.update(of_deal(deal, formats))
            return found
        case NotificationPatch(unread=unread):
            return {UNREAD: {"text": unread_text(unread), "value": str(unread), "state": unread_state(unread)}}
        case LinesPatch(newest=newest):
            return {NEWEST_LINE: {"text": str(newest)}}
        case BotGonePatch(bot_id=bot_id):
            return {bot_key(bot_id, "state"): {"text": "Deleted", "state": "gone"}}
        case _:
            return {}


def unread_text(count: int) -> str:
    """Return how many notifications have not been read, short enough for a badge."""
    return str(count) if count < 100 else "99+"  # noqa: PLR2004


def unread_state(count: int) -> str:
    """Return none or some: by it the badge is there."""
    return "some" if count else "none"


def of_bot(card: BotCard, formats: Formats) -> Values:
    """Return all values of a bot, and of its open deal."""
    totals = card.totals
    found = {
        "state": {"text": card.state.replace("_", " ").capitalize(), "state": card.state},
        "deals": {"text": str(totals.deals)},
        "profit": _signed(totals.profit, formats.amount(totals.profit, signed=True)),
        "win_rate": _value(card.win_rate, percent_text(card.win_rate, places=1)),
        "deal": {"text": "" if card.deal is None else str(card.deal.deal_id)},
        "next": {"text": next_text(card.explanation)},
    }
    values = {bot_key(card.bot_id, part): value for part, value in found.items()}
    values[price_key(card.environment, card.pair)] = _value(card.price, price_text(card.price))
    return values if card.deal is None else {**values, **of_deal(card.deal, formats)}


def watched(card: BotCard) -> dict[str, str]:
    """Return by name what a part of a page was made from that shows a bot: it is made anew when one of them changes."""
    return {
        bot_key(card.bot_id, "state"): card.state,
        bot_key(card.bot_id, "deal"): "" if card.deal is None else str(card.deal.deal_id),
        bot_key(card.bot_id, "next"): next_text(card.explanation),
        **({} if card.deal is None else {deal_key(card.deal.deal_id, "safety_orders"): used_text(card.deal)}),
    }


def watched_deal(card: DealCard, explanation: Sequence[str]) -> dict[str, str]:
    """Return the same for a part that shows one open deal, with what happens to it next and why."""
    return {
        bot_key(card.bot_id, "deal"): str(card.deal_id),
        bot_key(card.bot_id, "state"): card.state,
        bot_key(card.bot_id, "next"): next_text(explanation),
        deal_key(card.deal_id, "safety_orders"): used_text(card),
        deal_key(card.deal_id, "target"): price_text(card.target),
        deal_key(card.deal_id, "held"): quantity_text(card.held),
    }


def watched_deals(bots: Iterable[BotId], deals: Iterable[DealCard]) -> dict[str, str]:
    """Return the same for a part that shows the open deals of all bots."""
    opened = {deal.bot_id: str(deal.deal_id) for deal in deals}
    return {bot_key(bot_id, "deal"): opened.get(bot_id, "") for bot_id in bots}


def of_deal(card: DealCard, formats: Formats) -> Values:
    """Return all values of an open deal."""
    prices = {
        "price": card.price,
        "average": card.average,
        "target": card.target,
        "stop": card.stop,
        "next_safety_order": card.next_safety_order,
        "trail_exit": card.trail_exit,
    }
    unrealized, percent = card.unrealized, card.unrealized_percent
    found = {part: _value(it, price_text(it)) for part, it in prices.items()}
    found["safety_orders"] = {"text": used_text(card)}
    found["held"] = _value(card.held, quantity_text(card.held))
    found["spent"] = _value(card.spent, formats.amount(card.spent))
    found["unrealized"] = _signed(unrealized, formats.amount(unrealized, signed=True))
    found["unrealized_percent"] = _signed(percent, percent_text(percent, signed=True))
    found["at_market"] = _signed(card.at_market, formats.amount(card.at_market, signed=True))
    found["progress"] = {"text": "", "value": progress_text(card)}
    return {deal_key(card.deal_id, part): value for part, value in found.items()}


def next_text(explanation: Sequence[str]) -> str:
    """Return what happens next, and why, in one piece."""
    return " ".join(explanation)


def used_text(card: DealCard) -> str:
    """Return how many safety orders have filled, of how many."""
    return f"{card.safety_orders_used} of {card.safety_orders}"


def progress_text(card: DealCard) -> str:
    """Return how far the price is from the next safety order to the target, in percent; empty where that is unknown."""
    return "" if card.progress is None else f"{card.progress:.1%}".rstrip("%")


def _value(value: Decimal | None, text: str) -> dict[str, Any]:
    return {"text": text, "value": "" if value is None else plain(value)}


def _signed(value: Decimal | None, text: str) -> dict[str, Any]:
    return {**_value(value, text), "tone": tone_of(value)}


@attrs.define
class Told:
    """What a page has been told, so that it is told only what has changed."""

    _values: Values = attrs.field(factory=dict, init=False)

    def news(self, values: Values) -> Values:
        """Return those of *values* that the page does not show yet."""
        found = {name: value for name, value in values.items() if self._values.get(name) != value}
        self._values.update(found)
        return found


def standing_key(environment: Environment, quote_asset: str) -> str:
    """Return the name of what the open deals of an environment would bring together in a quote asset."""
    return f"standing.{environment.value}.{quote_asset}"


def of_sums(sums: Mapping[Place, Decimal | None], formats: Formats) -> Values:
    """Return what all open deals would bring together."""
    return {standing_key(*place): _signed(it, formats.amount(it, signed=True)) for place, it in sums.items()}


KEYS: Final = {
    "bot_key": bot_key,
    "deal_key": deal_key,
    "price_key": price_key,
    "progress_text": progress_text,
    "standing_key": standing_key,
    "unread_state": unread_state,
    "unread_text": unread_text,
    "used_text": used_text,
    "watched": watched,
    "watched_deal": watched_deal,
    "watched_deals": watched_deals,
}
"""What templates may call."""
