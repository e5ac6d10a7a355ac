from __future__ import annotations

import asyncio

import pytest

from dcacore.application import identity, users
from dcacore.application.identity import (
    AddressTaken,
    Client,
    LinkUnusable,
    NotVerified,
    RegistrationClosed,
    TooManyTries,
    Unusable,
)
from dcacore.application.identity.throttling import MAIL_BY_ADDRESS, MAIL_BY_CLIENT
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import AccountId
from dcacore.ports.identity import Registration, Scope
from dcacore.ports.records import Account, Environment, Tier
from tests.strategies import NOON
from tests.unit.identity.hall import ANNA, BERT, GOOD, HERE, OTHER, Hall


async def test_who_registers_gets_a_link_that_lets_in_once_it_is_followed(hall: Hall) -> None:
    assert await identity.register(hall.means, email=" Anna@Example.COM ", password=GOOD, client=HERE) == ANNA
    with pytest.raises(NotVerified):
        await hall.login()
    (mail,) = await hall.mails(ANNA)
    assert mail.subject == "Confirm your address"
    assert mail.link.startswith("https://dca.example.com/verify-email/")
    assert mail.link in mail.text
    assert mail.link in mail.html
    secret = await hall.secret(ANNA)
    assert (await identity.look_at_verification(hall.means, secret)).email == ANNA
    user = await identity.verify(hall.means, secret)
    assert (user.email, user.verified_at, user.tier) == (ANNA, hall.clock.now(), Tier.FREE)
    assert (await hall.login()).user == user


async def test_only_digests_of_secrets_are_stored(hall: Hall) -> None:
    await hall.user()
    opened = await hall.login()
    token = await identity.make_token(hall.means, opened.user.id, name="ci", scope=Scope.READ)
    kept = repr(hall.means.store._tables)  # type: ignore[attr-defined]  # the memory store's
    link_secret = await hall.secret(ANNA)
    for secret in (GOOD, opened.secret, token.secret, link_secret):
        assert secret not in kept
    async with hall.means.store.begin(reads_only=True) as work:
        (session,) = await work.sessions.of(opened.user.id)
    assert session.key != opened.secret
    assert len(session.key) == 64


async def test_a_known_address_is_answered_alike_and_told_by_mail(hall: Hall) -> None:
    await hall.user()
    before = hall.passwords.hashed
    again = await identity.register(hall.means, email=ANNA, password=OTHER)
    new = await identity.register(hall.means, email=BERT, password=OTHER)
    assert (again, new) == (ANNA, BERT)
    assert hall.passwords.hashed == before + 2  # the work is the same
    mail = (await hall.mails(ANNA))[-1]
    assert mail.subject == "You already have an account"
    assert mail.link == ""
    await hall.login(password=GOOD)  # nothing has changed
    assert len(await hall.mails(BERT)) == 1


async def test_who_registers_anew_before_confirming_begins_anew(hall: Hall) -> None:
    await identity.register(hall.means, email=ANNA, password=GOOD)
    old = await hall.secret(ANNA)
    await identity.register(hall.means, email=ANNA, password=OTHER)
    with pytest.raises(LinkUnusable) as refused:
        await identity.verify(hall.means, old)
    assert refused.value.reason is Unusable.UNKNOWN
    await identity.verify(hall.means, await hall.secret(ANNA))
    with pytest.raises(identity.WrongLogin):
        await hall.login(password=GOOD)
    await hall.login(password=OTHER)


async def test_an_account_that_is_used_is_not_begun_anew_though_nobody_has_confirmed_it(hall: Hall) -> None:
    means = hall.means
    anna = await users.create(means.store, means.clock, means.ids, means.passwords, email=ANNA, password=GOOD)
    paper = Account(
        id=AccountId("paper"), user_id=anna.id, name="paper", environment=Environment.PAPER, created_at=NOON
    )
    async with means.store.begin() as work:
        await work.accounts.add(paper)
        await work.commit()
    await users.create(means.store, means.clock, means.ids, means.passwords, email=BERT, password=GOOD, is_admin=True)
    for email in (ANNA, BERT):
        await identity.register(means, email=email, password=OTHER)
        assert (await hall.mails(email))[-1].subject == "You already have an account"
        with pytest.raises(identity.WrongLogin):
            await hall.login(email, OTHER)


