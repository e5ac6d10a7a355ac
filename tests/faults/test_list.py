"""The page of faults lists every number, with a test that exists and bears it, or with why there is none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path("docs/reference/faults.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?P<number>F\d+) \| (?P<fault>[^|]+) \| (?P<answer>[^|]+) \|(?P<tests>[^|]*)\|$", re.MULTILINE)
ROWS = {row["number"]: row for row in ROW.finditer(PAGE)}
NUMBERS = [f"F{number:02}" for number in range(1, 97)]
NAME = re.compile(r"^ *(?:async )?def (test_\w+)\(", re.MULTILINE)


def test_the_page_lists_every_fault_once_and_in_order() -> None:
    assert re.findall(r"^\| (F\d+) \|", PAGE, re.MULTILINE) == NUMBERS
    assert list(ROWS) == NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_every_fault_has_a_test_that_bears_its_number_or_a_reason(number: str) -> None:
    row = ROWS[number]
    assert row["fault"].strip()
    files = re.findall(r"`(tests/[\w/]+\.py)`", row["tests"])
    if not files:
        assert re.match(r"no test: \w+", row["answer"].strip())
        return
    for file in files:
        names = NAME.findall(Path(file).read_text(encoding="utf-8"))
        assert [name for name in names if number.lower() in name.split("_")], f"{file} has no test of {number}"


@pytest.mark.parametrize("file", sorted(Path("tests/faults").glob("test_*.py")), ids=lambda file: file.name)
def test_every_number_in_a_name_is_on_the_page(file: Path) -> None:
    names = NAME.findall(file.read_text(encoding="utf-8"))
    named = {part.upper() for name in names for part in name.split("_") if re.fullmatch(r"f\d\d+", part)}
    assert named <= set(NUMBERS)
