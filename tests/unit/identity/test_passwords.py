from __future__ import annotations

import asyncio

import pytest

from dcacore.application import identity, users
from dcacore.application.identity import LinkUnusable, TooManyTries, Unusable, WrongLogin, WrongPassword
from dcacore.application.identity.throttling import LOGIN_BY_ADDRESS, PASSWORD_BY_USER
from dcacore.domain.errors import InvalidParameter
from dcacore.ports.identity import Scope
from tests.unit.identity.hall import ANNA, BERT, GOOD, HERE, OTHER, Hall


async def test_a_forgotten_password_is_set_by_a_link_and_all_sessions_end(hall: Hall) -> None:
    await hall.user()
    opened = await hall.login()
    await identity.forgot(hall.means, email="Anna@example.com")
    mail = (await hall.mails(ANNA))[-1]
    assert mail.link.startswith("https://dca.example.com/reset-password/")
    secret = await hall.secret(ANNA)
    assert (await identity.look_at_reset(hall.means, secret)).email == ANNA
    await identity.reset(hall.means, secret, password=OTHER)
    assert await identity.find(hall.means, opened.secret) is None
    await hall.login(password=OTHER)
    assert (await hall.mails(ANNA))[-1].subject == "Your password has changed"
    with pytest.raises(LinkUnusable) as used:
        await identity.reset(hall.means, secret, password=GOOD)
    assert used.value.reason is Unusable.USED


async def test_nobody_is_told_whether_an_address_is_known(hall: Hall) -> None:
    await hall.user()
    outcomes = [await identity.forgot(hall.means, email=email) for email in (ANNA, BERT, "nonsense")]  # type: ignore[func-returns-value]
    assert outcomes == [None, None, None]
    assert await hall.mails(BERT) == []


async def test_the_link_is_good_for_an_hour(hall: Hall) -> None:
    await hall.user()
    await identity.forgot(hall.means, email=ANNA)
    secret = await hall.secret(ANNA)
    hall.clock.pass_by(3600)
    hashed = hall.passwords.hashed
    with pytest.raises(LinkUnusable) as expired:
        await identity.reset(hall.means, secret, password=OTHER)
    assert expired.value.reason is Unusable.EXPIRED
    assert hall.passwords.hashed == hashed  # no link, no work


async def test_a_password_that_breaks_the_rule_leaves_the_link(hall: Hall) -> None:
    await hall.user()
    await identity.forgot(hall.means, email=ANNA)
    secret = await hall.secret(ANNA)
    with pytest.raises(InvalidParameter):
        await identity.reset(hall.means, secret, password="Password1")
    await identity.reset(hall.means, secret, password=OTHER)


async def test_who_has_guessed_too_often_comes_in_by_a_link(hall: Hall) -> None:
    await hall.user()
    for _ in range(LOGIN_BY_ADDRESS.most):
        with pytest.raises(WrongLogin):
            await hall.login(password=OTHER)
    await identity.forgot(hall.means, email=ANNA)
    await identity.reset(hall.means, await hall.secret(ANNA), password=OTHER, client=HERE)
    await hall.login(password=OTHER)


async def test_of_two_at_once_one_sets_the_password(hall: Hall) -> None:
    await hall.user()
    await identity.forgot(hall.means, email=ANNA)
    secret = await hall.secret(ANNA)
    tries = [identity.reset(hall.means, secret, password=password) for password in (GOOD, OTHER)]
    both = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(one).__name__ for one in both) == ["LinkUnusable", "User"]


async def test_a_link_that_came_confirms_the_address_too(hall: Hall) -> None:
    await identity.register(hall.means, email=ANNA, password=GOOD)
    await hall.mails(ANNA)
    await identity.forgot(hall.means, email=ANNA)
    user = await identity.reset(hall.means, await hall.secret(ANNA), password=OTHER)
    assert user.verified_at == hall.clock.now()
    await hall.login(password=OTHER)


async def test_a_changed_password_ends_other_sessions_and_links(hall: Hall) -> None:
    await hall.user()
    mine, other = await hall.login(), await hall.login()
    await identity.forgot(hall.means, email=ANNA)
    reset = await hall.secret(ANNA)
    await identity.change_email(hall.means, other, password=GOOD, email=BERT)
    to_bert = await hall.secret(BERT)
    opened = await identity.change_password(hall.means, mine, current=GOOD, password=OTHER)
    found = await identity.find(hall.means, opened.secret)
    assert found is not None
    assert (found.session.address, found.session.agent) == (mine.session.address, mine.session.agent)
    for old in (mine, other):  # mine, too: somebody may have seen its secret
        assert await identity.find(hall.means, old.secret) is None
    for use in (identity.reset(hall.means, reset, password=GOOD), identity.verify(hall.means, to_bert)):
        with pytest.raises(LinkUnusable):
            await use
    assert (await hall.mails(ANNA))[-1].subject == "Your password has changed"
    await hall.login(password=OTHER)


async def test_the_current_password_is_asked_for_and_cannot_be_guessed_at(hall: Hall) -> None:
    await hall.user()
    opened = await hall.login()
    for _ in range(PASSWORD_BY_USER.most):
        with pytest.raises(WrongPassword):
            await identity.change_password(hall.means, opened, current="wrong", password=OTHER)
    with pytest.raises(TooManyTries):
        await identity.change_password(hall.means, opened, current=GOOD, password=OTHER)
    with pytest.raises(TooManyTries):
        await identity.delete_account(hall.means, opened, password=GOOD)
    hall.clock.pass_by(15 * 60)
    with pytest.raises(InvalidParameter):
        await identity.change_password(hall.means, opened, current=GOOD, password="Password1")
    await identity.change_password(hall.means, opened, current=GOOD, password=OTHER)


async def test_of_two_changes_at_once_one_counts(hall: Hall) -> None:
    await hall.user()
    opened = await hall.login()
    changes = [
        identity.change_password(hall.means, opened, current=GOOD, password=password)
        for password in (OTHER, OTHER + "2")
    ]
    both = await asyncio.gather(*changes, return_exceptions=True)
    assert sorted(type(one).__name__ for one in both) == ["Opened", "WrongPassword"]


async def test_who_had_the_account_before_a_reset_has_nothing_of_it_any_more(hall: Hall) -> None:
    user = await hall.user()
    theirs = await identity.make_token(hall.means, user.id, name="theirs", scope=Scope.TRADE)
    await identity.forgot(hall.means, email=ANNA)
    await identity.reset(hall.means, await hall.secret(ANNA), password=OTHER)
    assert await identity.find_token(hall.means, theirs.secret) is None
    assert await identity.tokens_of(hall.means, user.id) == ()


async def test_a_password_that_an_administrator_sets_ends_tokens_and_links_too(hall: Hall) -> None:
    user = await hall.user()
    opened = await hall.login()
    theirs = await identity.make_token(hall.means, user.id, name="theirs", scope=Scope.TRADE)
    await identity.change_email(hall.means, opened, password=GOOD, email=BERT)
    to_bert = await hall.secret(BERT)
    await users.reset_password(hall.means.store, hall.passwords, email=ANNA, password=OTHER)
    assert await identity.find_token(hall.means, theirs.secret) is None
    with pytest.raises(LinkUnusable):
        await identity.verify(hall.means, to_bert)