async def test_registration_that_is_closed() -> None:
    hall = Hall(registration=Registration.CLOSED)
    with pytest.raises(RegistrationClosed, match="ask an administrator"):
        await identity.register(hall.means, email=ANNA, password=GOOD)
    assert await hall.mails(ANNA) == []


@pytest.mark.parametrize(
    "email",
    [
        "",
        "anna",
        "anna@localhost",
        "a@b..c",
        "a@b.org\r\nBcc: c@d.org",
        "A <a@b.org>",
        "a@b.org,c@d.org",
        "a@[1.2.3.4]",
    ],
)
async def test_what_is_no_address(hall: Hall, email: str) -> None:
    with pytest.raises(InvalidParameter, match="must be an address"):
        await identity.register(hall.means, email=email, password=GOOD)


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("Test123", "8 to 128 characters"),
        ("testtest", "one upper case letter and one digit"),
        ("Password1", "one of the most common ones"),
        ("Robert12", "one of the most common ones"),
        ("Anna@Example1.com", "must not be the address"),
        ("Anna7Sommer", "must not be the address"),
    ],
)
async def test_a_password_that_cannot_be_taken_is_not_repeated(hall: Hall, password: str, rule: str) -> None:
    email = "anna@example1.com" if "@" in password else "anna7sommer@example.com"
    with pytest.raises(InvalidParameter, match=rule) as refused:
        await identity.register(hall.means, email=email, password=password)
    assert password not in str(refused.value)


async def test_mail_to_one_address_is_limited_alike_whether_or_not_somebody_has_it(hall: Hall) -> None:
    await hall.user()
    for _ in range(MAIL_BY_ADDRESS.most - 1):  # one has gone to confirm the address
        await identity.forgot(hall.means, email=ANNA)
    for _ in range(MAIL_BY_ADDRESS.most):
        await identity.forgot(hall.means, email=BERT)
    waits = {}
    for email in (ANNA, BERT):
        with pytest.raises(TooManyTries) as refused:
            await identity.forgot(hall.means, email=email)
        waits[email] = refused.value.wait_s
    assert waits == {ANNA: 3600, BERT: 3600}
    assert len(await hall.mails(ANNA)) == MAIL_BY_ADDRESS.most
    hall.clock.pass_by(3600)
    await identity.forgot(hall.means, email=ANNA)


async def test_one_client_cannot_mail_everybody(hall: Hall) -> None:
    for number in range(MAIL_BY_CLIENT.most):
        client = Client(address=f"2001:db8::{number:x}")  # all of one customer's
        await identity.register(hall.means, email=f"user{number}@example.com", password=GOOD, client=client)
    with pytest.raises(TooManyTries):
        await identity.resend(hall.means, email=BERT, client=Client(address="2001:db8::ffff"))
    await identity.resend(hall.means, email=BERT, client=Client(address="2001:db8:0:1::1"))


async def test_the_link_is_sent_again_only_to_who_has_to_confirm(hall: Hall) -> None:
    await identity.register(hall.means, email=ANNA, password=GOOD)
    first = await hall.secret(ANNA)
    await identity.resend(hall.means, email="ANNA@example.com")
    second = await hall.secret(ANNA)
    assert first != second
    with pytest.raises(LinkUnusable, match="a newer one has been sent"):
        await identity.verify(hall.means, first)
    await identity.verify(hall.means, second)
    for email in (ANNA, BERT):
        await identity.resend(hall.means, email=email)
    assert len(await hall.mails(ANNA)) == 2
    assert await hall.mails(BERT) == []


