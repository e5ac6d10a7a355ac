"""Signs as Polar does: with both kinds of keys."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
from enum import Enum

from dcacore.ports.hook_secret import STANDARD


class Scheme(Enum):
    """Which bytes of a secret are the key."""

    WHOLE = "whole"
    STANDARD = "standard"


def key_of(secret: str, scheme: Scheme) -> bytes:
    """Return the key that Polar signs with."""
    return secret.encode() if scheme is Scheme.WHOLE else base64.b64decode(secret.removeprefix(STANDARD))


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """Return one signature of a message, as it stands in the header."""
    signed = message_id.encode() + b"." + timestamp.encode() + b"." + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def signed_headers(
    secret: str, message_id: str, at: datetime.datetime, body: bytes, scheme: Scheme = Scheme.STANDARD
) -> dict[str, str]:
    """Return the headers of a delivery, by lower-case name."""
    timestamp = str(int(at.timestamp()))
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(key_of(secret, scheme), message_id, timestamp, body),
    }
