from __future__ import annotations

import datetime

import pytest

from dcacore.application import identity
from dcacore.application.identity.inviting import invite, send_password_link
from dcacore.application.refusals import NotFound
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import UserId
from dcacore.ports.errors import Conflict
from dcacore.ports.identity import Registration
from dcacore.ports.records import Tier
from tests.unit.identity.hall import ANNA, GOOD, Hall


async def test_who_is_invited_chooses_a_password_and_has_shown_the_address(hall: Hall) -> None:
    invited = await invite(hall.means, email=" Anna@Example.COM ", tier=Tier.PRO)
    assert (invited.email, invited.tier, invited.is_admin, invited.verified_at) == (ANNA, Tier.PRO, False, None)
    with pytest.raises(identity.WrongLogin):
        await hall.login(password=GOOD)
    mail = (await hall.mails(ANNA))[-1]
    assert "within 72 hours" in mail.text
    hall.clock.pass_by(datetime.timedelta(hours=71).total_seconds())
    await identity.reset(hall.means, await hall.secret(ANNA), password=GOOD)
    assert (await hall.login()).user.tier is Tier.PRO


async def test_registration_may_be_closed(hall: Hall) -> None:
    closed = Hall(registration=Registration.CLOSED)
    await invite(closed.means, email=ANNA)
    await identity.reset(closed.means, await closed.secret(ANNA), password=GOOD)
    assert (await closed.login()).user.email == ANNA


async def test_an_address_is_invited_once_and_must_be_one(hall: Hall) -> None:
    await invite(hall.means, email=ANNA)
    with pytest.raises(Conflict, match=r"there is a user anna@example.com already"):
        await invite(hall.means, email=ANNA)
    with pytest.raises(InvalidParameter, match="must be an address"):
        await invite(hall.means, email="anna")


async def test_a_link_is_sent_again(hall: Hall) -> None:
    invited = await invite(hall.means, email=ANNA)
    first = await hall.secret(ANNA)
    await send_password_link(hall.means, invited.id)
    assert "invited" in (await hall.mails(ANNA))[-1].subject
    with pytest.raises(identity.LinkUnusable):
        await identity.reset(hall.means, first, password=GOOD)
    await identity.reset(hall.means, await hall.secret(ANNA), password=GOOD)
    await send_password_link(hall.means, invited.id)
    assert (await hall.mails(ANNA))[-1].subject == "Set a new password"
    assert (await hall.login()).user.id == invited.id  # the password stays until the link is followed
    with pytest.raises(NotFound):
        await send_password_link(hall.means, UserId("nobody"))
