from __future__ import annotations

import pytest

from dcacore.adapters.fernet import FernetSecrets, generate_key
from dcacore.application import accounts
from dcacore.application.refusals import NotFound
from dcacore.domain.errors import InvalidParameter, NotNow
from dcacore.ports.errors import CannotDecrypt, Conflict, NoEncryptionKey
from dcacore.ports.records import Account, BotRecord, Environment, User
from dcacore.ports.secrets import ApiKey
from tests.unit.application.office import Office

KEY = ApiKey("canary-key", "canary-secret")


async def added(office: Office, user: User, name: str = "spot", key: ApiKey | None = KEY) -> Account:
    return await accounts.add(
        *office.means, office.secrets, user_id=user.id, name=name, environment=Environment.TESTNET, api_key=key
    )


async def test_a_key_is_stored_encrypted_for_this_account_alone(office: Office, anna: User) -> None:
    spot, other = await added(office, anna), await added(office, anna, "other")
    assert spot.api_key is not None
    assert "canary" not in spot.api_key
    assert "canary" not in repr(spot)
    assert office.secrets.decrypt(spot.id, spot.api_key) == KEY
    with pytest.raises(CannotDecrypt):
        office.secrets.decrypt(other.id, spot.api_key)


@pytest.mark.parametrize("half", ["", "a b", "naïve", "a\nb", "x" * 201])
async def test_a_key_that_cannot_be_one_is_not_repeated(office: Office, anna: User, half: str) -> None:
    for key, name in ((ApiKey(half, "good"), "key"), (ApiKey("good", half), "secret")):
        with pytest.raises(InvalidParameter, match=rf"^{name}: must be") as refused:
            await added(office, anna, key=key)
        assert not half or half not in str(refused.value)


async def test_paper_has_no_key_and_everything_else_has_one(office: Office, anna: User) -> None:
    with pytest.raises(InvalidParameter, match="every account but one on paper"):
        await added(office, anna, key=None)
    with pytest.raises(InvalidParameter):
        await accounts.add(
            *office.means, office.secrets, user_id=anna.id, name="p", environment=Environment.PAPER, api_key=KEY
        )


async def test_nothing_is_stored_without_a_key_to_encrypt_with(office: Office, anna: User) -> None:
    office.secrets = FernetSecrets("")
    with pytest.raises(NoEncryptionKey):
        await added(office, anna)
    assert [it.name for it in await accounts.of(office.store, anna.id)] == ["paper"]


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\nb", "a\x1b[2Jb"])
async def test_a_name_that_cannot_be_one(office: Office, anna: User, name: str) -> None:
    with pytest.raises(InvalidParameter, match="printable characters"):
        await added(office, anna, name)


async def test_a_name_is_taken_once_an_owner(office: Office, anna: User) -> None:
    await added(office, anna)
    with pytest.raises(Conflict, match=r"^there is an account spot already$"):
        await added(office, anna)
    bert = await office.user("bert@example.com")
    await added(office, bert)


async def test_another_users_account_is_not_there(office: Office, anna: User) -> None:
    spot, bert = await added(office, anna), await office.user("bert@example.com")
    for named in (spot.name, spot.id):
        with pytest.raises(NotFound, match=rf"^there is no account {named}"):
            await accounts.find(office.store, bert.id, named)
        with pytest.raises(NotFound):
            await accounts.remove(office.store, user_id=bert.id, named=named)
    assert await accounts.find(office.store, anna.id, spot.id) == spot


async def test_an_account_goes_when_no_bot_belongs_to_it(office: Office, anna: User, calm: BotRecord) -> None:
    with pytest.raises(NotNow, match=f"bots belong to paper: {calm.name}"):
        await accounts.remove(office.store, user_id=anna.id, named="paper")
    spot = await added(office, anna)
    assert await accounts.remove(office.store, user_id=anna.id, named="spot") == spot
    with pytest.raises(NotFound, match="there are paper"):
        await accounts.find(office.store, anna.id, "spot")


async def test_keys_are_rotated_all_or_none(office: Office, anna: User) -> None:
    old, new = generate_key(), generate_key()
    office.secrets = FernetSecrets(old)
    spot, other = await added(office, anna), await added(office, anna, "other")
    assert await accounts.rotate_keys(office.store, FernetSecrets(f"{new},{old}")) == 2
    for account in (spot, other):
        stored = await accounts.find(office.store, anna.id, account.id)
        assert stored.api_key is not None
        assert FernetSecrets(new).decrypt(account.id, stored.api_key) == KEY
    before = await accounts.of(office.store, anna.id)
    with pytest.raises(CannotDecrypt):
        await accounts.rotate_keys(office.store, FernetSecrets(generate_key()))
    assert await accounts.of(office.store, anna.id) == before
