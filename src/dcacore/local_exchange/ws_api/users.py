"""Who hears of an account: the sessions of the WebSocket API that have subscribed to it."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import attrs

from dcacore.local_exchange.errors import error
from dcacore.local_exchange.exchange import LocalExchange
from dcacore.local_exchange.faults.desk import FaultDesk
from dcacore.local_exchange.streams.connection import Connection
from dcacore.local_exchange.streams.hub import encode

MOST_SUBSCRIPTIONS: Final = 1_000
MOST_IN_A_LIFE: Final = 65_535


@attrs.define(eq=False)
class Session(Connection):
    """A connection to the WebSocket API.

    Attributes:
        since: when it began, in Unix milliseconds.
        keys: the accounts whose events it hears, by subscription id.
        given: how many subscriptions it has ever had.
        is_deaf: it hears nothing any more, and nobody says so.
    """

    since: int = attrs.field(default=0, kw_only=True)
    keys: dict[int, str] = attrs.field(factory=dict, kw_only=True)
    given: int = attrs.field(default=0, kw_only=True)
    is_deaf: bool = attrs.field(default=False, kw_only=True)


class UserStreams:
    """All sessions, and what they are told."""

    def __init__(self, exchange: LocalExchange, desk: FaultDesk) -> None:
        self.sessions: set[Session] = set()
        self._exchange, self._desk = exchange, desk
        exchange.feed.hearers.append(self._heard)

    def subscribe(self, session: Session, key: str) -> int:
        """Let a session hear of an account, and return the subscription's id.

        Raises:
            ApiError: -2035, it does already; -2042, it has had too many.
        """
        if key in session.keys.values():
            raise error(-2035)
        if session.given >= MOST_IN_A_LIFE or len(session.keys) >= MOST_SUBSCRIPTIONS:
            raise error(-2042)
        self._exchange.account(key)
        number = session.given
        session.given += 1
        session.keys[number] = key
        session.is_deaf = False
        return number

    def unsubscribe(self, session: Session, number: int | None) -> None:
        """End one subscription, or all of a session.

        Raises:
            ApiError: -2036, there is none of that id.
        """
        if number is not None and number not in session.keys:
            raise error(-2036)
        ended = [number] if number is not None else list(session.keys)
        for one in ended:
            del session.keys[one]
            event = {"e": "eventStreamTerminated", "E": self._exchange.clock.ms()}
            session.put(encode({"subscriptionId": one, "event": event}))

    def stop(self) -> None:
        """Let all sessions hear nothing any more, without a word."""
        for session in self.sessions:
            session.is_deaf = True

    def _heard(self, key: str, events: list[dict[str, Any]]) -> None:
        for delivery in self._desk.spoil(key, events):
            if delivery.after:
                asyncio.get_running_loop().call_later(delivery.after, self._tell, key, delivery.event)
            else:
                self._tell(key, delivery.event)

    def _tell(self, key: str, event: dict[str, Any]) -> None:
        for session in tuple(self.sessions):
            if session.is_deaf:
                continue
            for number, heard in session.keys.items():
                if heard == key:
                    session.put(encode({"subscriptionId": number, "event": event}))
