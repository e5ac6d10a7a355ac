"""What the use cases of people's accounts work with, and what they know of who asks."""

from __future__ import annotations

import hashlib
import ipaddress
from typing import Final

import attrs

from dcacore.ports.clock import Clock, Ids
from dcacore.ports.identity import Digest, Registration
from dcacore.ports.mail import Letters
from dcacore.ports.records import Tier
from dcacore.ports.secrets import Draws, Passwords
from dcacore.ports.store import Store

_LONGEST_AGENT: Final = 200
_LONGEST_ADDRESS: Final = 45
_NETWORK_BITS: Final = 64


@attrs.frozen(kw_only=True)
class Means:
    """The ports, and what the settings say.

    Attributes:
        store: the database.
        clock: time.
        ids: names things.
        draws: secrets.
        passwords: hashes passwords.
        letters: writes mails.
        base_url: what links in mails begin with, without a slash at the end.
        registration: whether people may register themselves.
        default_tier: the tier of those who do.
    """

    store: Store
    clock: Clock
    ids: Ids
    draws: Draws
    passwords: Passwords
    letters: Letters
    base_url: str
    registration: Registration = Registration.OPEN
    default_tier: Tier = Tier.FREE


def _address(text: str) -> str:
    return _printable(text)[:_LONGEST_ADDRESS]


def _agent(text: str) -> str:
    return _printable(text)[:_LONGEST_AGENT]


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable())


@attrs.frozen(kw_only=True)
class Client:
    """Who asks, as far as the server saw it.

    Attributes:
        address: its internet address; empty when it is not known, and then no tries are counted by it.
        agent: what it calls itself; whatever it sends, only printable characters of it are kept, and not many.
    """

    address: str = attrs.field(default="", converter=_address)
    agent: str = attrs.field(default="", converter=_agent)

    @property
    def network(self) -> str:
        """What tries are counted by: the address, or the /64 that one IPv6 customer has all of."""
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return self.address
        if isinstance(address, ipaddress.IPv4Address):
            return str(address)
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), _NETWORK_BITS), strict=False))


NOBODY: Final = Client()
"""A client of which nothing is known."""


def digest(secret: str) -> Digest:
    """Return what is stored of *secret*; of 256 random bits nobody finds the way back."""
    return Digest(hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest())
