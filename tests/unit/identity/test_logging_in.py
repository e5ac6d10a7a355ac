from __future__ import annotations

import asyncio

import pytest

from dcacore.application import identity, users
from dcacore.application.identity import Client, NotVerified, TooManyTries, WrongLogin
from dcacore.application.identity.throttling import LOGIN_BY_ADDRESS, LOGIN_BY_ALL, LOGIN_BY_CLIENT
from dcacore.application.refusals import NotFound
from dcacore.ports.identity import SessionId
from tests.unit.identity.hall import ANNA, BERT, GOOD, HERE, OTHER, Hall

DAY = 24 * 3600


async def test_an_unknown_address_is_refused_like_a_wrong_password_and_costs_as_much(hall: Hall) -> None:
    await hall.user()
    told = []
    for email in (ANNA, BERT, "nonsense"):
        before = hall.passwords.checked
        with pytest.raises(WrongLogin) as refused:
            await hall.login(email, OTHER)
        told.append((str(refused.value), hall.passwords.checked - before))
    assert told == [("address or password is wrong", 1)] * 3


async def test_only_the_right_password_learns_that_the_address_is_not_confirmed(hall: Hall) -> None:
    await identity.register(hall.means, email=ANNA, password=GOOD)
    with pytest.raises(WrongLogin):
        await hall.login(password=OTHER)
    with pytest.raises(NotVerified):
        await hall.login(password=GOOD)


@pytest.mark.parametrize("email", [ANNA, BERT])
async def test_guesses_at_one_address_are_limited(hall: Hall, email: str) -> None:
    await hall.user()
    for _ in range(LOGIN_BY_ADDRESS.most):
        with pytest.raises(WrongLogin):
            await hall.login(email, OTHER)
    hall.clock.pass_by(60)
    checked = hall.passwords.checked
    with pytest.raises(TooManyTries, match=r"^too many tries: try again in 840 seconds$") as refused:
        await hall.login(email)
    assert refused.value.wait_s == 14 * 60
    assert hall.passwords.checked == checked  # nothing was tried
    hall.clock.pass_by(14 * 60)
    with pytest.raises(WrongLogin):
        await hall.login(email, OTHER)


