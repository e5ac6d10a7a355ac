"""What every store promises of bots with deals, of orders, fills, and the totals."""

from __future__ import annotations

import datetime
from decimal import Decimal

import attrs
import pytest

from dcacore.domain.books import Carried, Result
from dcacore.domain.bot import Bot, Cure, Trouble, TroubleKind
from dcacore.domain.deal import Deal, Exit
from dcacore.domain.engine import decide
from dcacore.domain.events import Canceled, Filled, Refusal, Refused, Reported
from dcacore.domain.ids import AccountId, BotId, DealId, OrderId, TradeId
from dcacore.domain.intents import IntentState
from dcacore.domain.money import BaseQty, Price, QuoteAmount
from dcacore.domain.orders import OrderState, Role
from dcacore.domain.venue import VenueOrderId
from dcacore.ports.errors import Conflict
from dcacore.ports.records import DayTotal, Lifetime
from dcacore.ports.store import Store
from tests.contract.databases import Database
from tests.contract.stored import (
    ANN,
    PAPER,
    PRICE,
    SECOND,
    booked,
    bot,
    deal_of,
    entered,
    fill_of,
    intent,
    intents,
    line,
    order,
    people,
    record,
    request,
    save,
    started,
)
from tests.strategies import NOON

BOT = BotId("bot")


@pytest.fixture
def store(database: Database) -> Store:
    return database.store


async def stored(store: Store, bot_id: str = "bot") -> Bot:
    async with store.begin(reads_only=True) as work:
        found = await work.bots.get(BotId(bot_id))
        assert found is not None
        return found.bot


async def store_bot(store: Store, made: Bot) -> None:
    async with store.begin() as work:
        await save(work, made)
        await work.commit()


def ended(deal: Deal, profit: str, number: int = 1, exit: Exit = Exit.TAKE_PROFIT) -> Deal:  # noqa: A002  # as it is called
    """Return the deal as it would end, *number* hours after noon."""
    result = Result(
        profit=QuoteAmount(Decimal(profit)),
        cost_of_sold=QuoteAmount(Decimal(100)),
        carried=Carried(quantity=BaseQty(Decimal("1E-9")), cost=QuoteAmount(Decimal("1E-8"))),
        kept=Carried(quantity=BaseQty(Decimal(-1)), cost=QuoteAmount(Decimal(2))),
    )
    filled = {one.id: one for one in deal.orders.values() if one.fills}
    at = NOON + datetime.timedelta(hours=number)
    return attrs.evolve(deal, exit=exit, closed_at=at, result=result, orders=filled)


async def test_a_bot_comes_back_equal_at_every_step(store: Store) -> None:
    made = bot(max_safety_orders=3, stop_loss=20, cooldown="1.5", active_safety_orders=2)
    await people(store, record(made))
    for step in (started(made), entered(made)):
        await store_bot(store, step)
        assert await stored(store) == step
    books = deal_of(entered(made)).books.with_gone(
        BaseQty(Decimal("1E-18")), QuoteAmount(Decimal("0.123456789012345678"))
    )
    sold = attrs.evolve(deal_of(entered(made)), books=books, exit=Exit.SOLD_BY_HAND, sold_at=Price(Decimal("1E-9")))
    await store_bot(store, attrs.evolve(entered(made), deal=sold))
    assert await stored(store) == attrs.evolve(entered(made), deal=sold)
    trouble = Trouble(TroubleKind.ERROR, "Zoë’s 'words'", Cure.TRADING)
    troubled = attrs.evolve(entered(made), trouble=trouble, resume_at=NOON, awaits_price=True, price=None)
    await store_bot(store, troubled)
    assert await stored(store) == troubled


async def test_partial_fills_and_cancels_come_back(store: Store) -> None:
    made = entered()
    buy = next(one for one in deal_of(made).orders.values() if one.role is Role.SAFETY)
    part = fill_of(buy, "2", buy.quantity / 2)
    made = decide(
        made, Reported(NOON + SECOND, PRICE, (Filled(buy.id, part), Canceled(buy.id, BaseQty(part.quantity))))
    ).bot
    await people(store, record(made))
    found = deal_of(await stored(store)).orders[buy.id]
    assert (found.state, found.executed, found.filled) == (OrderState.CANCELED, part.quantity, part.quantity)
    assert await stored(store) == made


