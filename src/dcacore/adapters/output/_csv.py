"""Rows as CSV that a spreadsheet may open."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

from dcacore.domain.money import plain
from dcacore.ports.spreadsheets import harmless

Cell = str | int | Decimal | None


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return *rows* below a line of *columns*: UTF-8, commas, lines that end in CR LF as RFC 4180 has them.

    Numbers are plain decimals. A text that a spreadsheet would take for a formula is led by an apostrophe.
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
        case str():
            return harmless(cell)
        case _:
            return cell