@pytest.mark.parametrize("email", [ANNA, BERT])
async def test_guesses_of_many_clients_at_one_address_are_limited(hall: Hall, email: str) -> None:
    await hall.user()
    clients = [Client(address=f"198.51.100.{number}") for number in range(LOGIN_BY_ALL.most // LOGIN_BY_ADDRESS.most)]
    for client in clients * LOGIN_BY_ADDRESS.most:
        with pytest.raises(WrongLogin):
            await identity.login(hall.means, email=email, password=OTHER, client=client)
    with pytest.raises(TooManyTries):
        await hall.login(email)


async def test_a_stranger_who_guesses_keeps_nobody_out(hall: Hall) -> None:
    await hall.user()
    stranger = Client(address="198.51.100.1")
    for _ in range(LOGIN_BY_CLIENT.most):
        with pytest.raises((WrongLogin, TooManyTries)):
            await identity.login(hall.means, email=ANNA, password=OTHER, client=stranger)
    assert (await hall.login()).user.email == ANNA
    with pytest.raises(TooManyTries):  # that Anna has come in gives the stranger no more guesses
        await identity.login(hall.means, email=ANNA, password=OTHER, client=stranger)


async def test_guesses_that_come_at_once_are_counted_one_by_one(hall: Hall) -> None:
    await hall.user()
    tries = await asyncio.gather(*[hall.login(password=OTHER) for _ in range(30)], return_exceptions=True)
    kinds = [type(one).__name__ for one in tries]
    assert (kinds.count("WrongLogin"), kinds.count("TooManyTries")) == (LOGIN_BY_ADDRESS.most, 20)


async def test_getting_in_clears_the_tries_of_the_address_but_not_of_the_client(hall: Hall) -> None:
    await hall.user()
    for _ in range(LOGIN_BY_CLIENT.most // LOGIN_BY_ADDRESS.most):
        for _ in range(LOGIN_BY_ADDRESS.most - 1):
            with pytest.raises(WrongLogin):
                await hall.login(password=OTHER)
        await hall.login()
    with pytest.raises(TooManyTries):
        await hall.login()
    await identity.login(hall.means, email=ANNA, password=GOOD, client=Client(address="192.0.2.2"))


async def test_a_login_makes_a_new_session_and_ends_the_one_before(hall: Hall) -> None:
    await hall.user()
    first = await hall.login()
    second = await hall.login(old=first.secret)
    assert first.secret not in {second.secret, ""}
    assert await identity.find(hall.means, first.secret) is None
    found = await identity.find(hall.means, second.secret)
    assert found is not None
    assert (found.user.email, found.session.address, found.session.agent) == (ANNA, "192.0.2.1", "Firefox")
    assert second.secret not in repr(second)
    planted = await hall.login(old="planted by somebody")
    assert planted.secret != "planted by somebody"


async def test_a_password_that_is_changed_while_it_is_checked_lets_nobody_in(hall: Hall) -> None:
    await hall.user()
    loop, means = asyncio.get_running_loop(), hall.means

    def change() -> None:
        changed = users.reset_password(means.store, means.passwords, email=ANNA, password=OTHER)
        asyncio.run_coroutine_threadsafe(changed, loop).result()

    hall.passwords.meanwhile = change
    with pytest.raises(WrongLogin):
        await hall.login(password=GOOD)


async def test_a_session_ends_when_it_idles_or_grows_old(hall: Hall) -> None:
    await hall.user()
    idle, used = await hall.login(), await hall.login()
    for _ in range(4):
        hall.clock.pass_by(6 * DAY)
        assert await identity.find(hall.means, used.secret) is not None
    assert await identity.find(hall.means, idle.secret) is None
    assert [one.id for one in await identity.sessions_of(hall.means, used.user.id)] == [used.session.id]
    hall.clock.pass_by(6 * DAY)
    assert await identity.find(hall.means, used.secret) is None  # 30 days
    hall.clock.pass_by(1)
    await hall.courier.tidy()
    async with hall.means.store.begin(reads_only=True) as work:
        assert await work.sessions.of(used.user.id) == ()


async def test_use_is_written_down_once_a_minute(hall: Hall) -> None:
    await hall.user()
    opened = await hall.login()
    begun = hall.clock.now()
    for seconds, is_written in ((59, False), (1, True), (59, False), (1, True)):
        hall.clock.pass_by(seconds)
        await identity.find(hall.means, opened.secret)
        (session,) = await identity.sessions_of(hall.means, opened.user.id)
        assert (session.seen_at == hall.clock.now()) == is_written
        assert session.created_at == begun


async def test_sessions_are_listed_and_revoked_by_their_owner_only(hall: Hall) -> None:
    await hall.user()
    await hall.user(BERT)
    mine, other, third = [await hall.login() for _ in range(3)]
    berts = await hall.login(BERT)
    listed = await identity.sessions_of(hall.means, mine.user.id)
    assert {one.id for one in listed} == {mine.session.id, other.session.id, third.session.id}
    with pytest.raises(NotFound):
        await identity.revoke(hall.means, berts.user.id, mine.session.id)
    with pytest.raises(NotFound):
        await identity.revoke(hall.means, mine.user.id, SessionId("none"))
    await identity.revoke(hall.means, mine.user.id, other.session.id)
    assert await identity.find(hall.means, other.secret) is None
    assert await identity.revoke_others(hall.means, mine) == 1
    assert await identity.find(hall.means, third.secret) is None
    assert await identity.find(hall.means, mine.secret) is not None
    assert await identity.find(hall.means, berts.secret) is not None
    await identity.logout(hall.means, mine.secret)
    await identity.logout(hall.means, mine.secret)
    assert await identity.find(hall.means, mine.secret) is None
    assert await identity.find(hall.means, "") is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("unix", "unix"),
        ("", ""),
    ],
)
def test_whom_tries_are_counted_by(address: str, network: str) -> None:
    assert Client(address=address).network == network


def test_what_a_client_says_of_itself_is_cut_short() -> None:
    said = Client(address="x" * 99, agent="evil\r\n\x1b[2J" + "y" * 999)
    assert (len(said.address), said.agent[:8], len(said.agent)) == (45, "evil[2Jy", 200)
    assert HERE.agent == "Firefox"
