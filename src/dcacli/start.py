"""Where the command `dca` starts: an interrupt is quiet from here on, even while the rest is being imported."""

from __future__ import annotations

import sys


def start() -> None:
    """Run `dca`; an interrupt ends it with 130."""
    try:
        from dcacli.main import main

        main()
    except KeyboardInterrupt:
        sys.exit(130)
