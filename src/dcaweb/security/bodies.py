"""What browsers send with a form, read so that nothing of it stays behind: it may be a password.

Litestar keeps the last thousand forms of all people in memory, and takes what is not UTF-8 for something else.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from litestar import Request
from litestar.datastructures import State
from litestar.enums import RequestEncodingType
from litestar.exceptions import ValidationException
from litestar.utils.scope.state import ScopeState

_MOST_FIELDS: Final = 1_000


async def read_form(request: Request[Any, Any, State]) -> None:
    """Read a form into where the handlers look for it; nothing happens when the body is none.

    Raises:
        ValidationException: it is none that a browser sends.
        RequestEntityTooLarge: it is larger than the handler takes.
    """
    if request.content_type[0] != RequestEncodingType.URL_ENCODED:
        return
    form: dict[str, Any] = {}
    for name, value in _fields(await request.body()):
        if name in form:
            form[name] = [*form[name], value] if isinstance(form[name], list) else [form[name], value]
        else:
            form[name] = value
    ScopeState.from_scope(request.scope).form = form


def _fields(body: bytes) -> list[tuple[str, str]]:
    try:
        text = body.decode("utf-8")
        fields = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise ValidationException("the form cannot be read") from None
    if any("\0" in name or "\0" in value for name, value in fields):  # no database of ours takes it
        raise ValidationException("the form holds a character that cannot be stored")
    return fields
