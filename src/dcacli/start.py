"""Where the command `dca` starts: an interrupt is quiet from here on, even while the rest is being imported."""

from __future__ import annotations

import sys


def start() -> None:
    """Run `dca`; an interrupt ends it with 130."""
    try:
        from dcacli.errors import one_line_errors
        from dcacli.main import main

        with one_line_errors():
            main()
    except KeyboardInterrupt:
        sys.exit(130)
