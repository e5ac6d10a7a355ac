from __future__ import annotations

import attrs
import pytest

from dcacore.application import users
from dcacore.application.refusals import NotFound
from dcacore.domain.errors import InvalidParameter
from dcacore.ports.errors import Conflict
from dcacore.ports.records import Tier
from tests.unit.application.office import GOOD_PASSWORD, Office


async def test_a_new_user_is_stored_in_lower_case_and_without_the_password(office: Office) -> None:
    user = await users.create(
        *office.means, office.passwords, email=" Anna@Example.COM ", password=GOOD_PASSWORD, is_admin=True
    )
    assert (user.email, user.tier, user.is_admin, user.verified_at) == ("anna@example.com", Tier.FREE, True, None)
    assert await users.find(office.store, "ANNA@example.com") == user
    assert office.passwords.check(GOOD_PASSWORD, user.password_hash)
    assert GOOD_PASSWORD not in repr(user)


async def test_an_address_is_taken_once(office: Office) -> None:
    await office.user()
    with pytest.raises(Conflict, match=r"^there is a user anna@example.com already$"):
        await office.user("ANNA@example.com")


@pytest.mark.parametrize(
    "email",
    [
        "",
        "anna",
        "anna@",
        "@example.com",
        "anna@example",
        "a b@example.com",
        "a@b..c",
        "a\x00@b.org",
        "a" * 250 + "@b.org",
    ],
)
async def test_an_address_that_is_none(office: Office, email: str) -> None:
    with pytest.raises(InvalidParameter, match="must be an address"):
        await office.user(email)


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("Test123", "8 to 128 characters"),
        ("T1" + "x" * 127, "8 to 128 characters"),
        ("test1234", "one upper case letter"),
        ("TEST1234", "one lower case letter"),
        ("Testtest", "one digit"),
        ("testtest", "one upper case letter and one digit"),
    ],
)
async def test_a_password_that_breaks_its_rule_is_not_repeated(office: Office, password: str, rule: str) -> None:
    with pytest.raises(InvalidParameter, match=rule) as refused:
        await users.create(*office.means, office.passwords, email="a@b.org", password=password)
    assert password not in str(refused.value)
    assert await users.everyone(office.store) == ()


async def test_the_only_user_need_not_be_named(office: Office) -> None:
    with pytest.raises(NotFound, match="no user yet"):
        await users.find(office.store, None)
    anna = await office.user()
    assert await users.find(office.store, None) == anna
    bert = await office.user("bert@example.com")
    assert await users.find(office.store, "bert@example.com") == bert
    with pytest.raises(NotFound, match="there are 2: say which one"):
        await users.find(office.store, None)
    with pytest.raises(NotFound, match=r"^there is no user carl@example.com$"):
        await users.find(office.store, "carl@example.com")


async def test_verifying_twice_keeps_the_first_time(office: Office) -> None:
    await office.user()
    first = await users.verify(office.store, office.clock, email="anna@example.com")
    assert first.verified_at == office.clock.now()
    office.clock.pass_by(60)
    assert await users.verify(office.store, office.clock, email="anna@example.com") == first


async def test_another_tier_and_another_password(office: Office) -> None:
    anna = await office.user(tier=Tier.FREE)
    changed = await users.set_tier(*office.means, email=anna.email, tier=Tier.PRO)
    assert changed == attrs.evolve(anna, tier=Tier.PRO, given_tier=Tier.PRO)
    changed = await users.reset_password(office.store, office.passwords, email=anna.email, password="Other5678")
    assert office.passwords.check("Other5678", changed.password_hash)
    assert await users.everyone(office.store) == (changed,)
    with pytest.raises(InvalidParameter):
        await users.reset_password(office.store, office.passwords, email=anna.email, password="short")
    with pytest.raises(NotFound):
        await users.set_tier(*office.means, email="nobody@example.com", tier=Tier.PRO)
