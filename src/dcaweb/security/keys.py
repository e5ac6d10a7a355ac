"""The secret that signs what browsers bring back."""

from __future__ import annotations

import hashlib
import hmac

from dcacore.settings import Settings


def signing_secret(settings: Settings) -> str:
    """Return SECRET_KEY, or what follows from the first of ENCRYPTION_KEY, from which that cannot be found."""
    if settings.secret_key:
        return settings.secret_key
    first = settings.encryption_key.partition(",")[0].strip()
    return hmac.new(first.encode(), b"dcaweb: what browsers bring back", hashlib.sha256).hexdigest()
