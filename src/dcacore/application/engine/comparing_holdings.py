"""Holdings in the comparison: where the deals hold more of an asset than the account does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from dcacore.application.engine.comparing_orders import compare_orders
from dcacore.application.engine.desk import Desk
from dcacore.application.engine.findings import Findings, bots_of, tell
from dcacore.application.engine.surroundings import log
from dcacore.domain.bot import Bot, Cure, TroubleKind
from dcacore.domain.deal import Deal
from dcacore.domain.events import AttentionNeeded, CoinsMissing, Cured
from dcacore.domain.gone import WITH_THE_USER, Shortfall
from dcacore.domain.intents import IntentState
from dcacore.domain.money import ZERO, BaseQty, plain
from dcacore.domain.orders import OrderState, Side
from dcacore.domain.turn import live_sells
from dcacore.ports.errors import UnknownPair

BEFORE_WRITTEN_OFF_S: Final = 10
"""For how long coins must have been missing before they are written off: what is read may be some seconds old."""


async def compare_holdings(desk: Desk, findings: Findings) -> None:
    """See that the account holds what the deals say, and ask anew about every order before it is said that it does not.

    A fill may be on its way between two answers.
    """
    short, unsure = await _shortfalls(desk)
    again = short
    if short:
        await desk.around.clock.sleep(1)
        for wire in tuple(desk.wires.values()):
            if wire.runner.market.base_asset in short and not wire.runner.is_over:
                await compare_orders(desk, wire, wire.runner.market.pair, {}, Findings())
        again, unsure = await _shortfalls(desk)
        short = _the_same(short, again)
    if any(it.is_little and it.hinders for it in short.values()):  # what is written off does not come back
        await desk.around.clock.sleep(BEFORE_WRITTEN_OFF_S)
        again, unsure = await _shortfalls(desk)
        short = _the_same(short, again)
    unheard = await _unheard_sales(desk, short) if short else frozenset()
    short = {asset: it for asset, it in short.items() if asset not in unheard}
    for asset, shortfall in sorted(short.items()):
        if not shortfall.is_little:
            await _ask_about(desk, asset, shortfall, findings)
        elif shortfall.hinders:
            await _write_off(desk, asset, shortfall, findings)
    for runner in desk.runners:
        trouble, asset = runner.bot.trouble, runner.market.base_asset
        is_there = asset not in unsure and (asset not in again or again[asset].is_little)
        if trouble is not None and trouble.cure is Cure.HOLDINGS and is_there:
            runner.post(Cured(desk.around.clock.now(), Cure.HOLDINGS))


def _the_same(before: Mapping[str, Shortfall], now: Mapping[str, Shortfall]) -> dict[str, Shortfall]:
    return {asset: it for asset, it in now.items() if asset in before and _is_the_same(it, before[asset])}


async def _unheard_sales(desk: Desk, short: Mapping[str, Shortfall]) -> frozenset[str]:
    """Return those assets of which a bot that is not up here has sold something that nobody has booked yet."""
    heard = {
        wire.runner.bot.id for wire in desk.wires.values() if wire.runner.is_reconciled and not wire.runner.is_over
    }
    sold: set[str] = set()
    for bot in await bots_of(desk):
        if bot.id in heard or (deal := bot.deal) is None or deal.market.base_asset not in short:
            continue
        for order in live_sells(deal):
            try:
                found = await desk.exchange.find(deal.market.pair, order_id=order.id)
            except UnknownPair:
                continue
            if found is None or found.executed != order.filled:
                sold.add(deal.market.base_asset)
    return frozenset(sold)


def _is_the_same(one: Shortfall, other: Shortfall) -> bool:
    return (one.needed, one.held) == (other.needed, other.held)


async def _ask_about(desk: Desk, asset: str, shortfall: Shortfall, findings: Findings) -> None:
    """Let the bots that hold the asset stop, and their user say what is to be done."""
    needed, held = shortfall.needed, shortfall.held
    text = f"the deals hold {plain(needed)} {asset}, but the account has only {plain(held)}: sold or withdrawn?"
    findings.differences.append(text)
    log.warning("holdings_differ", account=desk.account.id, asset=asset, needed=str(needed), held=str(held))
    for runner in desk.runners:
        trouble = runner.bot.trouble
        is_free = trouble is None or trouble.kind is TroubleKind.WAITING_FOR_BALANCE
        if runner.market.base_asset == asset and _deal_to_sell(runner.bot) is not None and is_free:
            await tell(runner, AttentionNeeded(desk.around.clock.now(), text, cure=Cure.HOLDINGS))


async def _write_off(desk: Desk, asset: str, shortfall: Shortfall, findings: Findings) -> None:
    """Let the deals bear what little is missing, and go on with what is there."""
    needed, held, shares = shortfall.needed, shortfall.held, shortfall.shares()
    findings.differences.append(
        f"the deals hold {plain(needed)} {asset}, the account has {plain(held)}: so little is missing that they bear it"
    )
    log.warning("holdings_written_off", account=desk.account.id, asset=asset, needed=str(needed), held=str(held))
    gone = {deal.id: BaseQty(deal.books.gone + shares[deal.id]) for deal in shortfall.deals if deal.id in shares}
    for runner in desk.runners:
        deal, now = _deal_to_sell(runner.bot), desk.around.clock.now()
        if deal is None or deal.market.base_asset != asset:
            continue
        missing = [CoinsMissing(at=now, deal_id=deal.id, gone=gone[deal.id])] if deal.id in gone else []
        await tell(runner, *missing, Cured(now, Cure.COINS))


def _deal_to_sell(bot: Bot) -> Deal | None:
    """Return the bot's open deal, if what it holds is to be sold."""
    return None if bot.deal is None or bot.deal.exit in WITH_THE_USER else bot.deal


async def _shortfalls(desk: Desk) -> tuple[dict[str, Shortfall], frozenset[str]]:
    """Return the assets of which the account holds less than its deals, and those of which that is not known now."""
    positions, unsure = await _positions(desk)
    if not positions:
        return {}, unsure
    balances = await desk.exchange.balances()
    short: dict[str, Shortfall] = {}
    for asset, deals in positions.items():
        balance = balances.get(asset)
        shortfall = Shortfall(deals, ZERO if balance is None else balance.free + balance.locked)
        if shortfall.held < shortfall.needed:
            short[asset] = shortfall
    return short, unsure


async def _positions(desk: Desk) -> tuple[dict[str, tuple[Deal, ...]], frozenset[str]]:
    """Return all deals of the account by the asset that they hold, and apart the assets with a sell of unknown fate."""
    bots = await bots_of(desk)
    holding: defaultdict[str, list[Deal]] = defaultdict(list)
    unsure = {
        runner.market.base_asset
        for runner in desk.runners
        for intent in runner.unsettled
        if intent.order.side is Side.SELL and intent.state is not IntentState.OPEN
    }
    for bot in bots:
        if (deal := _deal_to_sell(bot)) is not None:
            holding[deal.market.base_asset].append(deal)
        sells = () if bot.deal is None else live_sells(bot.deal)
        if bot.deal is not None and any(order.state is not OrderState.OPEN for order in sells):
            unsure.add(bot.deal.market.base_asset)
    sure = {asset: tuple(deals) for asset, deals in holding.items() if asset not in unsure}
    return sure, frozenset(unsure)
