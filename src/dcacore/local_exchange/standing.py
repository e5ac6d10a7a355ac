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
    """

    port: int
    pid: int
    mark: str


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
        return Standing(port=int(told["port"]), pid=int(told["pid"]), mark=str(told["mark"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def new_mark() -> str:
    """Return what no other exchange says of itself."""
    return os.urandom(8).hex()
