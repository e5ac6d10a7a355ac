"""Where an SMTP server is, and how it is spoken to: what SMTP_URL says."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

from dcacore.domain.errors import InvalidParameter

_FORM: Final = "must be like smtp://user:password@host:587 or smtps://user:password@host:465"
_PORTS: Final = {"smtp": 587, "smtps": 465}
_TLS: Final[Mapping[str, bool | None]] = {"required": True, "optional": None, "none": False}


@attrs.frozen(kw_only=True)
class SmtpServer:
    """An SMTP server.

    Attributes:
        host: its name or address.
        port: where it listens.
        user: who logs in; empty when nobody does.
        password: with what.
        is_tls: whether the connection is encrypted from its first byte on.
        upgrade: whether the connection is encrypted by STARTTLS: True insists on it, None does so where the server
            offers it, False never does.
    """

    host: str
    port: int
    user: str = attrs.field(default="", repr=False)
    password: str = attrs.field(default="", repr=False)
    is_tls: bool = False
    upgrade: bool | None = None

    @classmethod
    def from_url(cls, url: str) -> SmtpServer:
        """Return what *url* names.

        `?tls=required`, `?tls=optional` and `?tls=none` say what becomes of STARTTLS. Who says nothing insists on it
        with a password, takes it where it is offered without one, and does without it on this machine.

        Raises:
            InvalidParameter: it names none; its text repeats nothing of it.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
            asked = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        except ValueError:
            raise InvalidParameter("url", None, _FORM) from None
        is_whole = parts.scheme in _PORTS and parts.hostname and not parts.fragment and parts.path in {"", "/"}
        if not is_whole or not url.isprintable() or " " in url or port == 0:
            raise InvalidParameter("url", None, _FORM)
        if bool(parts.username) != bool(parts.password):
            raise InvalidParameter("url", None, "must have both a user and a password, or neither")
        is_tls = parts.scheme == "smtps"
        if asked and (is_tls or set(asked) != {"tls"} or asked["tls"] not in _TLS):
            raise InvalidParameter("url", None, "may end in ?tls=required, optional or none after smtp://, no more")
        host = parts.hostname or ""
        usual = False if is_tls or _is_here(host) else bool(parts.password) or None
        return cls(
            host=host,
            port=port or _PORTS[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            is_tls=is_tls,
            upgrade=_TLS[asked["tls"]] if asked else usual,
        )


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
