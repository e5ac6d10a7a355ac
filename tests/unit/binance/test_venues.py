"""Opening accounts, closing them, and what their keys may do."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import attrs
import pytest

from dcacore.adapters.binance import BinanceVenues, stored_keys
from dcacore.adapters.binance.exchange import BinanceExchange
from dcacore.adapters.fernet import FernetSecrets, generate_key
from dcacore.application.key_rights import looked_at
from dcacore.application.refusals import UnfitKey
from dcacore.domain.ids import AccountId, UserId
from dcacore.ports.errors import BadCredentials, CannotDecrypt, RateLimited, Unavailable
from dcacore.ports.exchange import StreamOpened
from dcacore.ports.records import Account, Environment
from dcacore.ports.secrets import ApiKey
from tests.strategies import NOON
from tests.unit.binance.conftest import KEY, QUICK
from tests.unit.binance.wire import Json, Say, Wire, refusal, serving, until
from tests.unit.simulated.clock import RealClock

SECRETS = FernetSecrets(generate_key())
ALLOWED = {"ipRestrict": True, "enableReading": True, "enableSpotAndMarginTrading": True, "enableWithdrawals": False}
LIVE, CUSTOM = Environment.LIVE, Environment.CUSTOM


def account(name: str = "anna", key: ApiKey = KEY, environment: Environment = CUSTOM) -> Account:
    return Account(
        id=AccountId(name),
        user_id=UserId("anna"),
        name=name,
        environment=environment,
        api_key=SECRETS.encrypt(name, key),
        created_at=NOON,
    )


@attrs.frozen
class Office:
    """The venues, and what they talk to."""

    wire: Wire
    venues: BinanceVenues


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with serving() as (wire, urls):
        known = {CUSTOM: urls, LIVE: attrs.evolve(urls, sapi=urls.rest)}
        venues = BinanceVenues(known, stored_keys(SECRETS), RealClock(), random.Random(1), pace=QUICK)
        yield Office(wire, venues)
        await venues.close()


async def test_the_same_account_and_key_are_one_exchange(office: Office) -> None:
    anna = account()
    first = await office.venues.exchange(anna)
    assert await office.venues.exchange(anna) is first
    rekeyed = attrs.evolve(anna, api_key=SECRETS.encrypt("anna", ApiKey("other", "secret")), keyed_at=NOON)
    second = await office.venues.exchange(rekeyed)
    assert second is not first
    await second.balances()
    assert office.wire.seen[-1].headers["X-MBX-APIKEY"] == "other"
    await office.venues.forget(anna)
    assert await office.venues.exchange(anna) is not first
    assert await office.venues.exchange(rekeyed) is second


async def test_accounts_of_one_environment_share_clock_rules_and_prices(office: Office) -> None:
    anna, bert = await office.venues.exchange(account()), await office.venues.exchange(account("bert"))
    await anna.listing("BTCUSDT")
    await bert.listing("BTCUSDT")
    assert len(office.wire.calls("GET time")) == len(office.wire.calls("GET exchangeInfo")) == 1
    assert await office.venues.prices(CUSTOM) is await office.venues.prices(CUSTOM)
    assert await office.venues.prices(CUSTOM) is not await office.venues.prices(LIVE)


async def test_what_is_forgotten_is_closed(office: Office) -> None:
    anna = account()
    exchange = await office.venues.exchange(anna)
    events = exchange.events()
    assert await anext(events) == StreamOpened()
    await office.venues.forget(anna)
    await office.venues.forget(anna)
    await until(lambda: not office.wire.sessions)


async def test_an_account_that_cannot_be_opened_says_why(office: Office) -> None:
    with pytest.raises(CannotDecrypt):
        await office.venues.exchange(attrs.evolve(account(), id=AccountId("bert")))
    with pytest.raises(BadCredentials):
        await office.venues.exchange(attrs.evolve(account(), api_key=None))
    with pytest.raises(Unavailable, match="testnet"):
        await office.venues.exchange(account(environment=Environment.TESTNET))
    office.wire.answers["GET time"] = Say("", 502)
    with pytest.raises(Unavailable):
        await office.venues.exchange(account())


async def test_health_is_told_by_environment(office: Office) -> None:
    assert office.venues.health() == {}
    exchange = await office.venues.exchange(account())
    assert office.venues.health()[CUSTOM].events_age_s is None
    assert office.venues.health()[CUSTOM].prices_age_s is None
    events = exchange.events()
    assert await anext(events) == StreamOpened()
    await until(lambda: office.venues.health()[CUSTOM].events_age_s is not None)
    (await office.venues.prices(CUSTOM)).now()
    assert list(office.venues.health()) == [CUSTOM]


# ---------------------------------------------------------------------------------------------------- what keys may do


async def look(office: Office, environment: Environment = LIVE) -> tuple[str, ...]:
    return await looked_at(office.venues, environment, KEY)


@pytest.mark.parametrize(
    ("allowed", "warned"), [({}, ()), ({"ipRestrict": False}, ("this key works from any address",))], ids=str
)
async def test_a_key_that_may_trade_and_no_more_is_taken(
    office: Office, allowed: dict[str, Json], warned: tuple[str, ...]
) -> None:
    office.wire.answers["GET account/apiRestrictions"] = Say({**ALLOWED, **allowed, "aRightOfTomorrow": True})
    told = await look(office)
    assert len(told) == len(warned)
    assert all(sentence.startswith(start) for sentence, start in zip(told, warned, strict=True))
    (seen,) = office.wire.calls("GET account/apiRestrictions")
    assert "signature" in seen.params


@pytest.mark.parametrize(
    ("allowed", "reason"),
    [
        ({"enableWithdrawals": True}, "may withdraw coins"),
        ({"enableSpotAndMarginTrading": False}, "may not trade"),
    ],
    ids=str,
)
async def test_f60_a_key_that_may_do_too_much_or_too_little_is_not_taken(
    office: Office, allowed: dict[str, Json], reason: str
) -> None:
    office.wire.answers["GET account/apiRestrictions"] = Say({**ALLOWED, **allowed})
    with pytest.raises(UnfitKey, match=reason):
        await look(office)


async def test_f60_an_account_that_may_not_trade_is_not_taken(office: Office) -> None:
    office.wire.answers["GET account"] = Say({"canTrade": False})
    with pytest.raises(UnfitKey, match="may not trade"):
        await look(office, CUSTOM)
    assert office.wire.calls("GET account/apiRestrictions") == []


@pytest.mark.parametrize(
    ("code", "text"),
    [(-2015, "Invalid API-key, IP, or permissions for action."), (-2008, "Invalid Api-Key ID."), (-1022, "Signature")],
)
async def test_f60_a_key_that_is_not_accepted_says_what_may_be_wrong(office: Office, code: int, text: str) -> None:
    office.wire.answers["GET account"] = refusal(code, text, 401)
    with pytest.raises(UnfitKey, match=r"^live does not accept this key: it is wrong, revoked") as refused:
        await look(office)
    assert text in str(refused.value)


async def test_f60_rights_that_are_not_told_are_not_taken_for_harmless(office: Office) -> None:
    office.wire.answers["GET account/apiRestrictions"] = Say({**ALLOWED, "enableWithdrawals": None})
    with pytest.raises(Unavailable, match="cannot be asked what this key may do, so it is not stored"):
        await look(office)


async def test_an_exchange_that_wants_no_request_says_until_when(office: Office) -> None:
    office.wire.answers["GET account"] = refusal(-1003, "Too much request weight used.", 429, Retry_After="30")
    with pytest.raises(RateLimited):
        await look(office)


async def test_f60_what_a_key_may_do_is_not_asked_before_every_order_while_nobody_says(office: Office) -> None:
    office.wire.answers["GET account/apiRestrictions"] = Say({}, 503)
    exchange = await office.venues.exchange(account(environment=LIVE))
    for _ in range(3):
        await exchange.balances()
    assert len(office.wire.calls("GET account/apiRestrictions")) == 1
    assert isinstance(exchange, BinanceExchange)
    exchange._rights._seen_at -= 3600  # an hour later
    await exchange.balances()
    assert len(office.wire.calls("GET account/apiRestrictions")) == 2


async def test_f60_a_key_that_may_withdraw_by_now_is_used_no_more(office: Office) -> None:
    office.wire.answers["GET account/apiRestrictions"] = Say(ALLOWED)
    exchange = await office.venues.exchange(account(environment=LIVE))
    await exchange.balances()
    await exchange.balances()
    assert len(office.wire.calls("GET account/apiRestrictions")) == 1
    office.wire.answers["GET account/apiRestrictions"] = Say({**ALLOWED, "enableWithdrawals": True})
    assert isinstance(exchange, BinanceExchange)
    exchange._rights._seen_at -= 86_400  # a day later
    with pytest.raises(BadCredentials, match="withdraw"):
        await exchange.balances()
