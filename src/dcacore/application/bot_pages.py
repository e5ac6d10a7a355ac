"""Bots on a page: all of them as cards, and one of them with everything that explains it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal

import attrs

from dcacore.application import showing
from dcacore.application.charts import Marker, PriceLine, markers, price_lines
from dcacore.application.deal_cards import DealCard, deal_card
from dcacore.application.editing import bot_file_text
from dcacore.application.finding import bot_of
from dcacore.application.overview import allowed, is_active, win_rate
from dcacore.application.parameters import texts_of
from dcacore.application.refusals import LONGEST_NAME, NotFound
from dcacore.application.showing import BotView
from dcacore.domain.bot import Trouble, Wanted, shown_state
from dcacore.domain.explain import explain
from dcacore.domain.ids import BotId, UserId
from dcacore.domain.money import HUNDRED, Price, QuoteAmount, Quotient, exact
from dcacore.domain.spending import Spending, most_spent
from dcacore.ports.readings import HIGHEST, DealPage, DealQuery
from dcacore.ports.records import Account, BotRecord, Environment, Lifetime, LiveConfirmation
from dcacore.ports.store import Store

PAGE = 25


@attrs.frozen(kw_only=True)
class BotCard:
    """A bot in the list.

    Attributes:
        bot_id: which.
        name: its name.
        pair: the market.
        quote_asset: in which money is counted.
        account: the name of the account where it trades.
        environment: of that account.
        state: the one word that tells how it is.
        wanted: what its user wants of it.
        is_active: whether it is not stopped.
        trouble: what keeps it from going on; None while nothing does.
        created_at: when it was made.
        price: the last price that it was told.
        totals: what its closed deals came to.
        win_rate: won of these in percent; None before the first.
        deal: the open deal; None without one.
        is_asked: whether something that its user has asked waits for an engine.
        explanation: what happens next and why, in sentences.
    """

    bot_id: BotId
    name: str
    pair: str
    quote_asset: str
    account: str
    environment: Environment
    state: str
    wanted: Wanted
    is_active: bool
    trouble: Trouble | None
    created_at: datetime.datetime
    price: Price | None
    totals: Lifetime
    win_rate: Decimal | None
    deal: DealCard | None
    is_asked: bool
    explanation: tuple[str, ...]


@attrs.frozen(kw_only=True)
class BotList:
    """A user's bots.

    Attributes:
        cards: oldest first.
        allowed: how many the tier allows.
        is_full: whether it allows no further one.
    """

    cards: tuple[BotCard, ...]
    allowed: int
    is_full: bool


@attrs.frozen(kw_only=True)
class BotPage:
    """A bot with all that there is to know of it.

    Attributes:
        card: the bot as in the list.
        view: what explains it: sentences, the open deal, activity, the last comparison.
        account: where it trades.
        parameters: its parameters by their names in the bot file, as texts.
        most: what a deal may cost at most from the last price on; None before one is known.
        average_percent: profit in percent of what was spent on what was sold; None before the first deal.
        average_duration_s: of a deal, in whole seconds; None likewise.
        lines: the prices that matter to it now, for its chart.
        markers: the fills of the open deal, likewise.
        deals: a page of its deals, newest first.
        confirmed: the word that it may spend real money; None when nobody has given it.
        is_paused_for_plan: whether it pauses because the plan does not carry it.
    """

    card: BotCard
    view: BotView
    account: Account
    parameters: Mapping[str, str]
    most: Spending | None
    average_percent: Decimal | None
    average_duration_s: int | None
    lines: tuple[PriceLine, ...]
    markers: tuple[Marker, ...]
    deals: DealPage
    confirmed: LiveConfirmation | None
    is_paused_for_plan: bool


async def bot_cards(store: Store, user_id: UserId) -> BotList:
    """Return a user's bots as a list shows them.

    Raises:
        NotFound: there is no such user.
    """
    async with store.begin(reads_only=True) as work:
        user = await work.users.get(user_id)
        if user is None:
            raise NotFound("user", user_id)
        records = await work.bots.of(user_id)
        accounts = {account.id: account for account in await work.accounts.of(user_id)}
        asked = {request.bot_id for request in await work.requests.waiting()}
    limit = allowed(user.tier)
    cards = [bot_card(record, accounts[record.account_id], is_asked=record.bot.id in asked) for record in records]
    return BotList(cards=tuple(cards), allowed=limit, is_full=len(cards) >= limit)


def bot_card(record: BotRecord, account: Account, *, is_asked: bool = False) -> BotCard:
    """Return the bot as a list shows it."""
    bot = record.bot
    return BotCard(
        bot_id=bot.id,
        name=record.name,
        pair=bot.market.pair,
        quote_asset=bot.market.quote_asset,
        account=account.name,
        environment=account.environment,
        state=shown_state(bot),
        wanted=bot.wanted,
        is_active=is_active(record),
        trouble=bot.trouble,
        created_at=record.created_at,
        price=bot.price,
        totals=record.lifetime,
        win_rate=win_rate(record.lifetime),
        deal=deal_card(record, account),
        is_asked=is_asked,
        explanation=explain(bot),
    )


async def bot_page(store: Store, user_id: UserId, named: str, *, limit: int = PAGE, skip: int = 0) -> BotPage:
    """Return all about the user's bot of that id or name, with a page of its deals.

    Raises:
        NotFound: the user has none.
    """
    view = await showing.show(store, user_id, named)
    record, account = view.record, view.account
    if account is None:
        raise NotFound("bot", named)
    query = DealQuery(bot_ids=(record.bot.id,), limit=max(1, min(limit, 500)), skip=max(0, min(skip, HIGHEST)))
    async with store.begin(reads_only=True) as work:
        deals = await work.deals.page(query)
        confirmed = await work.bots.live_confirmation(record.bot.id)
        paused = await work.plan_pauses.of(user_id)
    bot, life = record.bot, record.lifetime
    return BotPage(
        card=bot_card(record, account, is_asked=bool(view.waiting)),
        view=view,
        account=account,
        parameters=texts_of(bot.strategy),
        most=None if bot.price is None else most_spent(bot.strategy, bot.market, bot.fees, bot.price),
        average_percent=_percent(life.profit, life.cost),
        average_duration_s=life.duration_s // life.deals if life.deals else None,
        lines=price_lines(bot),
        markers=() if bot.deal is None else markers(bot.deal),
        deals=deals,
        confirmed=confirmed,
        is_paused_for_plan=record.bot.id in paused and record.bot.wanted is not Wanted.STOP,
    )


@exact
def _percent(profit: QuoteAmount, cost: QuoteAmount) -> Decimal | None:
    return Quotient(profit * HUNDRED, cost).rounded() if cost > 0 else None


async def exported(store: Store, user_id: UserId, named: str) -> tuple[str, str]:
    """Return a name for the file, and the bot as the text of a bot file, which makes the same bot when it is read.

    Raises:
        NotFound: the user has no such bot.
    """
    async with store.begin(reads_only=True) as work:
        record = await bot_of(work, user_id, named)
    safe = "".join(it if it.isascii() and (it.isalnum() or it in "-_") else "-" for it in record.name).strip("-")
    return f"{safe or record.bot.id}.toml", bot_file_text(record)


async def name_for_copy(store: Store, user_id: UserId, named: str) -> tuple[BotRecord, str]:
    """Return the user's bot, and a name for a copy of it that none of the user's bots has.

    Raises:
        NotFound: the user has no such bot.
    """
    async with store.begin(reads_only=True) as work:
        record = await bot_of(work, user_id, named)
        taken = {it.name for it in await work.bots.of(user_id)} | {it.bot.id for it in await work.bots.of(user_id)}
    return record, free_name(record.name, taken)


def free_name(name: str, taken: set[str]) -> str:
    """Return *name* with "copy" and a number behind it that is not *taken*, short enough for a name."""
    number = 1
    while True:
        behind = " copy" if number == 1 else f" copy {number}"
        candidate = name[: LONGEST_NAME - len(behind)].rstrip() + behind
        if candidate not in taken:
            return candidate
        number += 1
