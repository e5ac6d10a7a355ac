"""What every table that a spreadsheet may open keeps to, whoever writes it."""

from __future__ import annotations

from typing import Final

_STARTS: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # as some keyboards write them, too
_BLANKS: Final = ("\t", "\r", "\n")


def harmless(text: str) -> str:
    """Return *text*, led by an apostrophe where a spreadsheet could take it for a formula, also behind blanks.

    The rule is that of https://owasp.org/www-community/attacks/CSV_Injection.
    """
    bare = text.lstrip()
    return f"'{text}" if bare.startswith(_STARTS) or text.startswith(_BLANKS) else text
