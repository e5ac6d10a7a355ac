"""By what Polar is reached, and how long it is waited for."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from dcacore.domain.errors import InvalidParameter

_LONGEST: Final = 512


def _one_word(access: Any, field: attrs.Attribute[str], text: str) -> None:  # noqa: ARG001  # as attrs calls it
    if not text or len(text) > _LONGEST or not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidParameter(field.name, None, "must be one word of printable characters")


def _address(access: Any, field: attrs.Attribute[str], text: str) -> None:  # noqa: ARG001  # as attrs calls it
    rule = "must be like https://host"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise InvalidParameter(field.name, None, rule) from None
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise InvalidParameter(field.name, None, rule)


def _bare(url: str) -> str:
    return url.rstrip("/").removesuffix("/v1")


@attrs.frozen(kw_only=True)
class PolarAccess:
    """By what Polar is reached.

    Attributes:
        token: an access token of the organisation.
        product_id: what is sold.
        server_url: where Polar is; `/v1` follows.
    """

    token: str = attrs.field(repr=False, validator=_one_word)
    product_id: str = attrs.field(validator=_one_word)
    server_url: str = attrs.field(default="https://api.polar.sh", converter=_bare, validator=_address)


@attrs.frozen(kw_only=True)
class Patience:
    """How long Polar is waited for, in seconds.

    Attributes:
        connect_s: how long a connection may take.
        silence_s: how long nothing may come.
        whole_s: how long a call may take as a whole, with further tries and further pages.
        tries: how often a question is asked when its answer fails in a way that may pass. What changes something goes
            out once.
        first_pause_s: about how long the first pause between tries is.
    """

    connect_s: float = 3
    silence_s: float = 6
    whole_s: float = 15
    tries: int = 3
    first_pause_s: float = 0.3
