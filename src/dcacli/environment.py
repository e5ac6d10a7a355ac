"""The file `.env` in the working folder."""

from __future__ import annotations

import os
from pathlib import Path

from dcacore.ports.errors import BadFile


def read_environment(file: Path = Path(".env")) -> None:
    """Set the environment variables that *file* sets and the environment does not; without the file, none.

    Raises:
        BadFile: it cannot be read, or a line of it is no NAME=value.
    """
    if not file.is_file():
        return
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    try:
        with file.open(encoding="utf-8") as stream:
            wrong = [binding.original.line for binding in parse_stream(stream) if binding.error]
        if wrong:
            raise BadFile(str(file), f"line {wrong[0]} is no NAME=value")
        values = dotenv_values(file)
    except (OSError, UnicodeDecodeError) as exc:
        raise BadFile(str(file), "cannot be read as text") from exc
    for name, value in values.items():
        if value is not None:
            os.environ.setdefault(name, value)
