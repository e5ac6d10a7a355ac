"""The index of watched prices against a list that is asked one by one."""

from __future__ import annotations

import datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from dcacore.application.engine.triggers import Seen, Triggers
from dcacore.domain.ids import BotId
from dcacore.domain.money import Price
from dcacore.domain.watch import Retry, Watches
from tests.strategies import NOON

LEVELS = st.none() | st.integers(1, 20).map(lambda n: Price(Decimal(n)))
WATCHES = st.builds(
    Watches,
    falls_to=LEVELS,
    rises_to=LEVELS,
    peak=LEVELS,
    retry=st.sampled_from([Retry.NEVER, Retry.NEVER, Retry.PRICE, Retry.BALANCE]),
)


def price(number: int) -> Price:
    return Price(Decimal(number))


def seen(number: int, after_s: int = 0) -> Seen:
    return Seen(price(number), NOON + datetime.timedelta(seconds=after_s))


def concerns(watches: Watches, at: Price, before: Price | None) -> bool:
    return (
        (watches.falls_to is not None and at <= watches.falls_to)
        or (watches.rises_to is not None and at >= watches.rises_to)
        or (watches.peak is not None and at > watches.peak)
        or (watches.retry is Retry.PRICE and at != before)
    )


@given(st.lists(WATCHES, max_size=12), st.lists(st.integers(1, 20), max_size=8))
def test_a_tick_fires_what_a_look_at_every_bot_would_fire(watched: list[Watches], ticks: list[int]) -> None:
    triggers = Triggers(last=seen(10))
    waiting = {}
    for number, watches in enumerate(watched):
        bot_id = BotId(f"bot{number}")
        if not triggers.put(bot_id, watches, price(10)):
            waiting[bot_id] = watches
    before = price(10)
    for tick in map(seen, ticks):
        due = {bot_id for bot_id, watches in waiting.items() if concerns(watches, tick.price, before)}
        fired = triggers.tick(tick)
        assert set(fired) == due
        assert len(fired) == len(due)
        for bot_id in due:
            del waiting[bot_id]
        before = tick.price


def test_the_nearest_fall_is_told_first() -> None:
    triggers = Triggers(last=seen(10))
    for name, level in (("far", 5), ("near", 9), ("middle", 7)):
        triggers.put(BotId(name), Watches(falls_to=price(level)), price(10))
    assert triggers.tick(seen(4)) == ("near", "middle", "far")


def test_a_bot_that_is_busy_misses_no_extreme() -> None:
    triggers, bot_id = Triggers(last=seen(10)), BotId("bot")
    triggers.put(bot_id, Watches(falls_to=price(9)), price(10))
    assert triggers.tick(seen(9)) == (bot_id,)
    for tick in (8, 3, 12, 11, 10):
        assert triggers.tick(seen(tick)) == ()
    assert triggers.put(bot_id, Watches(falls_to=price(4), rises_to=price(12)), price(9)) == tuple(
        map(seen, (3, 12, 10))
    )


def test_a_bot_that_is_put_where_nothing_concerns_it_waits() -> None:
    triggers, bot_id = Triggers(last=seen(10)), BotId("bot")
    assert triggers.put(bot_id, Watches(falls_to=price(5)), price(10)) == ()
    assert triggers.tick(seen(6)) == ()
    assert triggers.tick(seen(5)) == (bot_id,)


def test_a_bot_that_was_forgotten_is_told_nothing() -> None:
    triggers, bot_id = Triggers(last=seen(10)), BotId("bot")
    triggers.put(bot_id, Watches(falls_to=price(9), rises_to=price(11), peak=price(10), retry=Retry.PRICE), price(10))
    triggers.forget(bot_id)
    assert triggers.tick(seen(1)) == ()
    assert triggers.tick(seen(20)) == ()


def test_a_wait_for_a_change_of_the_price_is_not_over_when_the_same_price_comes_again() -> None:
    triggers, bot_id = Triggers(), BotId("bot")
    assert triggers.put(bot_id, Watches(retry=Retry.PRICE), None) == ()
    assert triggers.tick(seen(10)) == (bot_id,)
    assert triggers.put(bot_id, Watches(retry=Retry.PRICE), price(10)) == ()
    assert triggers.tick(seen(10)) == ()
    assert triggers.tick(seen(11)) == (bot_id,)


def test_a_bot_of_whose_market_nothing_is_known_is_told_the_next_tick_and_not_the_last_one() -> None:
    triggers, bot_id = Triggers(last=seen(10)), BotId("bot")
    assert triggers.put(bot_id, Watches(rises_to=price(9)), price(8), is_known=False) == ()
    assert triggers.tick(seen(7)) == (bot_id,)


def test_a_bot_that_knows_an_old_price_is_told_the_last_once_that_is_known() -> None:
    triggers, bot_id = Triggers(last=seen(10)), BotId("bot")
    assert triggers.put(bot_id, Watches(), None, is_old=True) == (seen(10),)
    assert triggers.put(bot_id, Watches(), price(10)) == ()


def test_the_same_price_again_is_kept_as_of_its_later_time() -> None:
    triggers, bot_id = Triggers(last=seen(10)), BotId("bot")
    triggers.put(bot_id, Watches(falls_to=price(9)), price(10))
    assert triggers.tick(seen(9)) == (bot_id,)
    triggers.tick(seen(12, after_s=1))
    triggers.tick(seen(12, after_s=2))
    assert triggers.put(bot_id, Watches(rises_to=price(12)), price(9)) == (seen(12, after_s=2),)
