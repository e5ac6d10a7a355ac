"""What the pages of one user have in common: one look at the database, and what each of them has not read yet."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from decimal import Decimal

import pytest

from dcacore.application import live
from dcacore.application.live import Heartbeat, Patch, PricePatch
from dcacore.domain.ids import UserId
from dcacore.domain.money import Price
from dcacore.ports.errors import StoreUnavailable
from dcacore.ports.live import PriceMoved
from dcacore.ports.records import Environment
from dcaweb.formats import Formats
from dcaweb.pages import streams as module
from dcaweb.pages.streams import Rendered, Renderer, Streams
from tests.contract.stored import ANN, BOB
from tests.unit.application.readings import SECRET
from tests.web.api.desk import Desk

PLAIN = Formats()


async def _until(found: AsyncGenerator[list[Rendered], None], name: str) -> Rendered:
    async for news in found:
        for one in news:
            if one.name == name:
                return one
    raise AssertionError("it has ended")


async def test_pages_of_a_user_are_looked_for_once_and_each_is_told_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = list[UserId]()
    patches = live.patches

    def counted(*means: object) -> AsyncGenerator[Patch, None]:
        begun.append(means[-1])  # type: ignore[arg-type]
        return patches(*means)  # type: ignore[arg-type]

    monkeypatch.setattr(live, "patches", counted)
    streams = Streams()
    first, second = streams.news(desk.app, ANN, PLAIN), streams.news(desk.app, ANN, PLAIN)
    others, bobs = streams.news(desk.app, ANN, Formats(digits=4)), streams.news(desk.app, BOB, PLAIN)
    async with aclosing(first), aclosing(second), aclosing(others), aclosing(bobs):
        for one in (first, second, others, bobs):
            await _until(one, "notifications")
        assert begun == [ANN, ANN, BOB]  # pages that show numbers otherwise are told of them otherwise
        pair = "ABCXYZ"
        desk.app.live.say(PriceMoved(Environment.PAPER, pair, Price(Decimal("101.5")), desk.clock.now()))
        told = [await _until(one, "price") for one in (first, second)]
        assert told[0] is told[1]
        assert json.loads(told[0].data)["price"] == "101.5"
        assert SECRET not in told[0].data + told[0].values_data
    assert not streams._groups


async def test_streams_end_with_the_program_and_none_begins_after(desk: Desk) -> None:
    streams = Streams()
    async with aclosing(streams.news(desk.app, ANN, PLAIN)) as open_page, asyncio.timeout(10):
        await anext(open_page)
        streams.end()
        assert not any([news async for news in open_page])
        assert not [news async for news in streams.news(desk.app, BOB, PLAIN)]
    assert not streams._groups


async def test_a_page_that_comes_later_is_told_how_everything_stands(desk: Desk) -> None:
    streams = Streams()
    async with aclosing(streams.news(desk.app, ANN, PLAIN)) as first:
        early = await anext(first)
        await first.aclose()
        async with aclosing(streams.news(desk.app, ANN, PLAIN)) as again:
            await anext(again)
            async with aclosing(streams.news(desk.app, ANN, PLAIN)) as later:
                late = await anext(later)
    assert [it.name for it in late] == ["bot", "bot", "notifications", "lines"]
    assert {it.data for it in early} <= {it.data for it in late}


async def test_of_a_kind_a_page_that_reads_slowly_is_told_the_newest_alone() -> None:
    page, renderer = module._Page(), Renderer(PLAIN)
    for price in range(1, 5):
        patch = PricePatch(environment=Environment.PAPER, pair="ABCXYZ", price=Price(Decimal(price)), deals=())
        page.put(renderer.render(patch))
    page.put(renderer.render(Heartbeat()))
    assert [(it.name, json.loads(it.data).get("price")) for it in await page.read()] == [
        ("price", "4"),
        ("heartbeat", None),
    ]


async def test_a_page_that_does_not_read_is_let_go() -> None:
    page = module._Page()
    for number in range(module.MOST_WAITING + 1):
        page.put(Rendered(number, "notifications", "{}", {}, "{}"))
    assert page.is_over
    assert await page.read() == []


async def test_what_keeps_one_page_from_beginning_keeps_all(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**_: object) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(desk.app.store, "begin", fails)
    streams = Streams()
    pages = [streams.news(desk.app, ANN, PLAIN) for _ in range(3)]
    found = await asyncio.gather(*[_until(page, "bot") for page in pages], return_exceptions=True)
    assert {type(it) for it in found} == {StoreUnavailable}
    assert not streams._groups
