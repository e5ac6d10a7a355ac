"""What every command's human output has in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import click

from dcacore.domain.money import plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDE: Final = 200


def console() -> Console:
    """Return where tables go: stdout, wide enough not to cut a number when nobody sits before it."""
    from rich.console import Console

    seen = Console(markup=False, highlight=False, emoji=False)
    return seen if seen.is_terminal else Console(markup=False, highlight=False, emoji=False, width=_WIDE)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int = 1) -> Table:
    """Return a table whose first *texts* columns are words and whose others are numbers."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        made.add_column(Text(column), justify="left" if place < texts else "right", overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def warn(warnings: Iterable[str]) -> None:
    """Tell each of *warnings* on stderr."""
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)


def grouped(value: Decimal) -> str:
    """Return *value* in plain notation with commas between thousands."""
    whole, point, rest = plain(value).partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}{point}{rest}"


def counted(number: int, what: str) -> str:
    """Return *number* of *what*, which takes an s in the plural."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """Return *text*, a file's name perhaps, so that it cannot move the cursor."""
    return text if text.isprintable() else repr(text)
