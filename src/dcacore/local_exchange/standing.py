"""Where the exchange of a file of books is: a small file beside the books says it, for as long as they last."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Standing:
    """An exchange that was started over a file of books.

    Attributes:
        port: where it listens, on the loopback interface.
        pid: its process.
        mark: what it says of itself, so that nobody takes another program for it that has the port by now.
        books: the whole path of its books, so that nobody takes it for the exchange of a copy of them.
    """

    port: int
    pid: int
    mark: str
    books: str

    def is_of(self, books: Path) -> bool:
        """Say whether it is the exchange of *books*."""
        return self.books == str(books.resolve())

    @property
    def has_lost_its_books(self) -> bool:
        """Whether its books are not where it has opened them."""
        return not Path(self.books).exists()


def standing_file(books: Path) -> Path:
    """Return where the exchange of *books* says where it is."""
    return books.with_name(f"{books.name}.state")


def write_standing(books: Path, standing: Standing) -> None:
    """Say it; whoever reads finds all of it, or what was there before."""
    file = standing_file(books)
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(json.dumps(attrs.asdict(standing)), encoding="utf-8")
    fresh.replace(file)


def read_standing(books: Path) -> Standing | None:
    """Return what was last said, whether it still runs or not; None when nothing was, or nothing that makes sense."""
    try:
        told: Any = json.loads(standing_file(books).read_text(encoding="utf-8"))
        port, pid = int(told["port"]), int(told["pid"])
        return Standing(port=port, pid=pid, mark=str(told["mark"]), books=str(told["books"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def new_mark() -> str:
    """Return what no other exchange says of itself."""
    return os.urandom(8).hex()
