"""Exact arithmetic: roundings onto grids, and refusing to round anywhere else."""

from __future__ import annotations

import decimal
from decimal import Decimal

import pytest

from dcacore.domain.money import EXACT, Quotient, ceil_to, down8, exact, floor_to, plain, whole


@pytest.mark.parametrize(
    ("value", "grid", "floor", "ceil"),
    [
        ("0", "0.01", "0", "0"),
        ("1.23", "0.01", "1.23", "1.23"),
        ("1.239999", "0.01", "1.23", "1.24"),
        ("1.230001", "0.01", "1.23", "1.24"),
        ("0.004", "0.01", "0", "0.01"),
        ("7.4", "2.5", "5", "7.5"),
        ("7.5", "2.5", "7.5", "7.5"),
        ("12345678901234567890.00000000009", "0.0000000001", "12345678901234567890", "12345678901234567890.0000000001"),
    ],
)
def test_values_go_onto_a_grid_both_ways(value: str, grid: str, floor: str, ceil: str) -> None:
    on_grid = exact(lambda: (floor_to(Decimal(value), Decimal(grid)), ceil_to(Decimal(value), Decimal(grid))))
    assert on_grid() == (Decimal(floor), Decimal(ceil))


@pytest.mark.parametrize(
    ("numerator", "denominator", "grid", "floor", "ceil"),
    [
        ("1", "3", "0.01", "0.33", "0.34"),
        ("2", "3", "0.01", "0.66", "0.67"),
        ("1", "4", "0.05", "0.25", "0.25"),
        ("0", "7", "0.01", "0", "0"),
        ("100", "0.7", "10", "140", "150"),
        # A quotient a hair from a grid line: a division with 28 digits would land on it.
        ("1", "0.9999999999999999999999999999999999999999", "1", "1", "2"),
        ("0.9999999999999999999999999999999999999999", "1", "1", "0", "1"),
    ],
)
def test_a_quotient_is_rounded_once_onto_a_grid(
    numerator: str, denominator: str, grid: str, floor: str, ceil: str
) -> None:
    quotient = Quotient(Decimal(numerator), Decimal(denominator))
    on_grid = exact(lambda: (quotient.floor(Decimal(grid)), quotient.ceil(Decimal(grid))))
    assert on_grid() == (Decimal(floor), Decimal(ceil))


@pytest.mark.parametrize(
    ("value", "cut"),
    [
        ("0.000000019", "0.00000001"),
        ("0.00000001", "0.00000001"),
        ("0.0000000099999", "0"),
        ("-0.000000019", "-0.00000001"),
        ("123.123456789", "123.12345678"),
    ],
)
def test_down8_cuts_towards_zero(value: str, cut: str) -> None:
    assert exact(down8)(Decimal(value)) == Decimal(cut)
    assert exact(whole(Decimal(value)).down8)() == Decimal(cut)
    assert exact(Quotient(Decimal(value) * 3, Decimal(3)).down8)() == Decimal(cut)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [
        ("1", "3", "0.33333333"),
        ("2", "3", "0.66666667"),
        ("-2", "3", "-0.66666667"),
        ("0.000000005", "1", "0"),
        ("0.000000015", "1", "0.00000002"),
        ("0.000000025", "1", "0.00000002"),
        ("0.0000000250000000000000000000000000000001", "1", "0.00000003"),
        ("-0.000000005", "1", "0"),
        ("-0.000000015", "1", "-0.00000002"),
        ("-0.000000025", "1", "-0.00000002"),
        ("3", "200000000", "0.00000002"),
        ("12345678901234567890123", "1", "12345678901234567890123"),
    ],
)
def test_printed_quotients_round_half_to_even_at_eight_decimals(numerator: str, denominator: str, rounded: str) -> None:
    assert Quotient(Decimal(numerator), Decimal(denominator)).rounded() == Decimal(rounded)


def test_a_percentage_of_a_quotient_is_a_quotient() -> None:
    assert Quotient(Decimal(1), Decimal(3)).percent(Decimal(150)).rounded() == Decimal("0.5")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("0E-10", "0"),
        ("-0.000", "0"),
        ("1E+3", "1000"),
        ("1E-8", "0.00000001"),
        ("10", "10"),
        ("100.500", "100.5"),
        ("100.000", "100"),
        ("-1.50", "-1.5"),
        ("123456789012345678901234567890.10", "123456789012345678901234567890.1"),
    ],
)
def test_numbers_are_printed_plainly(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


def test_what_would_have_to_round_is_refused() -> None:
    with decimal.localcontext(EXACT), pytest.raises(decimal.Inexact):
        _ = Decimal(1) / Decimal(3)


def test_floats_are_refused() -> None:
    with decimal.localcontext(EXACT), pytest.raises(decimal.FloatOperation):
        Decimal(0.5)  # noqa: RUF032  # that is the point


@pytest.mark.parametrize(
    ("numerator", "denominator", "raised"),
    [
        ("1", "0", decimal.DivisionByZero),
        ("0", "0", decimal.InvalidOperation),
        ("Infinity", "Infinity", decimal.InvalidOperation),
        ("1E+999999", "1E-999999", decimal.Overflow),
    ],
)
def test_nothing_that_is_no_number_comes_out(numerator: str, denominator: str, raised: type[Exception]) -> None:
    with decimal.localcontext(EXACT), pytest.raises(raised):
        _ = Decimal(numerator) / Decimal(denominator)


def test_long_products_keep_every_digit() -> None:
    power = exact(lambda: Decimal("1.37") ** 100)
    assert power() == Decimal(137**100).scaleb(-200, EXACT)


def test_exact_functions_leave_the_callers_context_as_it_was() -> None:
    with decimal.localcontext() as context:
        context.prec = 5
        inside = exact(lambda: decimal.getcontext().prec)()
        assert inside == EXACT.prec
        assert decimal.getcontext().prec == 5


def test_the_callers_context_comes_back_after_an_error_too() -> None:
    def fails() -> None:
        raise KeyError

    with decimal.localcontext() as context:
        context.prec = 5
        with pytest.raises(KeyError):
            exact(fails)()
        assert decimal.getcontext().prec == 5


def test_exact_functions_may_call_one_another() -> None:
    inner = exact(lambda value: value * Decimal("1.00000000000000000000000000000000000001"))
    assert exact(lambda: inner(Decimal(3)))() == Decimal("3.00000000000000000000000000000000000003")


def test_the_callers_precision_does_not_matter() -> None:
    with decimal.localcontext() as context:
        context.prec = 3
        assert exact(floor_to)(Decimal("123.456789"), Decimal("0.00001")) == Decimal("123.45678")
        assert Quotient(Decimal("123.4567890123"), Decimal(1)).rounded() == Decimal("123.45678901")
        assert plain(Decimal("123.456789")) == "123.456789"
