"""Changing a bot's parameters, and writing a bot down as a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import attrs

from dcacore.application.asking import add_request
from dcacore.application.finding import bot_of
from dcacore.application.parameters import strategy_of, texts_of
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import UserId
from dcacore.domain.money import plain
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
    """
    if not changes:
        raise InvalidParameter("NAME=VALUE", None, "is missing: nothing would change")
    async with store.begin() as work:
        record = await bot_of(work, user_id, named)
        texts = {**await _to_be(work, record), **changes}
        texts = {name: text for name, text in texts.items() if text or name not in changes}
        strategy = strategy_of(texts)
        if strategy.pair != record.bot.market.pair:
            raise InvalidParameter("pair", strategy.pair, "cannot change: make another bot for another pair")
        request = await add_request(
            work, clock, ids, record=record, kind=RequestKind.EDIT_BOT, details=texts_of(strategy)
        )
        await work.commit()
    return request


async def _to_be(work: Work, record: BotRecord) -> Mapping[str, str]:
    """Return the parameters as they will be once what waits has been done: two edits in a row must both count."""
    waiting = [
        request
        for request in await work.requests.waiting()
        if request.bot_id == record.bot.id and request.kind is RequestKind.EDIT_BOT
    ]
    return waiting[-1].details if waiting else texts_of(record.bot.strategy)


def bot_file_text(record: BotRecord) -> str:
    """Return the bot as a bot file, which makes the same bot when it is read."""
    bot = record.bot
    lines = ["[bot]", f"name = {_quoted(record.name)}", *_table(texts_of(bot.strategy))]
    market = attrs.asdict(bot.market, filter=lambda field, _: field.name != "pair")
    lines += ["", "[market]"]
    lines += [
        f"{name} = {_quoted(value if isinstance(value, str) else plain(value))}" for name, value in market.items()
    ]
    fees = bot.fees
    lines += ["", "[fees]", f'fee_maker = "{plain(fees.fee_maker)}"', f'fee_taker = "{plain(fees.fee_taker)}"']
    lines += [f'fee_asset = "{fees.fee_asset.value}"']
    return "\n".join(lines) + "\n"


def _table(texts: Mapping[str, str]) -> Iterator[str]:
    for name, text in texts.items():
        yield f"{name} = {text if text in {'true', 'false'} else _quoted(text)}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # TOML's basic strings have the same escapes
