"""Exchange keys as cipher text."""

from __future__ import annotations

import pytest

from dcacore.adapters.fernet import FernetSecrets, generate_key
from dcacore.ports.errors import CannotDecrypt, NoEncryptionKey
from dcacore.ports.secrets import ApiKey, CipherText

CANARY = ApiKey("canary-key-ñ", "canary-secret-🤖")


@pytest.fixture
def key() -> str:
    return generate_key()


def test_what_was_encrypted_comes_back(key: str) -> None:
    secrets = FernetSecrets(key)
    cipher = secrets.encrypt("ann", CANARY)
    assert secrets.decrypt("ann", cipher) == CANARY
    assert "canary" not in cipher
    assert cipher != secrets.encrypt("ann", CANARY)


def test_cipher_text_in_anothers_row_is_refused(key: str) -> None:
    secrets = FernetSecrets(key)
    cipher = secrets.encrypt("ann", CANARY)
    for refused in (secrets.decrypt, secrets.rotate):
        with pytest.raises(CannotDecrypt, match="another account"):
            refused("bob", cipher)


@pytest.mark.parametrize("cipher", ["", "gAAAA", "nonsense", "ünsinn", "x" * 1_000])
def test_what_is_no_cipher_text_is_refused(key: str, cipher: str) -> None:
    with pytest.raises(CannotDecrypt):
        FernetSecrets(key).decrypt("ann", CipherText(cipher))


def test_changed_cipher_text_is_refused(key: str) -> None:
    cipher = FernetSecrets(key).encrypt("ann", CANARY)
    middle = len(cipher) // 2
    changed = cipher[:middle] + ("A" if cipher[middle] != "A" else "B") + cipher[middle + 1 :]
    with pytest.raises(CannotDecrypt):
        FernetSecrets(key).decrypt("ann", CipherText(changed))


def test_another_key_is_refused_and_says_so(key: str) -> None:
    cipher = FernetSecrets(key).encrypt("ann", CANARY)
    with pytest.raises(CannotDecrypt, match="ENCRYPTION_KEY is another"):
        FernetSecrets(generate_key()).decrypt("ann", cipher)


def test_keys_are_replaced_step_by_step(key: str) -> None:
    new = generate_key()
    old_cipher = FernetSecrets(key).encrypt("ann", CANARY)
    both = FernetSecrets(f" {new} ,{key},")
    assert both.decrypt("ann", old_cipher) == CANARY
    rotated = both.rotate("ann", old_cipher)
    assert FernetSecrets(new).decrypt("ann", rotated) == CANARY
    assert both.decrypt("ann", both.rotate("ann", rotated)) == CANARY


@pytest.mark.parametrize("keys", ["", " ", ",", " , "])
def test_without_a_key_nothing_works(keys: str) -> None:
    secrets = FernetSecrets(keys)
    with pytest.raises(NoEncryptionKey, match="not set"):
        secrets.encrypt("ann", CANARY)
    for refused in (secrets.decrypt, secrets.rotate):
        with pytest.raises(NoEncryptionKey, match="not set"):
            refused("ann", CipherText("gAAAA"))


@pytest.mark.parametrize("keys", ["canary", "canary-ünsinn", "canary" * 20])
def test_what_is_no_key_is_refused_without_showing_it(key: str, keys: str) -> None:
    with pytest.raises(NoEncryptionKey, match="is no key") as refusal:
        FernetSecrets(f"{key},{keys}")
    assert "canary" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_nothing_secret_shows(key: str) -> None:
    assert "canary" not in repr(CANARY)
    assert key not in repr(FernetSecrets(key))