async def test_links_that_cannot_be_used(hall: Hall) -> None:
    await identity.register(hall.means, email=ANNA, password=GOOD)
    secret = await hall.secret(ANNA)
    hall.clock.pass_by(24 * 3600)
    for use in (identity.verify, identity.look_at_verification):
        with pytest.raises(LinkUnusable) as expired:
            await use(hall.means, secret)
        assert expired.value.reason is Unusable.EXPIRED
        with pytest.raises(LinkUnusable) as unknown:
            await use(hall.means, "nonsense\udcff")
        assert unknown.value.reason is Unusable.UNKNOWN
    await identity.resend(hall.means, email=ANNA)
    secret = await hall.secret(ANNA)
    with pytest.raises(LinkUnusable) as other_kind:
        await identity.reset(hall.means, secret, password=OTHER)
    assert other_kind.value.reason is Unusable.UNKNOWN
    await identity.verify(hall.means, secret)
    with pytest.raises(LinkUnusable) as used:
        await identity.verify(hall.means, secret)
    assert used.value.reason is Unusable.USED
    assert secret not in str(used.value)


async def test_of_two_at_once_one_uses_the_link(hall: Hall) -> None:
    await identity.register(hall.means, email=ANNA, password=GOOD)
    secret = await hall.secret(ANNA)
    both = await asyncio.gather(*[identity.verify(hall.means, secret) for _ in range(2)], return_exceptions=True)
    assert sorted(type(one).__name__ for one in both) == ["LinkUnusable", "User"]


async def test_of_two_who_register_one_address_at_once_one_account_comes(hall: Hall) -> None:
    await asyncio.gather(*[identity.register(hall.means, email=ANNA, password=password) for password in (GOOD, OTHER)])
    assert len(await users.everyone(hall.means.store)) == 1


async def test_another_address_counts_when_it_has_been_confirmed(hall: Hall) -> None:
    await hall.user()
    opened = await hall.login()
    await identity.forgot(hall.means, email=ANNA)
    old_reset = await hall.secret(ANNA)
    assert await identity.change_email(hall.means, opened, password=GOOD, email="New@Example.com") == "new@example.com"
    await hall.login()
    user = await identity.verify(hall.means, await hall.secret("new@example.com"))
    assert user.email == "new@example.com"
    told = (await hall.mails(ANNA))[-1]
    assert told.subject == "Your address has changed"
    assert "new@example.com" in told.text
    with pytest.raises(identity.WrongLogin):
        await hall.login()
    await hall.login("new@example.com")
    with pytest.raises(LinkUnusable):  # who reads the old mailbox does not get in by it
        await identity.reset(hall.means, old_reset, password=OTHER)


async def test_another_address_is_refused(hall: Hall) -> None:
    await hall.user()
    await hall.user(BERT)
    opened = await hall.login()
    with pytest.raises(identity.WrongPassword):
        await identity.change_email(hall.means, opened, password=OTHER, email=BERT)
    with pytest.raises(InvalidParameter, match="is the address that the account has"):
        await identity.change_email(hall.means, opened, password=GOOD, email=ANNA)
    with pytest.raises(InvalidParameter, match="must be an address"):
        await identity.change_email(hall.means, opened, password=GOOD, email="nobody")
    assert await identity.change_email(hall.means, opened, password=GOOD, email=BERT) == BERT
    mail = (await hall.mails(BERT))[-1]
    assert (mail.subject, mail.link) == ("You already have an account", "")


async def test_an_address_that_somebody_else_takes_first(hall: Hall) -> None:
    await hall.user()
    opened = await hall.login()
    await identity.change_email(hall.means, opened, password=GOOD, email=BERT)
    secret = await hall.secret(BERT)
    await identity.register(hall.means, email=BERT, password=OTHER)
    with pytest.raises(AddressTaken):
        await identity.verify(hall.means, secret)
    assert (await hall.login()).user.email == ANNA
