"""Deals on a page: lists with filters, and one deal with its orders, fills and fees."""

from __future__ import annotations

import datetime
from decimal import Decimal

import attrs

from dcacore.application import deals as deals_use
from dcacore.application.analytics import Choice, bounds
from dcacore.application.charts import Marker, PriceLine, markers, price_lines
from dcacore.application.deal_cards import DealCard, deal_card
from dcacore.application.finding import bot_of
from dcacore.application.refusals import NotFound
from dcacore.application.zones import zone_of
from dcacore.domain.deal import Exit
from dcacore.domain.explain import explain
from dcacore.domain.ids import BotId, OrderId, UserId
from dcacore.domain.money import HUNDRED, ZERO, QuoteAmount, Quotient, exact
from dcacore.domain.orders import Fill, Order, OrderState, Role, Side
from dcacore.ports.clock import Clock
from dcacore.ports.readings import HIGHEST, DealQuery, DealState
from dcacore.ports.records import Account, BotRecord, DealRecord, Environment
from dcacore.ports.store import Store

PAGE = 25
_MOST = 500


@attrs.frozen(kw_only=True)
class DealRow:
    """A deal in a list.

    Attributes:
        record: the deal with its orders.
        bot: the name of its bot.
        account: where it was made.
        state: how it stands.
        entry: the average price of its buys, half-even at 8 decimals; None before the first.
        exit_price: that of its sells, likewise.
        duration_s: how long it was, or has been, open, in whole seconds.
        profit: what it brought; None while it is open, or when it was cancelled before anything was sold.
        profit_percent: that in percent of what was spent on what was sold; None likewise, or when nothing was.
        fees: in quote, those in base at the average price of the buys.
        safety_orders: how many filled.
    """

    record: DealRecord
    bot: str
    account: Account
    state: DealState
    entry: Decimal | None
    exit_price: Decimal | None
    duration_s: int
    profit: QuoteAmount | None
    profit_percent: Decimal | None
    fees: QuoteAmount
    safety_orders: int

    @property
    def environment(self) -> Environment:
        """Where it was made."""
        return self.account.environment


@attrs.frozen(kw_only=True)
class DealList:
    """A page of deals.

    Attributes:
        rows: these, open ones first, then by the time they closed, newest first.
        total: how many fit in all.
        limit: how many a page has.
        skip: how many come before these.
        bots: the names of the user's bots, to choose from.
        pairs: their pairs, likewise.
    """

    rows: tuple[DealRow, ...]
    total: int
    limit: int
    skip: int
    bots: dict[BotId, str]
    pairs: tuple[str, ...]


@attrs.frozen(kw_only=True)
class OrderRow:
    """An order of a deal, with its fills.

    Attributes:
        order_id: which.
        side: buy or sell.
        role: what for.
        rung: the number of a safety order; 0 otherwise.
        price: its limit; None at market.
        quantity: base asked for.
        filled: base filled.
        average: the average price of its fills; None before the first.
        notional: price times quantity of its fills, in quote.
        fee_base: fees in base.
        fee_quote: fees in quote.
        state: how it stands.
        fills: its fills, oldest first.
    """

    order_id: OrderId
    side: Side
    role: Role
    rung: int
    price: Decimal | None
    quantity: Decimal
    filled: Decimal
    average: Decimal | None
    notional: Decimal
    fee_base: Decimal
    fee_quote: Decimal
    state: OrderState
    fills: tuple[Fill, ...]


@attrs.frozen(kw_only=True)
class DealView:
    """A deal with everything.

    Attributes:
        row: the deal as in a list.
        bot: its bot.
        card: the deal in numbers at the last price; None when it has ended.
        orders: its orders, oldest first.
        lines: the prices that matter now; nothing when it has ended.
        markers: its fills, for its chart.
        explanation: what happens next and why; nothing when it has ended.
    """

    row: DealRow
    bot: BotRecord
    card: DealCard | None
    orders: tuple[OrderRow, ...]
    lines: tuple[PriceLine, ...]
    markers: tuple[Marker, ...]
    explanation: tuple[str, ...]

    @property
    def at_market(self) -> QuoteAmount | None:
        """What a sale of all that it holds would book at the last price; None when it has ended or none is known."""
        return None if self.card is None else self.card.at_market