async def test_many_bots_are_loaded_at_once(store: Store) -> None:
    records = [record(entered(bot(f"bot{number:04}"), str(number + 1))) for number in range(12)]
    await people(store, *records)
    async with store.begin() as work:
        assert await work.bots.load(one.bot.id for one in records) == tuple(records)


async def test_refused_orders_are_kept_and_are_not_the_deals(store: Store) -> None:
    made = entered()
    await people(store, record(made))
    refused = next(one for one in intents(made) if one.order.role is Role.SAFETY)
    without = decide(made, Reported(NOON, PRICE, (Refused(refused.id, Refusal.NOT_PLACED, "lost"),)))
    gone = attrs.evolve(refused.moved(IntentState.SENDING), state=IntentState.NOT_PLACED, reason="never arrived")
    async with store.begin() as work:
        await work.bots.save(without.bot)
        await work.intents.save([gone, *intents(without.bot)])
        await work.commit()
    assert await stored(store) == without.bot
    async with store.begin() as work:
        all_of_them = await work.intents.of_deal(deal_of(made).id)
        assert gone in all_of_them
        assert len(all_of_them) == len(deal_of(made).orders) + len(without.commands)
        assert gone not in await work.intents.unsettled([BOT])
        assert await work.intents.get(gone.id) == gone


async def test_intents_come_back_with_all_that_is_known_of_them(store: Store) -> None:
    made = started()
    await people(store, record(made))
    (planned,) = intents(made)
    full = attrs.evolve(
        planned,
        state=IntentState.UNKNOWN,
        sent_at=NOON + SECOND,
        recv_window_ms=5_000,
        venue_order_id=VenueOrderId("9007199254740993"),
        misses=2,
        missed_at=NOON,
        reason="no answer",
        order=attrs.evolve(planned.order, is_cancelling=True, state=OrderState.UNKNOWN),
    )
    async with store.begin() as work:
        await work.intents.save([])
        await work.intents.save([full])
        assert await work.intents.get(full.id) == full
        assert await work.intents.get(OrderId("x")) is None
        assert await work.intents.unsettled([BOT, BotId("x")]) == (full,)
        assert await work.intents.of_deal(deal_of(made).id) == (full,)


async def test_orders_keep_the_order_of_their_planning(store: Store) -> None:
    made = started()
    await people(store, record(made))
    deal_id = deal_of(made).id
    names = ["z", "a", "m"]
    async with store.begin() as work:
        await work.intents.save([intent(name, deal_id) for name in names])
        await work.intents.save([intent(name, deal_id, misses=1) for name in sorted(names)])
        await work.commit()
    async with store.begin() as work:
        assert [one.id for one in await work.intents.of_deal(deal_id)][1:] == names
        assert [one.id for one in await work.intents.unsettled([BOT])][1:] == names


async def test_a_fill_counts_once(store: Store) -> None:
    made = started()
    await people(store, record(made))
    (planned,) = intents(made)
    first = attrs.evolve(planned, order=attrs.evolve(planned.order, fills=(fill_of(planned.order, "7"),)))
    (fill,) = booked([first])
    other = attrs.evolve(fill, fill=attrs.evolve(fill.fill, trade_id=TradeId("10"), quantity=BaseQty(Decimal(2))))
    changed = attrs.evolve(fill, fill=attrs.evolve(fill.fill, quantity=BaseQty(Decimal(9))))
    async with store.begin() as work:
        await work.fills.add([])
        await work.fills.add([fill, other, fill])
        await work.fills.add([changed])
        await work.commit()
    async with store.begin() as work:
        found = await work.intents.get(planned.id)
        assert found is not None
        assert found.order.fills == (fill.fill, other.fill)
        assert found.order.filled == fill.fill.quantity + 2
        assert await work.fills.newest(PAPER, "ABCXYZ") == "10"
        assert await work.fills.newest(PAPER, "OTHER") is None
        assert await work.fills.newest(AccountId("other"), "ABCXYZ") is None


async def test_the_same_trade_id_on_another_pair_is_another_fill(store: Store) -> None:
    made = started()
    await people(store, record(made))
    (planned,) = intents(made)
    (fill,) = booked([attrs.evolve(planned, order=attrs.evolve(planned.order, fills=(fill_of(planned.order, "7"),)))])
    async with store.begin() as work:
        await work.fills.add([fill, attrs.evolve(fill, pair="OTHER"), attrs.evolve(fill, account_id=AccountId("b"))])
        found = await work.intents.get(planned.id)
        assert found is not None
        assert len(found.order.fills) == 3


