"""Passwords, as bcrypt hashes."""

from __future__ import annotations

from dcacore.adapters.passwords._bcrypt import LONGEST, BcryptPasswords, PasswordTooLong

__all__ = ["LONGEST", "BcryptPasswords", "PasswordTooLong"]
