"""Secrets at rest: what goes into the database is cipher text, and only its owner's."""

from __future__ import annotations

from typing import NewType, Protocol

import attrs

CipherText = NewType("CipherText", str)


@attrs.frozen
class ApiKey:
    """An exchange key; neither half ever shows in a representation.

    Attributes:
        key: names the key to the exchange.
        secret: signs requests.
    """

    key: str = attrs.field(repr=False)
    secret: str = attrs.field(repr=False)


class Secrets(Protocol):
    """Encrypts exchange keys, each bound to its owner: cipher text copied into another's row is refused."""

    def encrypt(self, owner: str, api_key: ApiKey) -> CipherText:
        """Return *api_key* as cipher text that only *owner*'s row can use.

        Raises:
            NoEncryptionKey: no key is set to encrypt with.
        """

    def decrypt(self, owner: str, cipher: CipherText) -> ApiKey:
        """Return the key.

        Raises:
            CannotDecrypt: it was encrypted under another key, for another owner, or it has been changed.
            NoEncryptionKey: no key is set to decrypt with.
        """

    def rotate(self, owner: str, cipher: CipherText) -> CipherText:
        """Return *cipher* encrypted anew under the first key.

        Raises:
            CannotDecrypt: as `decrypt`.
        """


class Passwords(Protocol):
    """Hashes and checks passwords. Both take a tenth of a second or more of CPU: call them off the event loop."""

    def hash(self, password: str) -> str:
        """Return what is stored of *password*."""

    def check(self, password: str, stored: str) -> bool:
        """Say whether *password* is the one of which *stored* was made."""

    def check_nobody(self, password: str) -> None:
        """Take as long as `check`, for a user there is not: the time must not tell which addresses are known."""


class Draws(Protocol):
    """A source of secrets."""

    def secret(self) -> str:
        """Return 256 random bits as 43 characters that may stand in a link or a cookie: letters, digits, - and _."""
