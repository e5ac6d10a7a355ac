"""Signatures: HMAC-SHA256 over exactly what was sent."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final
from urllib.parse import unquote

import attrs

HEX: Final = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)


@attrs.frozen
class Signed:
    """A request's text and its signature.

    Attributes:
        payload: what is signed.
        signature: as it came; None when there is none.
    """

    payload: bytes
    signature: str | None


def signed(query: bytes, body: bytes) -> Signed:
    """Return what of a request is signed: query and body, one behind the other, both without `signature`.

    Nothing is decoded or encoded again: the client has signed the very bytes that it sent (rest-api.md,
    "Signed request example", in which a query and a body are mixed).
    """
    found: list[str] = []
    payload = b"".join(_without_signature(part, found) for part in (query, body))
    return Signed(payload, found[0] if found else None)


def _without_signature(text: bytes, found: list[str]) -> bytes:
    kept = []
    for pair in text.split(b"&"):
        name, _, value = pair.partition(b"=")
        if name == b"signature":
            found.append(unquote(value.decode("latin-1")))
        else:
            kept.append(pair)
    return b"&".join(kept)


def sign(secret: str, payload: bytes) -> str:
    """Return the signature of *payload* under *secret*, in lower case."""
    return hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()


def is_signed_by(secret: str, request: Signed) -> bool:
    """Say whether the signature is that of *secret*; its letters may be of either case."""
    given = (request.signature or "").lower()
    return hmac.compare_digest(sign(secret, request.payload), given) if given.isascii() else False
