"""The file `.env` in the working folder."""

from __future__ import annotations

import os
from pathlib import Path

from dcacore.ports.errors import BadFile


def read_environment(file: Path = Path(".env")) -> None:
    """Set the environment variables that *file* sets and the environment does not; without the file, none.

    Raises:
        BadFile: it cannot be read.
    """
    if not file.is_file():
        return
    from dotenv import dotenv_values

    try:
        values = dotenv_values(file)
    except (OSError, UnicodeDecodeError) as exc:
        raise BadFile(str(file), "cannot be read as text") from exc
    for name, value in values.items():
        if value is not None:
            os.environ.setdefault(name, value)
