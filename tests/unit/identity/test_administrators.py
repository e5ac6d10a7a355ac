"""Somebody can always look after users; what is done to one ends what it should end."""

from __future__ import annotations

import attrs
import pytest

from dcacore.application import identity, users
from dcacore.application.administering import directory, machinery, user_view
from dcacore.application.administrators import LastAdministrator
from dcacore.application.identity import inviting
from dcacore.application.identity.leaving import remove_user
from dcacore.application.refusals import NotFound
from dcacore.domain.ids import UserId
from dcacore.ports.identity import Scope
from dcacore.ports.records import User
from tests.unit.identity.hall import ANNA, BERT, GOOD, Hall
from tests.unit.identity.test_leaving import trading, with_bot


async def administrator(hall: Hall, email: str = ANNA) -> User:
    await hall.user(email)
    return await users.set_admin(hall.means.store, email=email, is_admin=True)


async def test_the_last_administrator_stays_one(hall: Hall) -> None:
    anna = await administrator(hall)
    opened = await hall.login()
    with pytest.raises(LastAdministrator, match="the last administrator"):
        await users.set_admin(hall.means.store, email=ANNA, is_admin=False)
    with pytest.raises(LastAdministrator):
        await remove_user(hall.means.store, anna.id)
    with pytest.raises(LastAdministrator):
        await identity.delete_account(hall.means, opened, password=GOOD)
    bert = await administrator(hall, BERT)
    assert (await users.set_admin(hall.means.store, email=BERT, is_admin=False)).is_admin is False
    with pytest.raises(LastAdministrator):
        await users.set_admin(hall.means.store, email=ANNA, is_admin=False)
    await users.set_admin(hall.means.store, email=BERT, is_admin=True)
    await identity.delete_account(hall.means, opened, password=GOOD)
    assert [it.id for it in await users.everyone(hall.means.store)] == [bert.id]


async def test_one_who_cannot_sign_in_does_not_count(hall: Hall) -> None:
    await administrator(hall)
    store = hall.means.store
    bert = await users.create(store, hall.clock, hall.means.ids, hall.passwords, email=BERT, password=GOOD)
    await users.set_admin(store, email=BERT, is_admin=True)
    with pytest.raises(LastAdministrator):
        await users.set_admin(store, email=ANNA, is_admin=False)
    assert not (await users.set_admin(store, email=BERT, is_admin=False)).is_admin  # Anna is left, who can
    await users.verify(store, hall.clock, email=BERT)
    await users.set_admin(store, email=BERT, is_admin=True)
    assert not (await users.set_admin(store, email=ANNA, is_admin=False)).is_admin
    assert bert.verified_at is None


async def test_one_who_has_never_chosen_a_password_does_not_count(hall: Hall) -> None:
    await administrator(hall)
    await inviting.invite(hall.means, email=BERT, is_admin=True)
    await users.verify(hall.means.store, hall.clock, email=BERT)
    with pytest.raises(LastAdministrator):
        await users.set_admin(hall.means.store, email=ANNA, is_admin=False)
    assert not (await users.set_admin(hall.means.store, email=BERT, is_admin=False)).is_admin


async def test_who_is_no_administrator_may_be_none_any_more(hall: Hall) -> None:
    await hall.user()
    assert not (await users.set_admin(hall.means.store, email=ANNA, is_admin=False)).is_admin
    with pytest.raises(NotFound):
        await users.set_admin(hall.means.store, email=BERT, is_admin=True)


async def test_signing_somebody_out_ends_sessions_and_tokens(hall: Hall) -> None:
    anna = await hall.user()
    opened = await hall.login()
    made = await identity.make_token(hall.means, anna.id, name="program", scope=Scope.READ)
    await users.sign_out(hall.means.store, email=ANNA)
    assert await identity.find(hall.means, opened.secret) is None
    assert await identity.find_token(hall.means, made.secret) is None
    assert (await hall.login()).user.id == anna.id


async def test_who_trades_is_not_removed(hall: Hall) -> None:
    await trading(hall)
    (anna,) = await users.everyone(hall.means.store)
    with pytest.raises(identity.StillTrading, match="calm"):
        await remove_user(hall.means.store, anna.id)
    assert await users.everyone(hall.means.store) == (anna,)


async def test_somebody_is_removed_with_everything(hall: Hall) -> None:
    record = await with_bot(hall)
    await remove_user(hall.means.store, record.user_id)
    assert await users.everyone(hall.means.store) == ()
    with pytest.raises(NotFound):
        await remove_user(hall.means.store, record.user_id)


async def test_an_administrator_sees_who_is_there(hall: Hall) -> None:
    record = await with_bot(hall)
    bert = await hall.user(BERT)
    opened = await hall.login()
    found = await directory(hall.means.store)
    assert [(it.user.email, it.bots) for it in found.lines] == [(BERT, 0), (ANNA, 1)]
    assert found.lines[1].seen_at == opened.session.seen_at
    assert [it.user for it in (await directory(hall.means.store, text=" bErT\ud800\0")).lines] == [bert]
    view = await user_view(hall.means.store, record.user_id)
    assert (view.accounts, view.sessions, view.tokens, view.line.bots) == (1, 1, 0, 1)
    with pytest.raises(NotFound):
        await user_view(hall.means.store, UserId("nobody"))


async def test_an_administrator_sees_how_the_machinery_is(hall: Hall) -> None:
    await with_bot(hall)
    async with hall.means.store.begin() as work:
        await work.leases.report("engine", 1)
        await work.commit()
    hall.clock.pass_by(10)
    found = await machinery(hall.means.store, hall.clock)
    (engine,) = found.engines
    assert (engine.record.name, engine.silent_s, engine.is_alive, engine.leases) == ("engine", 10, True, None)
    assert found.bots == (("stopped", 1),)
    assert (found.requests, attrs.evolve(found.mail, oldest=None).failed) == (0, 0)
    hall.clock.pass_by(100)
    (engine,) = (await machinery(hall.means.store, hall.clock)).engines
    assert not engine.is_alive
