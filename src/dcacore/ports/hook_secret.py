"""The secret that billing signs with what it tells by itself."""

from __future__ import annotations

import re
from typing import Final

from dcacore.domain.errors import InvalidParameter

STANDARD: Final = "whsec_"
"""What the secrets of Standard Webhooks begin with; base64 follows."""

_SHORTEST: Final = 16
_LONGEST: Final = 256
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]+={0,2}", re.ASCII)


def checked_hook_secret(text: str) -> str:
    """Return *text*, a secret for signatures, when it has the form of one.

    Raises:
        InvalidParameter: it has not; the secret itself is not repeated.
    """
    if not _SHORTEST <= len(text) <= _LONGEST or not text.isprintable() or " " in text or "," in text:
        rule = f"must have {_SHORTEST} to {_LONGEST} printable characters without spaces and commas"
        raise InvalidParameter("secret", None, rule)
    if text.startswith(STANDARD) and not _BASE64.fullmatch(text.removeprefix(STANDARD)):
        raise InvalidParameter("secret", None, f"must be base64 after {STANDARD}")
    return text
