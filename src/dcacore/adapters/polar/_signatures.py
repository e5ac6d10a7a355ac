"""Signatures of webhooks: Standard Webhooks, with the two kinds of keys that Polar makes of a secret."""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Final

from dcacore.ports.errors import BadSignature
from dcacore.ports.hook_secret import STANDARD, checked_hook_secret

_TOLERANCE: Final = datetime.timedelta(minutes=5)
_LONGEST_ID: Final = 128
_LONGEST_TIME: Final = 12
_LONGEST_HEADER: Final = 4096
_VERSION: Final = "v1,"


def keys_of(secret: str) -> Iterator[bytes]:
    """Yield the keys that a secret may mean: the whole text, and what the part after its prefix is base64 of.

    Which of them Polar signs with depends on when the secret was made, which the secret does not show.

    Raises:
        InvalidParameter: it has not the form of a secret.
    """
    yield checked_hook_secret(secret).encode()
    if secret.startswith(STANDARD):
        coded = secret.removeprefix(STANDARD).rstrip("=")
        try:
            yield base64.b64decode(coded + "=" * (-len(coded) % 4), altchars=_altchars(coded), validate=True)
        except (binascii.Error, ValueError):
            return  # an older secret, whose text only looks so


def _altchars(coded: str) -> bytes | None:
    return b"-_" if "-" in coded or "_" in coded else None


def checked(
    keys: tuple[bytes, ...], headers: Mapping[str, str], body: bytes, now: datetime.datetime
) -> tuple[str, datetime.datetime]:
    """Return the id and the time of a message, when one of *keys* has signed it a short time ago.

    Raises:
        BadSignature: none has, or it was at another time.
    """
    message_id, written, given = (_header(headers, f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    if len(message_id) > _LONGEST_ID or len(given) > _LONGEST_HEADER:
        raise BadSignature("the headers are too long")
    sent_at = _sent_at(written)
    if abs(now - sent_at) > _TOLERANCE:
        raise BadSignature("the signature is of another time: it is too old, or a clock is wrong")
    signed = f"{message_id}.{written}.".encode() + body
    rights = [hmac.digest(key, signed, hashlib.sha256) for key in keys]
    theirs = [_hash(part) for part in given.split(" ")]
    # Every pair is compared, so that the time taken says nothing about which one fits.
    if not sum(hmac.compare_digest(one, other) for one in rights for other in theirs):
        raise BadSignature("no key of ours has signed this")
    return message_id, sent_at


def _header(headers: Mapping[str, str], name: str) -> str:
    text = headers.get(name, "")
    if not text or not text.isascii() or not text.isprintable():
        raise BadSignature(f"the header {name} is missing or odd")
    return text


def _sent_at(written: str) -> datetime.datetime:
    if not written.isdigit() or len(written) > _LONGEST_TIME:
        raise BadSignature("the time of the signature is no time")
    try:
        return datetime.datetime.fromtimestamp(int(written), datetime.UTC)
    except (ValueError, OverflowError, OSError):
        raise BadSignature("the time of the signature is no time") from None


def _hash(part: str) -> bytes:
    """Return the hash that a part of the header bears; an empty one, which fits nothing, when it bears none."""
    if not part.startswith(_VERSION):
        return b""
    try:
        return base64.b64decode(part.removeprefix(_VERSION), validate=True)
    except (binascii.Error, ValueError):
        return b""
