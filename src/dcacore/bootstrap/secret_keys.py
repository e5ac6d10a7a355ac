"""Making keys for ENCRYPTION_KEY."""

from __future__ import annotations

from dcacore.adapters.fernet import generate_key

__all__ = ["generate_key"]
