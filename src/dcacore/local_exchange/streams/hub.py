"""Who has subscribed to what, and telling it to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import msgspec

from dcacore.local_exchange.streams.connection import Connection
from dcacore.local_exchange.streams.names import StreamName

_ENCODER = msgspec.json.Encoder()


@attrs.define(eq=False)
class Subscriber(Connection):
    """A connection to market streams.

    Attributes:
        is_combined: each message is wrapped with its stream's name.
        names: what it has subscribed to, in order.
    """

    is_combined: bool = attrs.field(default=False, kw_only=True)
    names: dict[str, StreamName] = attrs.field(factory=dict, kw_only=True)

    def tell(self, name: str, payload: object) -> None:
        """Send a message of a stream."""
        text = encode(payload)
        self.put(combined(name, text) if self.is_combined else text)


def encode(message: object) -> str:
    """Return a message as it goes out."""
    return _ENCODER.encode(message).decode()


def combined(name: str, text: str) -> str:
    """Return a message of a stream together with the stream's name."""
    return f'{{"stream":"{name}","data":{text}}}'


class Hub:
    """All subscribers of market streams."""

    def __init__(self) -> None:
        self.connections: set[Subscriber] = set()
        self._names: dict[str, StreamName] = {}
        self._subscribers: dict[str, set[Subscriber]] = {}

    def join(self, connection: Subscriber) -> None:
        """Take up a connection."""
        self.connections.add(connection)

    def leave(self, connection: Subscriber) -> None:
        """Forget a connection."""
        self.connections.discard(connection)
        self.unsubscribe(connection, tuple(connection.names))

    def subscribe(self, connection: Subscriber, names: Iterable[StreamName]) -> None:
        """Let a connection hear streams."""
        for name in names:
            connection.names[name.text] = name
            self._names[name.text] = name
            self._subscribers.setdefault(name.text, set()).add(connection)

    def unsubscribe(self, connection: Subscriber, names: Iterable[str]) -> None:
        """Let a connection hear streams no more."""
        for name in names:
            connection.names.pop(name, None)
            hearing = self._subscribers.get(name)
            if hearing is not None:
                hearing.discard(connection)
                if not hearing:
                    del self._subscribers[name], self._names[name]

    def has(self, name: str) -> bool:
        """Say whether anybody hears a stream."""
        return name in self._subscribers

    @property
    def names(self) -> Iterator[StreamName]:
        """The streams that somebody hears."""
        return iter(tuple(self._names.values()))

    def publish(self, name: str, payload: Any) -> None:
        """Tell all who hear a stream."""
        subscribers = self._subscribers.get(name)
        if not subscribers:
            return
        raw = encode(payload)
        wrapped = None
        for connection in tuple(subscribers):
            if connection.is_combined:
                wrapped = wrapped or combined(name, raw)
                connection.put(wrapped)
            else:
                connection.put(raw)