async def test_a_trade_id_that_comes_again_for_another_order_is_another_fill(store: Store) -> None:
    made = entered()
    await people(store, record(made))
    first, second = intents(made)[:2]
    (known,) = booked([first])
    async with store.begin() as work:
        await work.fills.add([known, attrs.evolve(known, order_id=second.id), attrs.evolve(known, order_id=second.id)])
        found = [await work.intents.get(it.id) for it in (first, second)]
        assert [len(it.order.fills) for it in found if it is not None] == [1, 1]


async def test_what_belongs_to_nothing_is_not_stored(store: Store) -> None:
    await people(store, record())
    lost = intent("lost", DealId("none"))
    async with store.begin() as work:
        await work.intents.save([lost])
        with pytest.raises(Conflict):
            await work.commit()
    async with store.begin() as work:
        await work.fills.add(booked([attrs.evolve(lost, order=order("lost", fills=(fill_of(lost.order),)))]))
        with pytest.raises(Conflict):
            await work.commit()
    async with store.begin() as work:
        assert await work.intents.get(lost.id) is None


async def test_orders_may_be_stored_before_their_deal(store: Store) -> None:
    await people(store, record())
    made = entered()
    async with store.begin() as work:
        await work.fills.add(booked(intents(made)))
        await work.intents.save(intents(made))
        await work.bots.save(made)
        await work.commit()
    assert await stored(store) == made


@pytest.mark.parametrize("first", [started(), entered()], ids=["planned", "filled"])
async def test_a_second_open_deal_is_refused(store: Store, first: Bot) -> None:
    await people(store, record(first))
    second = attrs.evolve(first, deal=attrs.evolve(deal_of(first), id=DealId("bot-2"), number=2, orders={}))
    for other in (second, attrs.evolve(first, deal=None)):
        with pytest.raises(Conflict, match="another open deal"):
            await store_bot(store, other)
    assert await stored(store) == first


async def test_a_deal_that_came_to_nothing_makes_room(store: Store) -> None:
    first = started()
    await people(store, record(first))
    (planned,) = intents(first)
    decision = decide(first, Reported(NOON, PRICE, (Refused(planned.id, Refusal.NOT_PLACED, "lost"),)))
    assert deal_of(decision.bot).id != deal_of(first).id
    async with store.begin() as work:
        await work.bots.save(decision.bot)
        await work.intents.save([attrs.evolve(planned, state=IntentState.NOT_PLACED), *intents(decision.bot)])
        await work.commit()
    assert await stored(store) == decision.bot
    async with store.begin() as work:
        assert [one.deal.id for one in await work.deals.of([BOT])] == [deal_of(decision.bot).id]
        assert await work.deals.get(deal_of(first).id) is None
        assert await work.intents.get(planned.id) is not None
        with pytest.raises(Conflict, match="has ended"):
            await work.bots.save(attrs.evolve(first, deal=attrs.evolve(deal_of(first), orders={})))


async def test_an_ended_deal_is_added_up_once(store: Store) -> None:
    made = entered()
    await people(store, record(made))
    deal = ended(deal_of(made), "12.5", number=13)
    for _ in range(2):
        async with store.begin() as work:
            await work.deals.end(BOT, deal)
            await work.bots.save(attrs.evolve(made, deal=None))
            await work.commit()
    books = deal.books
    once = Lifetime(
        deals=1,
        won=1,
        profit=QuoteAmount(Decimal("12.5")),
        volume=QuoteAmount(books.gross),
        fees_quote=books.buy_fees,
        fees_base=books.base_fees,
        duration_s=13 * 3600,
        best=QuoteAmount(Decimal("12.5")),
        worst=QuoteAmount(Decimal("12.5")),
        fees_valued=QuoteAmount(Decimal(0)),
        cost=QuoteAmount(Decimal(100)),
        tied=Decimal(100 * 13 * 3600),
        spread=(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0),  # 12.5 % lies from 10 to 20
    )
    async with store.begin() as work:
        found = await work.bots.get(BOT)
        assert found is not None
        assert (found.bot.deal, found.lifetime) == (None, once)
        day = datetime.date(2024, 1, 2)
        assert await work.feed.totals([BOT]) == (DayTotal(bot_id=BOT, quote_asset="XYZ", day=day, totals=once),)
        kept = await work.deals.get(deal.id)
        assert kept is not None
        assert kept.deal == deal
        assert (kept.bot_id, kept.user_id, kept.account_id) == (BOT, ANN, PAPER)
        with pytest.raises(Conflict, match="has ended"):
            await work.bots.save(made)


