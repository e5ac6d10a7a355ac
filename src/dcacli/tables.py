"""What every command's human output has in common."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs
import click

from dcacore.domain.money import plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from dcacore.ports.records import Environment

_UNLIMITED: Final = 10_000
_ALWAYS_SHOWN: Final = 2


@attrs.frozen(kw_only=True)
class Column:
    """A column of a table.

    Attributes:
        name: its header.
        cells: what stands in it, whole.
        short: the same rounded, for terminals that are too narrow; empty when that cannot be.
        is_text: whether it holds words and not numbers.
        worth: on terminals that are still too narrow, the columns that are worth least go first.
    """

    name: str
    cells: Sequence[str]
    short: Sequence[str] = ()
    is_text: bool = False
    worth: int = 0


def print_table(title: str, columns: Sequence[Column]) -> None:
    """Print a table so that no number is cut or broken: whole, or as much of it as the terminal is wide enough for."""
    from rich.console import Console

    seen = Console(markup=False, highlight=False, emoji=False)
    width = seen.width if seen.is_terminal else _UNLIMITED
    shown = list(columns)
    is_narrow = _width(seen, _table(shown, is_narrow=False)) > width
    while is_narrow and len(shown) > _ALWAYS_SHOWN and _width(seen, _table(shown, is_narrow=True)) > width:
        shown.remove(min(shown, key=lambda column: column.worth))
    click.echo(title)
    click.echo()
    click.echo(_rendered(seen, _table(shown, is_narrow=is_narrow)))
    if is_narrow:
        hidden = [column.name for column in columns if column not in shown]
        parts = [f"no room for {', '.join(hidden)}"] if hidden else []
        if any(column.short for column in shown):
            parts.append("numbers are rounded")
        if parts:
            text = "; ".join([*parts, "a wider terminal and --json show all"])
            click.echo(click.wrap_text(f"{text[0].upper()}{text[1:]}.", width))
    click.echo()


def _table(columns: Sequence[Column], *, is_narrow: bool) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        # A narrow table has headers of one word a line.
        name = column.name.replace(" ", "\n") if is_narrow else column.name
        made.add_column(Text(name), justify="left" if column.is_text else "right", vertical="bottom", no_wrap=True)
    cells = [column.short if is_narrow and column.short else column.cells for column in columns]
    for row in zip(*cells, strict=True):
        made.add_row(*(Text(cell) for cell in row))
    return made


def _width(console: Console, table: Table) -> int:
    return console.measure(table, options=console.options.update(width=_UNLIMITED)).maximum


def _rendered(seen: Console, table: Table) -> str:
    """Return *table* as it would be shown, coloured for a terminal, at its own width and without trailing blanks."""
    from rich.console import Console

    text = io.StringIO()
    wide = Console(
        file=text,
        width=_UNLIMITED,
        force_terminal=seen.is_terminal,
        no_color=seen.no_color,
        color_system="auto",
        markup=False,
        highlight=False,
        emoji=False,
    )
    wide.print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def rounded(value: Decimal, places: int) -> str:
    """Return *value* in plain notation with *places* decimals, or with those it has when they are fewer."""
    text = f"{value:.{places}f}"
    return plain(value) if Decimal(text) == value else text


def money_places(largest: Decimal) -> int:
    """Return how many decimals of money are enough for reading where the largest amount is *largest*."""
    return 2 if largest >= 100 else 4 if largest >= 1 else 8  # noqa: PLR2004  # cents, and more for less


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


def label(environment: Environment) -> str:
    """Return *environment* as people are to see it: real money should catch the eye."""
    return environment.value.upper()


def printable(text: str) -> str:
    """Return *text*, a file's name perhaps, so that it cannot move the cursor."""
    return text if text.isprintable() else repr(text)
