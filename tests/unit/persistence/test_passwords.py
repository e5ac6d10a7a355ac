"""Passwords, checked exactly as they were given."""

from __future__ import annotations

import pytest

from dcacore.adapters.passwords import LONGEST, BcryptPasswords, PasswordTooLong

PASSWORDS = BcryptPasswords(rounds=4)


@pytest.mark.parametrize(
    "password", ["correct horse", "", " ", "a\0b", "🤖" * 100, "x" * LONGEST, "ﬁ", "\ud800"], ids=range(8)
)
def test_a_password_is_right_and_others_are_not(password: str) -> None:
    stored = PASSWORDS.hash(password)
    assert PASSWORDS.check(password, stored)
    assert not PASSWORDS.check(f"{password[:-1]}y", stored)
    assert stored != PASSWORDS.hash(password)


def test_every_character_counts() -> None:
    stored = PASSWORDS.hash("x" * 100 + "a")
    assert not PASSWORDS.check("x" * 100 + "b", stored)
    assert not PASSWORDS.check("x" * 72, stored)
    assert not PASSWORDS.check("a\0c", PASSWORDS.hash("a\0b"))


def test_keyboards_may_compose_differently() -> None:
    assert PASSWORDS.check("e\u0301", PASSWORDS.hash("\u00e9"))
    assert not PASSWORDS.check("E", PASSWORDS.hash("e"))


def test_a_password_that_is_too_long_is_refused() -> None:
    with pytest.raises(PasswordTooLong, match="1,024"):
        PASSWORDS.hash("x" * (LONGEST + 1))
    assert not PASSWORDS.check("x" * (LONGEST + 1), PASSWORDS.hash("x" * LONGEST))
    PASSWORDS.check_nobody("x" * (LONGEST + 1))


@pytest.mark.parametrize("stored", ["", "nonsense", "$2b$04$short", "ünsinn"])
def test_what_is_no_hash_is_never_right(stored: str) -> None:
    assert not PASSWORDS.check("", stored)
    assert not PASSWORDS.check("nobody", stored)


def test_nobody_costs_as_much_as_somebody() -> None:
    PASSWORDS.check_nobody("x")
    nobody = PASSWORDS._nobody()
    assert nobody == PASSWORDS._nobody()
    assert nobody.split("$")[2] == PASSWORDS.hash("x").split("$")[2]
