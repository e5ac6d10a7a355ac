"""What an engine tells users of, as they wish: in the page, by mail, or not at all."""

from __future__ import annotations

from decimal import Decimal

from dcacore.adapters.mail_memory import MemoryMailer
from dcacore.application import accounts, asking, bots, users
from dcacore.application.identity.courier import Courier
from dcacore.application.identity.preferences import Changes, prefer
from dcacore.bootstrap.app import App, paper_app
from dcacore.bootstrap.paper import InProcessPaper
from dcacore.domain.ids import UserId
from dcacore.domain.money import Price
from dcacore.ports.identity import Channels, Occasion
from dcacore.ports.records import Environment, Notification, RequestKind
from tests.unit.application.office import MARKET, ReversedPasswords, bot_file

EMAIL = "a@example.com"


async def _trades(app: App, paper: InProcessPaper, told: dict[Occasion, Channels]) -> UserId:
    """Let a deal open and reach its target, and return whose it was."""
    made = await users.create(*app.means, ReversedPasswords(), email=EMAIL, password="Test1234", is_verified=True)
    await prefer(app.identity, made.id, Changes(told=told))
    await accounts.add(*app.means, app.secrets, user_id=made.id, name="paper", environment=Environment.PAPER)
    record = await bots.create(*app.means, user_id=made.id, account="paper", bot_file=bot_file(), market=MARKET)
    start = await asking.ask(*app.means, user_id=made.id, bot="calm", kind=RequestKind.START)
    assert (await app.wait_for(start)).is_settled
    while not await _has(app, made.id, "take_profit_placed"):
        await app.clock.sleep(0.01)
    paper.venue.move("BTCUSDT", Price(Decimal(31000)))
    while not await _has(app, made.id, "deal_closed"):
        await app.clock.sleep(0.01)
    assert record.name == "calm"
    return made.id


async def _has(app: App, user_id: UserId, kind: str) -> bool:
    async with app.store.begin(reads_only=True) as work:
        return any(it.kind == kind for it in await work.feed.activity(user_id))


async def _notes(app: App, user_id: UserId) -> tuple[Notification, ...]:
    async with app.store.begin(reads_only=True) as work:
        return await work.feed.notifications(user_id)


async def test_what_is_off_makes_no_notification_and_what_is_on_by_mail_lies_in_the_outbox() -> None:
    paper = InProcessPaper([(MARKET, 30000)])
    told = {
        Occasion.DEAL_OPENED: Channels(in_page=False),
        Occasion.TARGET_HIT: Channels(in_page=True, by_mail=True),
    }
    async with paper_app(paper) as app:
        user_id = await _trades(app, paper, told)
        notes = await _notes(app, user_id)
        mailer = MemoryMailer()
        await Courier(app.store, mailer, app.clock).send_due()
    kinds = [it.kind for it in notes]
    assert "deal_opened" not in kinds
    assert kinds.count("deal_closed") == 1
    mail = mailer.newest(EMAIL)
    assert mail is not None
    assert mail.subject == "A deal has reached its target"
    assert "calm: deal 1 closed by take profit" in mail.text
    assert "This is on PAPER, with test funds." in mail.text
    assert mail.link == ""


async def test_all_may_be_off() -> None:
    paper = InProcessPaper([(MARKET, 30000)])
    async with paper_app(paper) as app:
        user_id = await _trades(app, paper, dict.fromkeys(Occasion, Channels(in_page=False)))
        assert await _notes(app, user_id) == ()
        mailer = MemoryMailer()
        assert await Courier(app.store, mailer, app.clock).send_due() == 0