async def test_days_and_lifetimes_add_up(store: Store) -> None:
    await people(store, record(), record(bot("other")))
    first = deal_of(entered())
    hours = {1: "5", 2: "-3.000000000000000001", 13: "1", 14: "0"}
    async with store.begin() as work:
        for number, profit in hours.items():
            await work.deals.end(BOT, ended(attrs.evolve(first, id=DealId(f"d{number}")), profit, number))
        canceled = ended(attrs.evolve(first, id=DealId("kept")), "100", 15, Exit.CANCEL)
        await work.deals.end(BOT, canceled)
        await work.deals.end(BotId("other"), ended(attrs.evolve(first, id=DealId("o1")), "7"))
        await work.commit()
    async with store.begin() as work:
        found = await work.bots.get(BOT)
        assert found is not None
        life = found.lifetime
        assert (life.deals, life.won, life.profit) == (4, 2, Decimal("2.999999999999999999"))
        assert (life.best, life.worst) == (Decimal(5), Decimal("-3.000000000000000001"))
        totals = await work.feed.totals([BOT, BotId("other")])
        assert [(one.bot_id, one.day.day, one.totals.deals) for one in totals] == [
            ("bot", 1, 2),
            ("other", 1, 1),
            ("bot", 2, 2),
        ]
        assert await work.feed.totals([]) == ()


async def test_a_deal_that_has_not_ended_cannot_be_ended(store: Store) -> None:
    made = entered()
    await people(store, record(made))
    async with store.begin() as work:
        with pytest.raises(ValueError, match="has not ended"):
            await work.deals.end(BOT, deal_of(made))
        with pytest.raises(Conflict):
            await work.deals.end(BotId("none"), ended(attrs.evolve(deal_of(made), id=DealId("x")), "1"))


async def test_deals_come_in_pages_open_ones_first(store: Store) -> None:
    made = entered()
    await people(store, record(made), record(bot("other")))
    async with store.begin() as work:
        for number in range(1, 8):
            owner = BotId("other" if number % 2 else "bot")
            await work.deals.end(
                owner, ended(attrs.evolve(deal_of(made), id=DealId(f"d{number}"), orders={}), "1", number)
            )
        await work.commit()
    async with store.begin() as work:
        both = [BOT, BotId("other")]
        assert [one.deal.id for one in await work.deals.of(both)] == [
            deal_of(made).id,
            *(f"d{n}" for n in range(7, 0, -1)),
        ]
        assert [one.deal.id for one in await work.deals.of(both, limit=3, skip=2)] == ["d6", "d5", "d4"]
        assert [one.deal.id for one in await work.deals.of([BotId("other")], limit=2)] == ["d7", "d5"]
        assert (await work.deals.of(both))[0].deal == made.deal
        assert await work.deals.of([]) == ()


async def test_a_removed_bot_is_gone_with_all_its_history(store: Store) -> None:
    made = entered()
    await people(store, record(made), record(bot("other")))
    async with store.begin() as work:
        await work.deals.end(BOT, ended(deal_of(made), "1"))
        await work.requests.add(request("r"))
        await work.feed.add_activity([line("hers"), line("of nobody", bot_id=None)])
        await work.leases.take([BOT], "engine", SECOND)
        await work.commit()
    async with store.begin() as work:
        await work.bots.remove(BOT)
        await work.commit()
    async with store.begin() as work:
        assert [one.bot.id for one in await work.bots.of(ANN)] == ["other"]
        assert await work.deals.get(deal_of(made).id) is None
        assert await work.intents.of_deal(deal_of(made).id) == ()
        assert await work.fills.newest(PAPER, "ABCXYZ") is None
        assert await work.requests.waiting() == ()
        assert [one.text for one in await work.feed.activity(ANN)] == ["of nobody"]
        assert await work.feed.totals([BOT]) == ()
        assert await work.leases.held() == ()
