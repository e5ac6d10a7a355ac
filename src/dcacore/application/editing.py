"""Changing a bot's parameters, and writing a bot down as a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import attrs

from dcacore.application.asking import add_request
from dcacore.application.consent import refuse_unconfirmed
from dcacore.application.finding import bot_of
from dcacore.application.parameters import strategy_of, texts_of
from dcacore.application.waiting import strategy_to_be, will_run
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import UserId
from dcacore.domain.market import Fees, Market
from dcacore.domain.money import plain
from dcacore.domain.strategy import Strategy
from dcacore.ports.clock import Clock, Ids
from dcacore.ports.records import BotRecord, Request, RequestKind
from dcacore.ports.store import Store, Work


async def edit(
    store: Store, clock: Clock, ids: Ids, *, user_id: UserId, named: str, changes: Mapping[str, str]
) -> Request:
    """Ask for other parameters from the bot's next deal on; what is not among *changes* stays, an empty text unsets.

    Raises:
        NotFound: the user has no such bot.
        InvalidParameter: a parameter is unknown or out of range, or the pair would change.
        NotConfirmed: the bot runs on a live account, and its deals may cost more than was confirmed.
    """
    if not changes:
        raise InvalidParameter("NAME=VALUE", None, "is missing: nothing would change")
    async with store.begin() as work:
        await work.users.hold(user_id)  # a start, which looks at the parameters, may not come in between
        record = await bot_of(work, user_id, named)
        strategy = await edited(work, record, changes)
        if await will_run(work, record):  # else it is looked at when it starts
            await refuse_unconfirmed(work, record, strategy, runs=True)
        request = await add_request(
            work, clock, ids, record=record, kind=RequestKind.EDIT_BOT, details=texts_of(strategy)
        )
        await work.commit()
    return request


async def edited(work: Work, record: BotRecord, changes: Mapping[str, str]) -> Strategy:
    """Return the bot's parameters with *changes*, an empty text unsetting one, once what waits has been done.

    Raises:
        InvalidParameter: a parameter is unknown or out of range, or the pair would change.
    """
    texts = {**texts_of(await strategy_to_be(work, record)), **changes}
    strategy = strategy_of({name: text for name, text in texts.items() if text or name not in changes})
    if strategy.pair != record.bot.market.pair:
        raise InvalidParameter("pair", strategy.pair, "cannot change: make another bot for another pair")
    return strategy


def bot_file_text(record: BotRecord) -> str:
    """Return the bot as a bot file, which makes the same bot when it is read."""
    return bot_text(record.name, record.bot.strategy, record.bot.market, record.bot.fees)


def bot_text(name: str, strategy: Strategy, rules: Market, fees: Fees) -> str:
    """Return a bot as a bot file that leaves nothing to be looked up."""
    lines = ["[bot]", f"name = {_quoted(name)}", *_table(texts_of(strategy))]
    market = attrs.asdict(rules, filter=lambda field, _: field.name != "pair")
    lines += ["", "[market]"]
    lines += [
        f"{name} = {_quoted(value if isinstance(value, str) else plain(value))}" for name, value in market.items()
    ]
    lines += ["", "[fees]", f'fee_maker = "{plain(fees.fee_maker)}"', f'fee_taker = "{plain(fees.fee_taker)}"']
    lines += [f'fee_asset = "{fees.fee_asset.value}"']
    return "\n".join(lines) + "\n"


def _table(texts: Mapping[str, str]) -> Iterator[str]:
    for name, text in texts.items():
        yield f"{name} = {text if text in {'true', 'false'} else _quoted(text)}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # TOML's basic strings have the same escapes
