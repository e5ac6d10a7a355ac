"""How a command ends when something is refused: one line, an exit code, no traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from dcacore.domain.errors import DcaError

REFUSED: Final = 1
INTERRUPTED: Final = 130


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Yield once, and turn what the block raises into the way a command should end.

    A DcaError becomes `dca: <message>` on stderr and exit code 1; Ctrl-C ends quietly with 130, a reader that went away
    (`dca data list | head -1`) quietly with 1, and an output that cannot be written (a full disk) with one line and 1.
    """
    try:
        yield
        if sys.stdout is not None:  # it is when the shell closed it
            sys.stdout.flush()
    except DcaError as exc:
        complain(str(exc))
        raise SystemExit(REFUSED) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        _give_up_output()
        raise SystemExit(REFUSED) from None
    except OSError as exc:
        _give_up_output()
        complain(f"the output cannot be written: {exc.strerror or exc}")
        raise SystemExit(REFUSED) from None


def complain(message: str) -> None:
    """Tell *message* on stderr, as one line that cannot move the cursor."""
    line = " ".join(message.split())
    click.echo("dca: " + "".join(char if char.isprintable() else "?" for char in line), err=True)


def _give_up_output() -> None:
    """What is left in the buffer has nowhere to go: without this Python complains when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class OneLineErrors(click.Group):
    """A group whose commands, and those of the groups below it, end as `one_line_errors` says."""

    def invoke(self, ctx: click.Context) -> object:
        """Return what the command returns."""
        with one_line_errors():
            return super().invoke(ctx)
