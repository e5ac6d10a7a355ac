"""What changes on an open page: the user's own alone, all of it first, and no longer than the session."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from decimal import Decimal
from typing import Any

import pytest
from litestar.response import ServerSentEventMessage

from dcacore.application.identity.means import NOBODY
from dcacore.application.identity.sessions import SignedIn, logout, open_session
from dcacore.domain.ids import UserId
from dcacore.domain.money import Price
from dcacore.ports.errors import StoreUnavailable
from dcacore.ports.live import PriceMoved
from dcacore.ports.records import Environment
from dcaweb.pages.events import AT_ONCE, messages
from dcaweb.pages.streams import Streams
from tests.contract.stored import ANN, BOB
from tests.unit.application.readings import SECRET
from tests.web.api.desk import Desk


async def _in(desk: Desk, user_id: UserId) -> tuple[SignedIn, str]:
    async with desk.app.store.begin() as work:
        user = await work.users.get(user_id)
        assert user is not None
        opened = await open_session(desk.app.identity, work, user, NOBODY)
        await work.commit()
    return opened, opened.secret


async def _next(stream: AsyncIterator[ServerSentEventMessage]) -> ServerSentEventMessage:
    """Return the next that tells programs something: what pages show of it comes beside it, as `values`."""
    while (message := await anext(stream)).event == "values":
        pass
    return message


def _data(message: ServerSentEventMessage) -> Any:
    return json.loads(str(message.data))


async def test_two_users_hear_of_their_own_bots_alone(desk: Desk) -> None:
    streams = Streams()
    (ann, _), (bob, _) = await _in(desk, ANN), await _in(desk, BOB)
    async with aclosing(messages(desk.app, ann, streams)) as hers, aclosing(messages(desk.app, bob, streams)) as his:
        first = [await _next(hers) for _ in range(4)]
        assert [it.event for it in first] == ["bot", "bot", "notifications", "lines"]
        numbers = [it.id for it in first]
        assert (numbers[0], numbers) == (1, sorted(numbers, key=str))
        assert SECRET not in str([it.data for it in first])
        theirs = [await _next(his) for _ in range(2)]
        assert _data(theirs[0])["name"] == SECRET
        assert streams.of == {ANN: 1, BOB: 1}
        waiting = asyncio.ensure_future(_next(hers))
        for _ in range(5):
            await asyncio.sleep(0)  # until it listens
        price = Price(Decimal("101.50"))
        desk.app.live.say(PriceMoved(Environment.PAPER, _data(first[0])["pair"], price, desk.clock.now()))
        told = await waiting
        assert told.event == "price"
        assert (_data(told)["price"], _data(told)["environment"]) == ("101.5", "paper")
        assert _data(told)["deals"][0]["price"] == "101.5"
    assert streams.of == {}


async def test_a_page_that_comes_back_gets_all_as_it_stands(desk: Desk) -> None:
    ann, _ = await _in(desk, ANN)
    async with aclosing(messages(desk.app, ann, Streams(), after=41)) as stream:
        first = await anext(stream)
    assert (first.id, first.event) == (42, "bot")


async def test_a_stream_ends_with_its_session(desk: Desk) -> None:
    ann, secret = await _in(desk, ANN)
    async with aclosing(messages(desk.app, ann, Streams())) as stream:
        await anext(stream)
        await logout(desk.app.identity, secret)
        desk.clock.pass_by(5)
        assert [it async for it in stream if it.event != "values"] == []


async def test_a_stream_whose_database_fails_ends(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**_: object) -> None:
        raise StoreUnavailable("the disk is full")

    ann, _ = await _in(desk, ANN)
    monkeypatch.setattr(desk.app.store, "begin", fails)
    assert [it async for it in messages(desk.app, ann, Streams())] == []


async def test_a_user_has_so_many_streams_and_no_more(desk: Desk) -> None:
    _, secret = await _in(desk, ANN)
    desk.web.state.streams.of[ANN] = AT_ONCE
    desk.client.cookies.set("session", secret)
    answer = await desk.client.get("/events", headers={"hx-request": "true"})
    assert answer.status_code == 429


async def test_a_page_whose_session_has_ended_gets_no_stream(desk: Desk) -> None:
    _, secret = await _in(desk, ANN)
    desk.client.cookies.set("session", secret)
    await logout(desk.app.identity, secret)
    answer = await desk.client.get("/events", follow_redirects=False)
    assert answer.status_code == 303


async def test_a_stream_of_which_nothing_is_to_be_told_says_that_it_lives(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcacore.application.live.LOOK_EVERY_S", 0.001)
    ann, _ = await _in(desk, ANN)
    async with aclosing(messages(desk.app, ann, Streams())) as stream:
        for _ in range(4):
            await _next(stream)
        desk.clock.pass_by(15)
        assert (await _next(stream)).event == "heartbeat"
