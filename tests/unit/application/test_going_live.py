"""No bot spends real money before its user has said so; testnet and paper never ask."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from dcacore.adapters.simulated.exchange import SimulatedExchange
from dcacore.adapters.simulated.venue import SimulatedVenue
from dcacore.application import accounts, asking, editing, going_live
from dcacore.application.going_live import LiveStep
from dcacore.application.refusals import NotConfirmed, NotFound
from dcacore.domain.bot import Phase, Wanted
from dcacore.domain.evolving import evolve
from dcacore.domain.ids import AccountId
from dcacore.domain.money import Price
from dcacore.ports.exchange import Exchange
from dcacore.ports.prices import Prices
from dcacore.ports.records import Account, BotRecord, Environment, Request, RequestKind, User
from dcacore.ports.secrets import ApiKey
from dcacore.ports.venues import Venues
from tests.unit.application.office import MARKET, Office

KEY = ApiKey("k" * 16, "s" * 16)


class OneVenue(Venues):
    """A simulated venue in the place of every exchange; each account begins with 1000 USDT."""

    def __init__(self, office: Office) -> None:
        self.clock = office.clock
        self.venue = SimulatedVenue(office.clock.now)
        self.venue.list_pair(MARKET, Price(Decimal(30000)))
        self.opened: set[AccountId] = set()

    async def exchange(self, account: Account) -> Exchange:
        if account.id not in self.opened:
            self.opened.add(account.id)
            self.venue.open_account(account.id, {"USDT": Decimal(1000)})
        return SimulatedExchange(self.venue, account.id, self.clock)

    async def prices(self, environment: Environment) -> Prices:
        raise NotImplementedError

    async def forget(self, account: Account) -> None:
        self.opened.discard(account.id)


@attrs.frozen
class Desk:
    """Anna's bot `real` on her live account."""

    office: Office
    user: User
    venues: OneVenue

    async def step(self, changes: dict[str, str] | None = None, bot: str = "real") -> LiveStep | None:
        return await going_live.live_step(
            self.office.store, self.venues, user_id=self.user.id, named=bot, changes=changes
        )

    async def agree(self, changes: dict[str, str] | None = None) -> None:
        step = await self.step(changes)
        assert step is not None
        await going_live.confirm(self.office.store, self.office.clock, user_id=self.user.id, step=step, typed=" real ")

    async def start(self) -> Request:
        return await asking.ask(*self.office.means, user_id=self.user.id, bot="real", kind=RequestKind.START)

    async def edit(self, **changes: str) -> Request:
        return await editing.edit(*self.office.means, user_id=self.user.id, named="real", changes=changes)

    async def engine_takes_up(self, bot: str = "real") -> None:
        """Let the bot run, as an engine does after a start, with nothing waiting."""
        async with self.office.store.begin() as work:
            (record,) = [it for it in await work.bots.of(self.user.id) if it.name == bot]
            for request in await work.requests.waiting():
                await work.requests.settle(request.id, self.office.clock.now())
            running = evolve(record.bot, phase=Phase.MONITORING, wanted=Wanted.RUN, price=Price(Decimal(30000)))
            await work.bots.save(running)
            await work.commit()


async def keyed(office: Office, user: User, environment: Environment) -> None:
    name = environment.value
    await accounts.add(*office.means, office.secrets, user_id=user.id, name=name, environment=environment, api_key=KEY)


@pytest.fixture
async def desk(office: Office, anna: User) -> Desk:
    await keyed(office, anna, Environment.LIVE)
    await office.bot(anna, "real", account="live")
    return Desk(office, anna, OneVenue(office))


@pytest.mark.parametrize("environment", [Environment.TESTNET, Environment.CUSTOM])
async def test_play_money_is_never_asked_about(office: Office, anna: User, environment: Environment) -> None:
    await keyed(office, anna, environment)
    await office.bot(anna, "real", account=environment.value)
    desk = Desk(office, anna, OneVenue(office))
    assert await desk.step() is None
    await desk.start()
    await desk.edit(base_order_size="500")


async def test_paper_is_never_asked_about(office: Office, anna: User, calm: BotRecord) -> None:
    assert await Desk(office, anna, OneVenue(office)).step(bot="calm") is None
    await asking.ask(*office.means, user_id=anna.id, bot="calm", kind=RequestKind.START)


async def test_a_live_bot_does_not_start_before_its_user_has_confirmed_it(desk: Desk) -> None:
    with pytest.raises(NotConfirmed, match=r"^real would trade real money, and it has never been confirmed that it"):
        await desk.start()
    async with desk.office.store.begin(reads_only=True) as work:
        assert await work.requests.waiting() == ()
    await desk.agree()
    await desk.start()
    assert await desk.step() is None


