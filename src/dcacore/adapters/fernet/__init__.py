"""Exchange keys as cipher text, with Fernet (AES-128-CBC and HMAC-SHA256)."""

from __future__ import annotations

from dcacore.adapters.fernet._secrets import FernetSecrets, generate_key

__all__ = ["FernetSecrets", "generate_key"]
