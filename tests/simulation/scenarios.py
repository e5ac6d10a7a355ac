"""Short stories of bots, each a few minutes long, to be told with a process that dies anywhere in them."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Final

from dcacore.application.parameters import texts_of
from dcacore.domain.money import BaseQty
from dcacore.domain.roles import Role
from dcacore.ports.errors import InsufficientBalance
from dcacore.ports.records import RequestKind
from tests.simulation.stage import MARKET, PAIR, Script, Stage, other_rules, strategy

UP: Final = 61_500
FIRST, SECOND, THIRD, BELOW = 59_300, 58_700, 58_100, 55_000


async def base_order(stage: Stage) -> None:
    await stage.bot()


async def take_profit(stage: Stage) -> None:
    await stage.bot()
    await stage.price(UP)


async def safety_orders(stage: Stage) -> None:
    await stage.bot()
    await stage.price(FIRST)
    await stage.price(SECOND)
    await stage.price(UP)


async def gap_through_all(stage: Stage) -> None:
    await stage.bot()
    await stage.price(BELOW)
    await stage.price(UP)


async def wick(stage: Stage) -> None:
    await stage.bot()
    await stage.price(BELOW, 0.1)
    await stage.price(60_000)
    await stage.price(UP)


async def trailing(stage: Stage) -> None:
    await stage.bot(trailing_deviation="0.5")
    await stage.price(FIRST)
    await stage.price(UP, 2)
    await stage.price(62_500, 2)
    await stage.price(62_000)


async def stop_loss(stage: Stage) -> None:
    await stage.bot(stop_loss=5)
    await stage.price(FIRST)
    await stage.price(BELOW)


async def close_deal(stage: Stage) -> None:
    bot = await stage.bot()
    await stage.price(FIRST)
    await stage.ask(bot, RequestKind.CLOSE_DEAL)
    await stage.wait(6)


async def cancel_deal(stage: Stage) -> None:
    bot = await stage.bot()
    await stage.ask(bot, RequestKind.CANCEL_DEAL)
    await stage.wait(6)


async def add_funds(stage: Stage) -> None:
    bot = await stage.bot()
    await stage.ask(bot, RequestKind.ADD_FUNDS, amount="100")
    await stage.wait(6)
    await stage.price(UP)


async def edit_deal(stage: Stage) -> None:
    bot = await stage.bot(active_safety_orders=2)
    await stage.ask(bot, RequestKind.EDIT_DEAL, take_profit="2", max_safety_orders="5")
    await stage.wait(6)
    await stage.price(FIRST)


async def edit_bot(stage: Stage) -> None:
    bot = await stage.bot(auto_restart=True, cooldown=3)
    await stage.ask(bot, RequestKind.EDIT_BOT, **texts_of(strategy(max_safety_orders=1, take_profit=2)))
    await stage.price(UP, 8)


async def stop_and_sell(stage: Stage) -> None:
    bot = await stage.bot()
    await stage.price(FIRST)
    await stage.ask(bot, RequestKind.STOP, sell="true")
    await stage.wait(6)


async def stop_and_keep(stage: Stage) -> None:
    bot = await stage.bot()
    await stage.price(FIRST)
    await stage.ask(bot, RequestKind.STOP, sell="false")
    await stage.wait(6)


async def stop_at_once(stage: Stage) -> None:
    bot = await stage.world.add_bot("botaaaaa", stage.account, MARKET, strategy())
    await stage.ask(bot, RequestKind.START)
    await stage.wait(1.5)
    await stage.ask(bot, RequestKind.STOP, sell="true")
    await stage.wait(8)


async def pause(stage: Stage) -> None:
    bot = await stage.bot(auto_restart=True)
    await stage.ask(bot, RequestKind.PAUSE)
    await stage.wait(2)
    await stage.price(UP)
    await stage.ask(bot, RequestKind.START)
    await stage.wait(6)


async def too_little_balance(stage: Stage) -> None:
    stage.hand.withdraw("USDT", Decimal(4000))
    bot = await stage.bot()
    await stage.price(FIRST)
    stage.hand.deposit("USDT", Decimal(4000))
    await stage.ask(bot, RequestKind.RETRY)
    await stage.wait(6)


async def take_profit_in_part(stage: Stage) -> None:
    await stage.bot()
    target = stage.resting(Role.TAKE_PROFIT)
    if target is not None:
        stage.staff.fill_in_part(stage.account, PAIR, target.venue_order_id, BaseQty(Decimal("0.004")))
    await stage.wait(3)
    await stage.price(FIRST, 8)
    await stage.price(UP)


async def safety_order_in_part(stage: Stage) -> None:
    await stage.bot()
    order = stage.resting(Role.SAFETY)
    if order is not None:
        stage.staff.fill_in_part(stage.account, PAIR, order.venue_order_id, BaseQty(Decimal("0.004")))
    await stage.wait(8)
    await stage.price(UP)


async def thin_base_order(stage: Stage) -> None:
    stage.staff.thin_out(PAIR, Decimal("0.4"))
    await stage.bot()
    await stage.price(UP)


async def thin_exit(stage: Stage) -> None:
    bot = await stage.bot()
    stage.staff.thin_out(PAIR, Decimal("0.4"))
    await stage.ask(bot, RequestKind.CLOSE_DEAL)
    await stage.wait(8)


async def cooldown(stage: Stage) -> None:
    await stage.bot(auto_restart=True, cooldown=5, max_safety_orders=1)
    await stage.price(UP, 10)


async def max_deals(stage: Stage) -> None:
    await stage.bot(auto_restart=True, max_deals=2, max_safety_orders=0)
    await stage.price(UP, 6)
    await stage.price(63_500, 6)


async def safety_order_by_hand(stage: Stage) -> None:
    bot = await stage.bot()
    order = stage.resting(Role.SAFETY)
    if order is not None:
        stage.hand.cancel(PAIR, order.venue_order_id)
    await stage.wait(3)
    await stage.ask(bot, RequestKind.RETRY)
    await stage.price(FIRST, 6)


async def take_profit_by_hand(stage: Stage) -> None:
    bot = await stage.bot()
    order = stage.resting(Role.TAKE_PROFIT)
    if order is not None:
        stage.hand.cancel(PAIR, order.venue_order_id)
    await stage.wait(3)
    await stage.ask(bot, RequestKind.RETRY)
    await stage.wait(4)
    await stage.price(UP)


async def coins_sold_by_hand(stage: Stage) -> None:
    bot = await stage.bot(trailing_deviation="0.5")
    with suppress(InsufficientBalance):  # a process that died before it bought has left nothing to sell
        stage.hand.sell(PAIR, BaseQty(Decimal("0.005")))
    await stage.ask(bot, RequestKind.CLOSE_DEAL)
    await stage.wait(6)


async def rules_change(stage: Stage) -> None:
    await stage.bot(active_safety_orders=1)
    stage.staff.change_rules(other_rules(MARKET))
    await stage.price(FIRST, 8)
    await stage.price(UP)


async def halt(stage: Stage) -> None:
    bot = await stage.bot()
    stage.staff.halt(PAIR)
    await stage.ask(bot, RequestKind.ADD_FUNDS, amount="100")
    await stage.price(FIRST)
    stage.staff.resume(PAIR)
    await stage.wait(6)


async def key_revoked(stage: Stage) -> None:
    bot = await stage.bot(active_safety_orders=1)
    stage.staff.revoke(stage.account)
    await stage.price(FIRST, 6)
    stage.staff.restore(stage.account)
    await stage.ask(bot, RequestKind.RETRY)
    await stage.wait(6)


async def two_bots(stage: Stage) -> None:
    await stage.bot(max_safety_orders=1)
    await stage.bot("botbbbbb", max_safety_orders=1, take_profit=2)
    await stage.price(FIRST)
    await stage.price(UP)


async def one_at_a_time(stage: Stage) -> None:
    await stage.bot(active_safety_orders=1)
    await stage.price(FIRST)
    await stage.price(SECOND)
    await stage.price(THIRD)


async def restart(stage: Stage) -> None:
    await stage.bot()
    await stage.world.stop()
    await stage.price(FIRST, 8)
    await stage.price(UP)


async def clock_set_right(stage: Stage) -> None:
    await stage.bot(auto_restart=True, cooldown=20, max_safety_orders=0)
    await stage.price(UP)
    stage.world.machine.ahead_s = -7200  # the machine comes up with a clock that is behind, and asks for the time later
    await stage.world.stop()
    await stage.wait(10)
    stage.world.machine.ahead_s = 0
    await stage.wait(60)


SCENARIOS: Final[dict[str, Script]] = {
    script.__name__: script
    for script in (
        base_order,
        take_profit,
        safety_orders,
        gap_through_all,
        wick,
        trailing,
        stop_loss,
        close_deal,
        cancel_deal,
        add_funds,
        edit_deal,
        edit_bot,
        stop_and_sell,
        stop_and_keep,
        stop_at_once,
        pause,
        too_little_balance,
        take_profit_in_part,
        safety_order_in_part,
        thin_base_order,
        thin_exit,
        cooldown,
        max_deals,
        safety_order_by_hand,
        take_profit_by_hand,
        coins_sold_by_hand,
        rules_change,
        halt,
        key_revoked,
        two_bots,
        one_at_a_time,
        restart,
        clock_set_right,
    )
}
"""By name."""
