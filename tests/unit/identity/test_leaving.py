from __future__ import annotations

import attrs
import pytest

from dcacore.adapters.fernet import FernetSecrets
from dcacore.application import accounts, bots, identity, users
from dcacore.application.identity import Left, OpenDeals, StillTrading, WrongPassword
from dcacore.domain.bot import Bot
from dcacore.ports.records import BotRecord, Environment, RequestKind
from tests.contract.stored import entered, intents
from tests.unit.application.office import MARKET, bot_file
from tests.unit.identity.hall import ANNA, BERT, GOOD, OTHER, Hall


async def with_bot(hall: Hall) -> BotRecord:
    """Return a bot of Anna's that has never run."""
    means = hall.means
    ports = means.store, means.clock, means.ids
    user = await hall.user()
    await accounts.add(*ports, FernetSecrets(""), user_id=user.id, name="paper", environment=Environment.PAPER)
    return await bots.create(*ports, user_id=user.id, account="paper", bot_file=bot_file(), market=MARKET)


async def test_who_leaves_is_gone_with_everything(hall: Hall) -> None:
    await with_bot(hall)
    await hall.user(BERT)
    mine, other = await hall.login(), await hall.login()
    with pytest.raises(WrongPassword):
        await identity.delete_account(hall.means, mine, password=OTHER)
    assert await identity.delete_account(hall.means, mine, password=GOOD) is Left.DELETED
    for opened in (mine, other):
        assert await identity.find(hall.means, opened.secret) is None
    assert [user.email for user in await users.everyone(hall.means.store)] == [BERT]
    with pytest.raises(identity.WrongLogin):
        await hall.login()
    with pytest.raises(WrongPassword):
        await identity.delete_account(hall.means, mine, password=GOOD)
    await hall.user()  # the address is free again


async def trading(hall: Hall) -> Bot:
    """Let Anna's bot hold a deal, and return it."""
    record = await with_bot(hall)
    made = attrs.evolve(entered(), id=record.bot.id)
    async with hall.means.store.begin() as work:
        await work.bots.save(made)
        wanted = [attrs.evolve(intent, account_id=record.account_id) for intent in intents(made)]
        await work.intents.save(wanted)
        await work.commit()
    return made


async def test_nobody_leaves_open_deals_behind_without_saying_so(hall: Hall) -> None:
    await trading(hall)
    opened = await hall.login()
    with pytest.raises(StillTrading, match=r"^not while bots hold open deals or run: calm; stop them first") as refused:
        await identity.delete_account(hall.means, opened, password=GOOD)
    assert refused.value.bots == ("calm",)
    assert await identity.find(hall.means, opened.secret) is not None


@pytest.mark.parametrize(("open_deals", "sell"), [(OpenDeals.SELL, "true"), (OpenDeals.KEEP, "false")])
async def test_who_says_what_becomes_of_open_deals_has_the_bots_stopped_first(
    hall: Hall, open_deals: OpenDeals, sell: str
) -> None:
    made = await trading(hall)
    opened = await hall.login()
    left = await identity.delete_account(hall.means, opened, password=GOOD, open_deals=open_deals)
    assert left is Left.STOPPING
    async with hall.means.store.begin(reads_only=True) as work:
        (request,) = await work.requests.waiting()
    assert (request.bot_id, request.kind, request.details) == (made.id, RequestKind.STOP, {"sell": sell})
    assert (await hall.login()).user.email == ANNA


async def test_an_administrators_new_password_ends_all_sessions(hall: Hall) -> None:
    await hall.user()
    opened = await hall.login()
    await users.reset_password(hall.means.store, hall.means.passwords, email=ANNA, password=OTHER)
    assert await identity.find(hall.means, opened.secret) is None
