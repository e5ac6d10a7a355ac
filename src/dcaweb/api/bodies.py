"""Bodies of requests: JSON in, exact numbers and known names out."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final

from litestar.exceptions import ClientException, HTTPException

from dcacore import bootstrap
from dcacore.application.refusals import NotFound
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.market import Market
from dcacore.domain.money import plain
from dcacore.domain.numbers import Unreadable, as_number
from dcacore.ports.bot_file import BotFile
from dcacore.ports.errors import BadFile
from dcaweb.api.bearers import ApiRequest

Body = Mapping[str, object]

_LONGEST_INTEGER: Final = 40
_LONGEST_NAME: Final = 100
_TABLES: Final = ("market", "fees")


async def body_of(request: ApiRequest, allowed: Collection[str] | None = None, *, may_lack: bool = False) -> Body:
    """Return the object in the body; a number with a point is a `Decimal`, exactly as it is written.

    Args:
        request: what has the body.
        allowed: the names that there may be; None takes any.
        may_lack: whether there may be no body, which means an empty object.

    Raises:
        HTTPException: 415, it is of another kind; 400, it is no JSON object, or has a name twice.
        InvalidParameter: it has a name that is not allowed.
    """
    raw = await request.body()
    if may_lack and not raw:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise HTTPException("The body must be application/json", status_code=415)
    try:
        found = json.loads(
            raw.decode("utf-8"),
            parse_float=as_number,
            parse_int=_integer,
            parse_constant=_refuse,
            object_pairs_hook=_object,
        )
        json.dumps(found, ensure_ascii=False, default=str).encode("utf-8")  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        raise ClientException("The body is no JSON, or has a name twice") from None
    if not isinstance(found, dict):
        raise ClientException("The body must be a JSON object")
    if allowed is not None:
        refuse_unknown(found, allowed)
    return found


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _LONGEST_INTEGER else Unreadable.of(f"{text[:_LONGEST_INTEGER]}...")


def _refuse(name: str) -> None:
    raise ValueError(name)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name twice")
    return found


def refuse_unknown(body: Body, allowed: Collection[str]) -> None:
    """See that nothing else is in *body*.

    Raises:
        InvalidParameter: something is, by its name.
    """
    for name in body:
        if name not in allowed:
            raise InvalidParameter(name, None, f"is not known here; there are {', '.join(sorted(allowed))}")


def text_of(body: Body, name: str, default: str | None = None) -> str:
    """Return the text of that name.

    Raises:
        InvalidParameter: it is missing, and there is no *default*, or it is no text.
    """
    value = body.get(name, default)
    if value is None:
        raise InvalidParameter(name, None, "is missing")
    if not isinstance(value, str):
        raise InvalidParameter(name, None, "must be a text")
    return value


def number_of(body: Body, name: str) -> Decimal | None:
    """Return the number of that name; None when there is none.

    Raises:
        InvalidParameter: it is no number.
    """
    value = body.get(name)
    return None if value is None else _number(name, value)


def whole_of(body: Body, name: str, *, least: int, most: int) -> int | None:
    """Return the whole number of that name; None when there is none.

    Raises:
        InvalidParameter: it is none, or out of range.
    """
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidParameter(name, None, f"must be a whole number from {least} to {most}")
    return value


def _number(name: str, value: object) -> Decimal:
    number = as_number(value) if isinstance(value, str | int | Decimal) else Unreadable.of(value)
    if isinstance(number, Unreadable):
        raise InvalidParameter(name, None, "must be a plain decimal number such as 12.5")
    return number


def bot_of(body: Body, *, beside: Collection[str] = (), name: str = "bot") -> tuple[BotFile, Market]:
    """Return the bot that *body* describes by the names of the bot file, and its market.

    Args:
        body: the parameters, with the tables `market` and `fees` in it.
        beside: names in it that are not the bot's.
        name: what it is called when *body* does not say so.

    Raises:
        InvalidParameter: something is missing, unknown or out of range.
    """
    bot = {key: value for key, value in body.items() if key not in _TABLES and key not in beside and value is not None}
    tables = {key: body[key] for key in _TABLES if body.get(key) is not None}
    found = bootstrap.bot_of_tables(name, {"bot": bot, **tables})
    try:
        return found, bootstrap.market_of(found)
    except BadFile as exc:
        raise InvalidParameter("market", None, exc.reason) from exc


def changes_of(body: Body) -> dict[str, str]:
    """Return parameters as texts; null unsets one.

    Raises:
        InvalidParameter: a value is neither a text nor a number nor true nor false nor null.
    """
    return {name: _text(name, value) for name, value in body.items()}


def _text(name: str, value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str() if value.strip():
            return value
        case int() | Decimal():
            return plain(_number(name, value))
        case _:
            raise InvalidParameter(name, None, "must be a text, a number, true, false or null")


def named(kind: str, text: str) -> str:
    """Return the name or id in an address.

    Raises:
        NotFound: nothing can be called that.
    """
    if not text.isprintable() or len(text) > _LONGEST_NAME:
        raise NotFound(kind, ascii(text[:_LONGEST_NAME]))
    return text
