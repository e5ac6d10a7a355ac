"""What a request to the control interface says."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from dcacore.domain.errors import DcaError
from dcacore.local_exchange.clock import from_ms
from dcacore.local_exchange.formats import MOST_DIGITS, is_workable

Told = Mapping[str, Any]


class BadControl(DcaError):
    """A request to the control interface that makes no sense."""


def text(told: Told, name: str) -> str:
    """Return a text that has to be there.

    Raises:
        BadControl: it is not.
    """
    value = told.get(name)
    if not isinstance(value, str) or not value:
        raise BadControl(f"{name} is missing, or no text")
    return value


def number(told: Told, name: str) -> Decimal:
    """Return a number, written as text, that has to be there, 0 or more and of a size that can be worked with.

    Raises:
        BadControl: it is not.
    """
    try:
        value = Decimal(str(told.get(name)))
    except InvalidOperation:
        raise BadControl(f"{name} is missing, or no number") from None
    if not is_workable(value) or value < 0:
        raise BadControl(f"{name} has to be a number, 0 or more, with up to {MOST_DIGITS} digits on either side")
    return value


def flag(told: Told, name: str) -> bool:
    """Return a truth value; False when it is not there.

    Raises:
        BadControl: it is something else.
    """
    value = told.get(name, False)
    if not isinstance(value, bool):
        raise BadControl(f"{name} has to be true or false")
    return value


def moment(told: Told, name: str) -> datetime.datetime | None:
    """Return a time that is given in Unix milliseconds; None when it is not there.

    Raises:
        BadControl: it is none.
    """
    value = told.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadControl(f"{name} has to be a whole number of milliseconds")
    try:
        return from_ms(value)
    except OverflowError:
        raise BadControl(f"{name} lies too far away") from None


def read(body: bytes) -> Told:
    """Return what a body says; an empty one says nothing.

    Raises:
        BadControl: it is no JSON object.
    """
    try:
        told = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, RecursionError):
        raise BadControl("the body is no JSON") from None
    if not isinstance(told, dict):
        raise BadControl("the body has to be a JSON object")
    return told
