"""Every line that the engine logs of a bot or an account names its environment."""

from __future__ import annotations

from decimal import Decimal

import structlog
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.testing import capture_logs

from dcacore.application import accounts, asking, bots, users
from dcacore.application.engine.surroundings import Tasks
from dcacore.bootstrap.app import paper_app
from dcacore.bootstrap.paper import InProcessPaper
from dcacore.domain.money import Price
from dcacore.ports.records import Environment, RequestKind
from tests.unit.application.office import MARKET, ReversedPasswords, bot_file

OF_NONE = {"engine_started", "engine_stopping", "engine_stopped"}


async def test_a_task_speaks_of_its_own_environment_whoever_starts_it() -> None:
    seen: dict[str, object] = {}

    async def note(name: str) -> None:
        seen[name] = get_contextvars().get("environment")

    async def start_another() -> None:
        await note("first")
        await Tasks().start(note("heir"), "heir")
        await Tasks(Environment.PAPER).start(note("other"), "other")
        await note("first again")

    await Tasks(Environment.LIVE).start(start_another(), "first")
    await note("outside")
    assert seen == {"first": "live", "heir": "live", "other": "paper", "first again": "live", "outside": None}


async def test_all_that_is_logged_of_a_bot_names_its_environment() -> None:
    paper = InProcessPaper([(MARKET, 30000)])
    with capture_logs(processors=[merge_contextvars]) as lines:
        async with paper_app(paper) as app:
            user = await users.create(*app.means, ReversedPasswords(), email="a@example.com", password="Test1234")
            await accounts.add(*app.means, app.secrets, user_id=user.id, name="paper", environment=Environment.PAPER)
            await bots.create(*app.means, user_id=user.id, account="paper", bot_file=bot_file(), market=MARKET)
            start = await asking.ask(*app.means, user_id=user.id, bot="calm", kind=RequestKind.START)
            assert (await app.wait_for(start)).is_settled
            while not any(line["event"] == "take_profit_placed" for line in lines):
                await app.clock.sleep(0.01)
            paper.venue.move("BTCUSDT", Price(Decimal(31000)))
            while not any(line["event"] == "deal_closed" for line in lines):
                await app.clock.sleep(0.01)
    assert structlog.contextvars.get_contextvars() == {}
    told = {line["event"]: line.get("environment") for line in lines}
    assert {"started", "deal_opened", "deal_closed"} <= told.keys()
    assert {event for event, environment in told.items() if environment != "paper"} <= OF_NONE
