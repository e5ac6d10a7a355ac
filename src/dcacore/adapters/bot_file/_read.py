"""A bot file's tables as parameters, each refused by its name."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

import attrs

from dcacore.adapters.bot_file._toml import Table, read_toml, shown, tables_of
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.market import Fees, Market
from dcacore.domain.numbers import Number, Unreadable, as_count
from dcacore.domain.strategy import WITHOUT_SAFETY_ORDERS, Strategy
from dcacore.ports.bot_file import BotFile
from dcacore.ports.errors import BadFile

_TABLES: Final = ("bot", "market", "fees")
_STRATEGY: Final = {field.name: field for field in attrs.fields(Strategy)}
_MARKET: Final = tuple(field.name for field in attrs.fields(Market) if field.name != "pair")
_FEES: Final = tuple(field.name for field in attrs.fields(Fees))

_TRUE_OR_FALSE: Final = frozenset({"take_profit_net", "auto_restart"})
_TEXTS: Final = frozenset(
    {"name", "pair", "take_profit_type", "stop_loss_basis", "ladder_reference", "quantity_rounding"}
    | {"base_asset", "quote_asset", "fee_asset"}
)


def read_bot(path: str) -> BotFile:
    """Return what the bot file at *path* says.

    Raises:
        BadFile: it cannot be read, or something in it is missing, unknown or out of range.
    """
    file = str(path)
    return _bot_of(file, read_toml(file))


def bot_of_text(file: str, text: str) -> BotFile:
    """Return what the text of a bot file says.

    Args:
        file: what names it in messages.
        text: TOML.

    Raises:
        BadFile: it is no TOML, or something in it is missing, unknown or out of range.
    """
    return _bot_of(file, tables_of(file, text))


def _bot_of(file: str, tables: Table) -> BotFile:
    try:
        return bot_of_tables(file, tables)
    except InvalidParameter as exc:
        raise BadFile(file, _complaint(exc)) from exc


def _complaint(exc: InvalidParameter) -> str:
    given = exc.name if exc.value is None else f"{exc.name} = {shown(exc.value)}"
    return f"{given}: {exc.rule}"


def bot_of_tables(file: str, tables: Table) -> BotFile:
    """Return the bot that the tables of a bot file describe, whatever they were read from.

    Args:
        file: what names the bot if the tables do not, and what stands in messages.
        tables: `bot`, `market` and `fees`; their numbers are texts, integers or Decimals.

    Raises:
        InvalidParameter: something in them is missing, unknown or out of range.
    """
    _refuse_unknown("table", tables, _TABLES)
    bot = _table(tables, "bot")
    if bot is None:
        raise InvalidParameter("[bot]", None, "is missing: a bot file has one such table")
    market, fees = _table(tables, "market") or {}, _table(tables, "fees") or {}
    _refuse_unknown("[bot]", bot, (*_STRATEGY, "name"))
    _refuse_unknown("[market]", market, _MARKET)
    _refuse_unknown("[fees]", fees, _FEES)
    given = {key: _checked(key, value) for key, value in bot.items()}
    name = given.pop("name", Path(file).stem)
    return BotFile(
        file=file,
        name=_named(name),
        strategy=_strategy(given),
        market={key: _number_or_text(key, value) for key, value in market.items()},
        fees=Fees(**{key: _checked(key, value) for key, value in fees.items()}),  # type: ignore[arg-type]  # its validators look
    )


def _table(tables: Table, name: str) -> Table | None:
    table = tables.get(name)
    if isinstance(table, list):
        raise InvalidParameter(f"[[{name}]]", None, f"must be one table, written [{name}]")
    if table is not None and not isinstance(table, dict):
        raise InvalidParameter(name, shown(table), f"must be a table, written [{name}]")
    return table


def _refuse_unknown(where: str, given: Collection[str], known: Collection[str]) -> None:
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            kind = "is no table of a bot file" if where == "table" else f"is no key of {where}"
            hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"
            raise InvalidParameter(shown(key), None, f"{kind}{hint}")


def _strategy(given: Mapping[str, object]) -> Strategy:
    if _is_zero(given.get("max_safety_orders")):
        given = {**WITHOUT_SAFETY_ORDERS, **given}
    for name, field in _STRATEGY.items():
        if field.default is attrs.NOTHING and name not in given:
            raise InvalidParameter(name, None, "is missing")
    return Strategy(**given)  # type: ignore[arg-type]  # its validators look


def _is_zero(count: object) -> bool:
    return isinstance(count, str | int | Decimal) and not isinstance(count, bool) and as_count(count) == 0


def _checked(key: str, value: object) -> object:
    if key not in _TRUE_OR_FALSE:
        return _number_or_text(key, value)
    if not isinstance(value, bool):
        raise InvalidParameter(key, shown(value), "must be true or false, without quotes")
    return value


def _number_or_text(key: str, value: object) -> Number:
    if key in _TEXTS:
        if not isinstance(value, str):
            raise InvalidParameter(key, shown(value), "must be a text in quotes")
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise InvalidParameter(key, shown(value), "must be a number")
    return value.written if isinstance(value, Unreadable) and isinstance(value.written, str) else value


def _named(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise InvalidParameter("name", shown(name), "must be a text of printable characters that is not empty")
    return name