async def deal_list(
    store: Store,
    clock: Clock,
    user_id: UserId,
    choice: Choice | None = None,
    *,
    states: frozenset[DealState] = frozenset(DealState),
    limit: int = PAGE,
    skip: int = 0,
) -> DealList:
    """Return a page of the user's deals that fit *choice*.

    Raises:
        NotFound: the user has no such bot.
        InvalidParameter: there is no such time zone, or the last day lies before the first.
    """
    choice, limit, skip = choice or Choice(), max(1, min(limit, _MOST)), max(0, min(skip, HIGHEST))
    since, until = bounds(choice, zone_of(choice.zone))
    if until is not None and until > clock.now():
        until = None  # open deals belong to a range that has not ended
    async with store.begin(reads_only=True) as work:
        mine = await work.bots.of(user_id)
        only = None if choice.bot is None else (await bot_of(work, user_id, choice.bot)).bot.id
        accounts = {account.id: account for account in await work.accounts.of(user_id)}
        chosen = tuple(
            [
                it.bot.id
                for it in mine
                if only in {None, it.bot.id}
                and choice.pair in {None, it.bot.market.pair}
                and choice.quote_asset in {None, it.bot.market.quote_asset}
                and choice.environment in {None, accounts[it.account_id].environment}
            ]
        )
        query = DealQuery(bot_ids=chosen, states=states, since=since, until=until, limit=limit, skip=skip)
        page = await work.deals.page(query)
    names, now = {it.bot.id: it.name for it in mine}, clock.now()
    rows = [deal_row(it, names[it.bot_id], accounts[it.account_id], now) for it in page.deals]
    pairs = tuple(sorted({it.bot.market.pair for it in mine}))
    return DealList(rows=tuple(rows), total=page.total, limit=limit, skip=skip, bots=names, pairs=pairs)


@exact
def deal_row(record: DealRecord, bot: str, account: Account, now: datetime.datetime) -> DealRow:
    """Return the deal as a list shows it."""
    deal, books, result = record.deal, record.deal.books, record.deal.result
    percent = None
    if result is not None and result.cost_of_sold > 0:
        percent = Quotient(result.profit * HUNDRED, result.cost_of_sold).rounded()
    valued = Quotient(books.gross * books.base_fees, books.bought).rounded() if books.bought else ZERO
    return DealRow(
        record=record,
        bot=bot,
        account=account,
        state=state_of(record),
        entry=books.average.rounded() if books.bought else None,
        exit_price=Quotient(books.proceeds, books.sold).rounded() if books.sold else None,
        duration_s=max(0, ((deal.closed_at or now) - deal.opened_at) // datetime.timedelta(seconds=1)),
        profit=None if result is None else result.profit,
        profit_percent=percent,
        fees=QuoteAmount(books.buy_fees + books.sell_fees + valued),
        safety_orders=deal.filled_safety_orders,
    )


def state_of(record: DealRecord) -> DealState:
    """Return how the deal stands."""
    if record.deal.closed_at is None:
        return DealState.OPEN
    return DealState.CANCELLED if record.deal.exit is Exit.CANCEL else DealState.CLOSED


async def deal_page(store: Store, clock: Clock, user_id: UserId, named: str) -> DealView:
    """Return all about the user's deal of that id, or the open one of the bot of that id or name.

    Raises:
        NotFound: the user has neither such a deal nor such a bot.
        NotNow: the bot has no open deal.
    """
    bot, record = await deals_use.find(store, user_id, named)
    async with store.begin(reads_only=True) as work:
        account = await work.accounts.get(record.account_id)
    if account is None or account.user_id != user_id:
        raise NotFound("deal", named)
    deal = record.deal
    is_open = deal.closed_at is None and bot.bot.deal is not None and bot.bot.deal.id == deal.id
    return DealView(
        row=deal_row(record, bot.name, account, clock.now()),
        bot=bot,
        card=deal_card(bot, account) if is_open else None,
        orders=order_rows(record),
        lines=price_lines(bot.bot) if is_open else (),
        markers=markers(deal),
        explanation=explain(bot.bot) if is_open else (),
    )


@exact
def order_rows(record: DealRecord) -> tuple[OrderRow, ...]:
    """Return the orders of a deal with their fills, oldest first."""
    return tuple([_order_row(order) for order in record.deal.orders.values()])


def _order_row(order: Order) -> OrderRow:
    return OrderRow(
        order_id=order.id,
        side=order.side,
        role=order.role,
        rung=order.rung,
        price=order.price,
        quantity=order.quantity,
        filled=order.filled,
        average=Quotient(order.notional, order.filled).rounded() if order.filled else None,
        notional=order.notional,
        fee_base=order.base_fee,
        fee_quote=order.quote_fee,
        state=order.state,
        fills=order.fills,
    )
