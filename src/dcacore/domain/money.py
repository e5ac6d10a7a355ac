"""Exact arithmetic: the units of money and the only place that rounds.

Everything in the domain is a `Decimal`, worked on under `EXACT`: a context with room for every digit that can come
up, in which an operation that would have to round raises `decimal.Inexact` instead. A quotient is therefore never
taken with `/`; it goes through the functions below, which divide integers and round once, onto a grid.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import (
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
    getcontext,
    setcontext,
)
from typing import Final, NewType, ParamSpec, TypeVar

import attrs

Price = NewType("Price", Decimal)
"""Quote asset per unit of base asset."""
BaseQty = NewType("BaseQty", Decimal)
"""An amount of the base asset."""
QuoteAmount = NewType("QuoteAmount", Decimal)
"""An amount of the quote asset."""

ZERO: Final = Decimal(0)
HUNDRED: Final = Decimal(100)
NO_BASE: Final = BaseQty(ZERO)
NO_QUOTE: Final = QuoteAmount(ZERO)
_EIGHT_PLACES: Final = Decimal("1E-8")

EXACT: Final = Context(
    prec=100_000,
    Emin=-999_999,
    Emax=999_999,
    traps=[Inexact, InvalidOperation, DivisionByZero, Overflow, FloatOperation],
)

P = ParamSpec("P")
R = TypeVar("R")


def exact(function: Callable[P, R]) -> Callable[P, R]:
    """Return *function* so that it runs under `EXACT`, whatever the caller's context is."""

    @functools.wraps(function)
    def under_exact(*args: P.args, **kwargs: P.kwargs) -> R:
        outer = getcontext()
        if outer is EXACT:
            return function(*args, **kwargs)
        setcontext(EXACT)
        try:
            return function(*args, **kwargs)
        finally:
            setcontext(outer)

    return under_exact


@attrs.frozen
class Quotient:
    """A quotient that has not been rounded; the denominator is above zero."""

    numerator: Decimal
    denominator: Decimal

    def floor(self, grid: Decimal) -> Decimal:
        """Return the largest multiple of *grid* that is not above this; both must be 0 or more."""
        return self.numerator // (self.denominator * grid) * grid

    def ceil(self, grid: Decimal) -> Decimal:
        """Return the smallest multiple of *grid* that is not below this; both must be 0 or more."""
        whole, rest = divmod(self.numerator, self.denominator * grid)
        return (whole + 1) * grid if rest > 0 else whole * grid

    def down8(self) -> Decimal:
        """Return this cut towards zero at 8 decimals."""
        return self.numerator // (self.denominator * _EIGHT_PLACES) * _EIGHT_PLACES

    @exact
    def rounded(self) -> Decimal:
        """Return this half-even at 8 decimals, as every interface prints a quotient."""
        whole, rest = divmod(abs(self.numerator), self.denominator * _EIGHT_PLACES)
        beyond_half = 2 * rest - self.denominator * _EIGHT_PLACES
        if beyond_half > 0 or (beyond_half == 0 and whole % 2):
            whole += 1
        return (whole if self.numerator >= 0 else -whole) * _EIGHT_PLACES

    @exact
    def price(self, tick_size: Decimal) -> Decimal:
        """Return this as a price is shown: exact when it lies on the tick grid, else half-even at 8 decimals."""
        on_grid = self.floor(tick_size)
        return on_grid if on_grid * self.denominator == self.numerator else self.rounded()

    def percent(self, part: Decimal) -> Quotient:
        """Return *part* percent of this."""
        return Quotient(self.numerator * part, self.denominator * HUNDRED)


def whole(value: Decimal) -> Quotient:
    """Return *value* as a quotient."""
    return Quotient(value, Decimal(1))


def floor_to(value: Decimal, grid: Decimal) -> Decimal:
    """Return the largest multiple of *grid* that is not above *value* (0 or more)."""
    return value // grid * grid


def ceil_to(value: Decimal, grid: Decimal) -> Decimal:
    """Return the smallest multiple of *grid* that is not below *value* (0 or more)."""
    return whole(value).ceil(grid)


def down8(value: Decimal) -> Decimal:
    """Return *value* cut towards zero at 8 decimals, as exchanges book fees."""
    return value // _EIGHT_PLACES * _EIGHT_PLACES


@exact
def plain(value: Decimal) -> str:
    """Return *value* as text in plain notation: no exponent, no trailing zeros, no minus before a zero."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
