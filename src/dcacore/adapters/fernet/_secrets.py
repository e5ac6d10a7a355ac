"""Encryption under one or several keys: the first encrypts, all decrypt, so that a key can be replaced step by step."""

from __future__ import annotations

import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from dcacore.ports.errors import CannotDecrypt, NoEncryptionKey
from dcacore.ports.secrets import ApiKey, CipherText, Secrets

_NO_KEY = "ENCRYPTION_KEY is not set: exchange keys can be neither stored nor read"
_BAD_KEY = "ENCRYPTION_KEY is no key: each one, separated by commas, must be 32 bytes in URL-safe base64"
_WRONG_KEY = "the stored exchange key cannot be decrypted: ENCRYPTION_KEY is another than the one it was stored under"
_WRONG_OWNER = "the stored exchange key cannot be decrypted: it was stored for another account"


def generate_key() -> str:
    """Return a new key for ENCRYPTION_KEY."""
    return Fernet.generate_key().decode("ascii")


class FernetSecrets(Secrets):
    """Exchange keys as cipher text that names its owner inside, where nobody can change it."""

    def __init__(self, keys: str) -> None:
        """Take the keys.

        Args:
            keys: separated by commas, the newest first; empty when there are none, and then nothing works.

        Raises:
            NoEncryptionKey: one of them is no key.
        """
        given = [key.strip() for key in keys.split(",") if key.strip()]
        try:
            made = [Fernet(key) for key in given]
        except ValueError:
            raise NoEncryptionKey(_BAD_KEY) from None  # the cause would show a part of the key
        self._fernet = MultiFernet(made) if made else None

    def __repr__(self) -> str:
        """Return the name and nothing else."""
        return "FernetSecrets()"

    def encrypt(self, owner: str, api_key: ApiKey) -> CipherText:
        clear = json.dumps([owner, api_key.key, api_key.secret]).encode()
        return CipherText(self._keys().encrypt(clear).decode("ascii"))

    def decrypt(self, owner: str, cipher: CipherText) -> ApiKey:
        keys = self._keys()
        try:
            clear = keys.decrypt(cipher.encode())
        except (InvalidToken, UnicodeEncodeError):
            raise CannotDecrypt(_WRONG_KEY) from None
        match json.loads(clear):
            case [str(whose), str(key), str(secret)]:
                if whose == owner:
                    return ApiKey(key, secret)
                raise CannotDecrypt(_WRONG_OWNER)
            case _:
                raise CannotDecrypt(_WRONG_KEY)

    def rotate(self, owner: str, cipher: CipherText) -> CipherText:
        return self.encrypt(owner, self.decrypt(owner, cipher))

    def _keys(self) -> MultiFernet:
        if self._fernet is None:
            raise NoEncryptionKey(_NO_KEY)
        return self._fernet
