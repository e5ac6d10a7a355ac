"""Where a server listens, and what clients are told to connect to."""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

import attrs

from dcacore.domain.errors import DcaError

LOOPBACK: Final = "127.0.0.1"
_BACKLOG: Final = 256


class CannotListen(DcaError):
    """Somebody else has the port, or there is no such address here."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        self.host, self.port = host, port
        super().__init__(f"cannot listen on {host}, port {port}: {reason}")


@attrs.frozen
class Urls:
    """What clients are told to connect to.

    Attributes:
        rest: the base of REST, without a path.
        stream: the base of market streams, without a path.
        ws_api: the WebSocket API.
    """

    rest: str
    stream: str
    ws_api: str

    @classmethod
    def of(cls, host: str, port: int) -> Urls:
        """Return those of a server."""
        at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return cls(f"http://{at}", f"ws://{at}", f"ws://{at}/ws-api/v3")


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach *host*."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 is any that is free.

    Raises:
        OSError: the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only where the protocol is named does asyncio turn off waiting for more to send (Nagle): without it the body of an
    # answer waits some 40 ms until its head has been acknowledged.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
