from __future__ import annotations

import datetime

import attrs
import pytest

from dcacore.application import identity
from dcacore.application.identity import Changes, TooManyTokens
from dcacore.application.refusals import NotFound
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import UserId
from dcacore.ports.errors import Conflict
from dcacore.ports.identity import ApiTokenId, Channels, Occasion, Preferences, Scope, Theme
from tests.unit.identity.hall import ANNA, BERT, GOOD, Hall

HOUR = datetime.timedelta(hours=1)


async def test_a_token_lets_a_program_in_until_it_expires_or_is_revoked(hall: Hall) -> None:
    user = await hall.user()
    bert = await hall.user(BERT)
    until = hall.clock.now() + HOUR
    made = await identity.make_token(hall.means, user.id, name=" ci ", scope=Scope.READ, expires_at=until)
    lasting = await identity.make_token(hall.means, user.id, name="trader", scope=Scope.TRADE)
    assert made.secret.startswith("dca_")
    assert made.secret not in repr(made)
    found = await identity.find_token(hall.means, made.secret)
    assert found is not None
    assert (found.user, found.token.name, found.token.scope) == (user, "ci", Scope.READ)
    assert found.token.used_at == hall.clock.now()
    listed = await identity.tokens_of(hall.means, user.id)
    assert {one.name: one.used_at for one in listed} == {"ci": hall.clock.now(), "trader": None}
    for nonsense in ("", "dca_", made.secret[4:], made.secret + "x", "Bearer " + made.secret):
        assert await identity.find_token(hall.means, nonsense) is None
    hall.clock.pass_by(3600)
    assert await identity.find_token(hall.means, made.secret) is None
    assert await identity.find_token(hall.means, lasting.secret) is not None
    with pytest.raises(NotFound):
        await identity.revoke_token(hall.means, bert.id, lasting.token.id)
    await identity.revoke_token(hall.means, user.id, lasting.token.id)
    assert await identity.find_token(hall.means, lasting.secret) is None
    with pytest.raises(NotFound, match="no API token none"):
        await identity.revoke_token(hall.means, user.id, ApiTokenId("none"))


async def test_use_is_written_down_once_a_minute(hall: Hall) -> None:
    user = await hall.user()
    made = await identity.make_token(hall.means, user.id, name="ci", scope=Scope.READ)
    begun = hall.clock.now()
    for seconds, used_at in ((0, begun), (59, begun), (1, begun + HOUR / 60)):
        hall.clock.pass_by(seconds)
        await identity.find_token(hall.means, made.secret)
        (token,) = await identity.tokens_of(hall.means, user.id)
        assert token.used_at == used_at


async def test_tokens_that_are_not_made(hall: Hall) -> None:
    user = await hall.user()
    make = identity.make_token
    await make(hall.means, user.id, name="ci", scope=Scope.READ)
    with pytest.raises(Conflict, match="there is an API token ci already"):
        await make(hall.means, user.id, name="ci", scope=Scope.TRADE)
    with pytest.raises(InvalidParameter, match="printable"):
        await make(hall.means, user.id, name=" ", scope=Scope.TRADE)
    with pytest.raises(InvalidParameter, match="must be in the future"):
        await make(hall.means, user.id, name="late", scope=Scope.TRADE, expires_at=hall.clock.now())
    with pytest.raises(NotFound):
        await make(hall.means, UserId("nobody"), name="late", scope=Scope.TRADE)
    for number in range(19):
        await make(hall.means, user.id, name=f"token {number}", scope=Scope.READ)
    with pytest.raises(TooManyTokens, match="there may be 20 API tokens: revoke one first"):
        await make(hall.means, user.id, name="one more", scope=Scope.READ)


async def test_a_token_goes_with_its_user(hall: Hall) -> None:
    user = await hall.user()
    made = await identity.make_token(hall.means, user.id, name="ci", scope=Scope.READ)
    await identity.delete_account(hall.means, await hall.login(), password=GOOD)
    assert await identity.find_token(hall.means, made.secret) is None


async def test_a_token_of_somebody_unconfirmed_lets_nobody_in(hall: Hall) -> None:
    user = await hall.user()
    made = await identity.make_token(hall.means, user.id, name="ci", scope=Scope.READ)
    opened = await hall.login()
    async with hall.means.store.begin() as work:
        await work.users.save(attrs.evolve(user, verified_at=None))
        await work.commit()
    assert await identity.find_token(hall.means, made.secret) is None
    assert await identity.find(hall.means, opened.secret) is None


async def test_preferences_have_defaults_and_change_one_by_one(hall: Hall) -> None:
    user = await hall.user()
    usual = await identity.preferences_of(hall.means, user.id)
    assert usual == Preferences()
    assert set(usual.told) == set(Occasion)
    assert {it for it, channels in usual.told.items() if channels.by_mail} == {Occasion.ERROR, Occasion.LOW_BALANCE}
    dark = await identity.prefer(hall.means, user.id, Changes(theme=Theme.DARK, time_zone="Europe/Berlin"))
    assert dark == attrs.evolve(usual, theme=Theme.DARK, time_zone="Europe/Berlin")
    quiet = Channels(in_page=False)
    told = await identity.prefer(
        hall.means, user.id, Changes(currency_digits=0, display_currency="EUR", told={Occasion.ERROR: quiet})
    )
    assert (told.theme, told.currency_digits, told.display_currency) == (Theme.DARK, 0, "EUR")
    assert told.told == {**usual.told, Occasion.ERROR: quiet}
    exact = await identity.prefer(hall.means, user.id, Changes(shows_all_digits=True))
    assert exact.currency_digits is None
    assert await identity.preferences_of(hall.means, user.id) == exact


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        (Changes(currency_digits=-1), "currency_digits"),
        (Changes(currency_digits=9), "currency_digits"),
        (Changes(display_currency="usdt"), "display_currency"),
        (Changes(display_currency="<b>"), "display_currency"),
        (Changes(time_zone="Europe/Nowhere"), "time_zone"),
        (Changes(time_zone="../../etc/passwd"), "time_zone"),
    ],
)
async def test_preferences_that_cannot_be(hall: Hall, changes: Changes, name: str) -> None:
    user = await hall.user(ANNA)
    with pytest.raises(InvalidParameter) as refused:
        await identity.prefer(hall.means, user.id, changes)
    assert refused.value.name == name
    with pytest.raises(NotFound):
        await identity.prefer(hall.means, UserId("nobody"), Changes())
