"""Numbers and times as people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from jinja2 import Environment

from dcaweb.formats import (
    FILTERS,
    Formats,
    duration_text,
    number,
    percent_text,
    price_text,
    quantity_text,
    tone_of,
)
from tests.strategies import NOON


@pytest.mark.parametrize(
    ("value", "digits", "signed", "shown"),
    [
        ("12480.221", 2, False, "12,480.22"),
        ("84.17", 2, True, "+84.17"),
        ("-2.235", 2, True, "\N{MINUS SIGN}2.24"),
        ("2.225", 2, False, "2.22"),  # half-even
        ("0", 2, True, "0.00"),
        ("0.0041", 2, True, "+0.0041"),  # what is not zero never looks like it
        ("-0.00000012", 2, True, "\N{MINUS SIGN}0.00000012"),
        ("0.005", 2, False, "0.005"),  # half-even it would be 0.00
        ("1234.5", 0, False, "1,234"),
        ("1.50000000", None, False, "1.5"),
        ("100", None, False, "100"),
        ("1E+3", 2, False, "1,000.00"),
    ],
)
def test_amounts(value: str, digits: int | None, shown: str, *, signed: bool) -> None:
    assert Formats(digits=digits).amount(Decimal(value), signed=signed) == shown


def test_no_amount_that_is_not_zero_looks_like_zero() -> None:
    for exponent in range(-16, 5):
        for digits in range(9):
            text = number(Decimal(5).scaleb(exponent), digits)
            assert any(it in text for it in "123456789"), (exponent, digits, text)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("64120.12345678", "64,120.12"),
        ("64120", "64,120.00"),
        ("142.56", "142.56"),
        ("1.23456789", "1.2346"),
        ("0.12345678", "0.123457"),
        ("0.00001234", "0.00001234"),
        (None, "\N{EN DASH}"),
    ],
)
def test_prices(value: str | None, shown: str) -> None:
    assert price_text(None if value is None else Decimal(value)) == shown


def test_quantities_keep_all_their_decimals() -> None:
    assert quantity_text(Decimal("1234.00000001")) == "1,234.00000001"
    assert quantity_text(Decimal("0.837000")) == "0.837"
    assert quantity_text(Decimal("-0.5")) == "\N{MINUS SIGN}0.5"


def test_percentages_and_durations() -> None:
    assert percent_text(Decimal("1.25"), signed=True) == "+1.25\N{NO-BREAK SPACE}%"
    assert [duration_text(it).replace("\N{NO-BREAK SPACE}", " ") for it in (0, 59, 60, 7_260, 90_000, 86_400 * 3)] == [
        "0 s",
        "59 s",
        "1 min",
        "2 h 1 min",
        "1 d 1 h",
        "3 d",
    ]
    assert (tone_of(Decimal(1)), tone_of(Decimal(-1)), tone_of(Decimal(0)), tone_of(None)) == (
        "gain",
        "loss",
        "even",
        "even",
    )


def rendered(template: str, **context: object) -> str:
    environment = Environment(autoescape=True)
    environment.filters.update(FILTERS)
    return environment.from_string(template).render(**context)


def test_a_page_carries_the_exact_number_behind_the_one_that_it_shows() -> None:
    made = rendered("{{ it | money('USDT', signed=true, live='a.b') }}", it=Decimal("1.23456"))
    assert '<data class="num" value="1.23456" data-live="a.b" data-tone="gain">+1.23</data>' in made
    assert '<span class="unit">USDT</span>' in made


def test_nothing_that_people_have_typed_becomes_markup() -> None:
    made = rendered("{{ it | money(asset) }}{{ asset | sentence }}", it=Decimal(1), asset="<b>")
    assert "<b>" not in made
    assert "&lt;b&gt;" in made


def test_times_go_by_the_users_clocks() -> None:
    made = rendered("{{ at | when }}", at=NOON, formats=Formats(zone="Asia/Tokyo"))
    assert f'datetime="{NOON.isoformat()}"' in made
    assert ">" + f"{NOON.day} " in made
    assert "21:00" in made
