"""Values that are stored as JSON text: parameters, rules, troubles, lists. Numbers in it are text, and exact."""

from __future__ import annotations

import datetime
import functools
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from cattrs import Converter

from dcacore.domain.bot import Trouble
from dcacore.domain.entitlement import Subscription
from dcacore.domain.market import Fees, Market
from dcacore.domain.strategy import Strategy
from dcacore.ports.health import Health
from dcacore.ports.identity import Channels, Occasion, usual_channels
from dcacore.ports.records import Environment

_CONVERTER: Final = Converter()
_CONVERTER.register_unstructure_hook(Decimal, lambda value: format(value, "f"))
_CONVERTER.register_structure_hook(Decimal, lambda value, _: Decimal(value))
_CONVERTER.register_unstructure_hook(datetime.datetime, datetime.datetime.isoformat)
_CONVERTER.register_structure_hook(datetime.datetime, lambda value, _: datetime.datetime.fromisoformat(value))


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# A bot's parameters are written with every decision and hardly ever change.
@functools.lru_cache(maxsize=4096)
def to_text(value: Strategy | Market | Fees | Trouble) -> str:
    """Return *value* as it is stored."""
    return _text(_CONVERTER.unstructure(value))


@functools.lru_cache(maxsize=4096)
def strategy_of(text: str) -> Strategy:
    """Return the strategy that was stored as *text*."""
    return _CONVERTER.structure(json.loads(text), Strategy)


@functools.lru_cache(maxsize=4096)
def market_of(text: str) -> Market:
    """Return the market that was stored as *text*."""
    return _CONVERTER.structure(json.loads(text), Market)


@functools.lru_cache(maxsize=4096)
def fees_of(text: str) -> Fees:
    """Return the fees that were stored as *text*."""
    return _CONVERTER.structure(json.loads(text), Fees)


def trouble_of(text: str) -> Trouble:
    """Return the trouble that was stored as *text*."""
    return _CONVERTER.structure(json.loads(text), Trouble)


def details_to_text(details: Mapping[str, str]) -> str:
    """Return *details* as they are stored."""
    return _text(dict(details))


def details_of(text: str) -> dict[str, str]:
    """Return the details that were stored as *text*."""
    return _CONVERTER.structure(json.loads(text), dict[str, str])


def names_to_text(names: tuple[str, ...]) -> str:
    """Return *names* as they are stored."""
    return _text(names)


def names_of(text: str) -> tuple[str, ...]:
    """Return the names that were stored as *text*."""
    return tuple(json.loads(text))


def numbers_to_text(numbers: tuple[int, ...]) -> str:
    """Return *numbers* as they are stored."""
    return _text(numbers)


def numbers_of(text: str) -> tuple[int, ...]:
    """Return the numbers that were stored as *text*."""
    return tuple(json.loads(text))


def health_to_text(health: Mapping[Environment, Health]) -> str:
    """Return *health* as it is stored."""
    return _text(_CONVERTER.unstructure(dict(health)))


def health_of(text: str | None) -> Mapping[Environment, Health]:
    """Return the health that was stored as *text*; none without one."""
    return {} if text is None else _CONVERTER.structure(json.loads(text), dict[Environment, Health])


def told_to_text(told: Mapping[Occasion, Channels]) -> str:
    """Return what somebody wants to be *told* of as it is stored."""
    return _text(_CONVERTER.unstructure(dict(told)))


def told_of(text: str) -> dict[Occasion, Channels]:
    """Return what was stored as *text*; an occasion that was not there at the time is told of in the usual way."""
    return {**usual_channels(), **_CONVERTER.structure(json.loads(text), dict[Occasion, Channels])}


def subscription_to_text(subscription: Subscription) -> str:
    """Return *subscription* as it is stored where it is no more than something that was told."""
    return _text(_CONVERTER.unstructure(subscription))


def subscription_of(text: str) -> Subscription:
    """Return the subscription that was stored as *text*."""
    return _CONVERTER.structure(json.loads(text), Subscription)