async def test_what_is_confirmed_is_what_is_told_and_stored(desk: Desk) -> None:
    step = await desk.step()
    assert step is not None
    assert step.sentences == (
        "real trades real money on live (LIVE), and it has never been confirmed that it may.",
        "A deal may cost 400.4 USDT at most: 4 orders for 400, and fees worth up to 0.4, at 30000 a BTC.",
        "1000 USDT are free.",
    )
    await desk.agree()
    async with desk.office.store.begin(reads_only=True) as work:
        given = await work.bots.live_confirmation(step.record.bot.id)
        (line,) = await work.feed.activity(desk.user.id)
    assert given is not None
    assert (given.user_id, given.amount, given.price) == (desk.user.id, Decimal("400.4"), Decimal(30000))
    assert (given.confirmed_at, given.strategy) == (desk.office.clock.now(), step.strategy)
    assert (line.kind, line.environment, line.bot_id) == ("live_confirmed", Environment.LIVE, step.record.bot.id)
    assert line.text == "its user confirmed that a deal may cost up to 400.4 USDT of real money"


async def test_what_is_free_is_weighed_against_it(desk: Desk) -> None:
    await desk.edit(base_order_size="701")
    step = await desk.step()
    assert step is not None
    assert (step.is_covered, step.free) == (False, Decimal(1000))
    assert step.sentences[2] == (
        "1000 USDT are free: not enough for a whole deal, so that it may have to wait for balance."
    )


async def test_what_other_bots_may_need_is_not_free(desk: Desk) -> None:
    await desk.agree()
    await desk.engine_takes_up()
    await desk.office.bot(desk.user, "second", account="live")
    await desk.office.bot(desk.user, "idle", account="live")
    step = await desk.step(bot="second")
    assert step is not None
    assert (step.promised, step.is_covered) == (Decimal("400.4"), True)
    assert step.sentences[2] == "1000 USDT are free, of which other bots may need 400.4."


@pytest.mark.parametrize("typed", ["", "yes", "Real", "400.4"])
async def test_only_the_name_confirms(desk: Desk, typed: str) -> None:
    step = await desk.step()
    assert step is not None
    with pytest.raises(NotConfirmed, match="what was typed is not its name"):
        await going_live.confirm(desk.office.store, desk.office.clock, user_id=desk.user.id, step=step, typed=typed)
    with pytest.raises(NotConfirmed):
        await desk.start()


async def test_nobody_confirms_for_another_user(desk: Desk) -> None:
    step = await desk.step()
    assert step is not None
    bert = await desk.office.user("bert@example.com")
    with pytest.raises(NotFound):
        await going_live.confirm(desk.office.store, desk.office.clock, user_id=bert.id, step=step, typed="real")


async def test_parameters_that_cost_more_are_asked_about_at_the_next_start(desk: Desk) -> None:
    await desk.agree()
    await desk.edit(take_profit="3", base_order_size="90")
    assert await desk.step() is None
    await desk.edit(base_order_size="101")  # it stands still: the start is what asks
    with pytest.raises(NotConfirmed, match="its deals may cost more than was confirmed"):
        await desk.start()
    await desk.agree()
    await desk.start()


async def test_a_bot_that_runs_gets_no_costlier_parameters_without_a_word(desk: Desk) -> None:
    await desk.agree()
    await desk.start()
    for _ in range(2):  # asked to start, and then running
        with pytest.raises(NotConfirmed):
            await desk.edit(max_safety_orders="9")
        await desk.edit(max_safety_orders="2")
        assert await desk.step({"max_safety_orders": "3"}) is None  # what was confirmed counts, not what is now
        await desk.engine_takes_up()
    await desk.agree({"max_safety_orders": "9"})
    await desk.edit(max_safety_orders="9")


async def test_an_edit_after_the_question_was_shown_is_not_confirmed_with_it(desk: Desk) -> None:
    step = await desk.step()
    assert step is not None
    await desk.edit(base_order_size="999")
    await going_live.confirm(desk.office.store, desk.office.clock, user_id=desk.user.id, step=step, typed="real")
    with pytest.raises(NotConfirmed):
        await desk.start()


async def test_a_bot_that_ran_before_anybody_was_asked_goes_on(desk: Desk) -> None:
    await desk.engine_takes_up()
    await desk.edit(take_profit="2")
    with pytest.raises(NotConfirmed):
        await desk.edit(base_order_size="101")
    with pytest.raises(NotConfirmed):
        await desk.start()
