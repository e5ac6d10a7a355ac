"""Rows as CSV that a spreadsheet may open."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from dcacore.domain.money import plain

Cell = str | int | Decimal | None

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return *rows* below a line of *columns*: UTF-8, commas, lines that end in CR LF as RFC 4180 has them.

    Numbers are plain decimals. A text that a spreadsheet would take for a formula is led by an apostrophe
    (https://owasp.org/www-community/attacks/CSV_Injection).
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _cell(cell: Cell) -> str | int:
    match cell:
        case None:
            return ""
        case Decimal():
            return plain(cell)
        case str() if cell.startswith(_FORMULA_STARTS):
            return f"'{cell}"
        case _:
            return cell
