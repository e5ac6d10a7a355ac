"""bcrypt over SHA-256: bcrypt alone looks at 72 bytes and stops at a NUL, and both halves of a long password count."""

from __future__ import annotations

import base64
import functools
import hashlib
import unicodedata
from typing import Final

import bcrypt

from dcacore.ports.errors import PortError
from dcacore.ports.secrets import Passwords

LONGEST: Final = 1_024
"""How many characters a password may have."""


class PasswordTooLong(PortError):
    """A password is longer than anybody needs, and hashing it could be used to keep the machine busy."""


class BcryptPasswords(Passwords):
    """Hashes and checks passwords. Both take a quarter of a second of CPU: call them off the event loop."""

    def __init__(self, rounds: int = 12) -> None:
        """Take the cost.

        Args:
            rounds: one more takes twice as long. Tests take the least, 4.
        """
        self._rounds = rounds
        self._nobody = functools.cache(lambda: self.hash("nobody"))

    def hash(self, password: str) -> str:
        """Return what is stored of *password*.

        Raises:
            PasswordTooLong: it has more than 1,024 characters.
        """
        return bcrypt.hashpw(_digest(password), bcrypt.gensalt(self._rounds)).decode("ascii")

    def check(self, password: str, stored: str) -> bool:
        """Say whether *password* is the one of which *stored* was made; a password that is too long is not.

        An empty *stored*, a user's without a password, takes as long as any other and is never right.
        """
        if len(password) > LONGEST:
            return False
        if not stored:
            self.check_nobody(password)
            return False
        try:
            return bcrypt.checkpw(_digest(password), stored.encode())
        except ValueError:  # what is stored is no hash
            return False

    def check_nobody(self, password: str) -> None:
        """Take as long as `check`, for a user there is not: the time must not tell which addresses are known."""
        if len(password) <= LONGEST:
            bcrypt.checkpw(_digest(password), self._nobody().encode())


def _digest(password: str) -> bytes:
    if len(password) > LONGEST:
        raise PasswordTooLong(f"a password may have {LONGEST:,} characters at most")
    alike = unicodedata.normalize("NFKC", password)  # one keyboard sends é as one character, another as two
    return base64.b64encode(hashlib.sha256(alike.encode("utf-8", "surrogatepass")).digest())
