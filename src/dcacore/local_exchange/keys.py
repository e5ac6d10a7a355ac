"""Whose request it is: API keys and their secrets.

An HMAC signature proves that somebody knows the secret and does not tell it, so the secret of a key has to be told
once by another way: `--key KEY:SECRET`, or the control interface. Until then the key is an account all the same, so
that any client can begin without ceremony. Its signatures are then held to what can be known without the secret: 64
hexadecimal digits that look like chance, the same for the same text, and never the same for another text.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from dcacore.local_exchange.errors import error
from dcacore.local_exchange.signing import HEX, Signed, is_signed_by

_REMEMBERED: Final = 20_000
_LEAST_DIFFERENT: Final = 8
"""Fewer different digits than this has not one signature in 10^18: then it was made up, as 000...0 is."""


class KeyRing:
    """The secrets of all keys that have told theirs."""

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._secrets = dict(secrets or {})
        self._seen: OrderedDict[tuple[str, str | bytes], str | bytes] = OrderedDict()

    def tell(self, key: str, secret: str) -> bool:
        """Take *secret* for that of *key*; False when the key has told another one before: that one stays."""
        return self._secrets.setdefault(key, secret) == secret

    @property
    def secrets(self) -> Mapping[str, str]:
        """The secrets that are known, by key."""
        return self._secrets

    def check(self, key: str, request: Signed) -> None:
        """Refuse a request that *key* cannot have signed.

        Raises:
            ApiError: -1102 without a signature, -1022 with a wrong one.
        """
        if not request.signature:
            raise error(-1102, name="signature")
        secret = self._secrets.get(key)
        if secret is not None:
            if not is_signed_by(secret, request):
                raise error(-1022)
        elif not HEX.fullmatch(request.signature) or not self._fits(key, request):
            raise error(-1022)

    def _fits(self, key: str, request: Signed) -> bool:
        """Say whether one secret can have made this signature and all that were seen of *key* before."""
        signature = (request.signature or "").lower()
        if len(set(signature)) < _LEAST_DIFFERENT:
            return False
        payload = hashlib.sha256(request.payload).digest()  # as itself it may be of any size
        by_text, by_signature = (key, payload), (key, signature)
        if self._seen.get(by_text, signature) != signature:
            return False
        if self._seen.get(by_signature, payload) != payload:
            return False
        self._seen[by_text], self._seen[by_signature] = signature, payload
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True
