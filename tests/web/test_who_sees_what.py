"""Every page and every request, as a stranger, as somebody else and as the owner: the application itself says which."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from httpx import Response
from litestar import Litestar

from dcacore.application import asking, users
from dcacore.application.identity import api_tokens, sessions
from dcacore.application.identity.means import NOBODY
from dcacore.bootstrap.app import running
from dcacore.bootstrap.backtests import Backtests
from dcacore.domain.ids import UserId
from dcacore.ports.backtests import RunState
from dcacore.ports.identity import Scope
from dcacore.ports.records import BotRecord, RequestKind, Tier, User
from dcaweb.pages.events import messages
from dcaweb.pages.streams import Streams
from tests.web.desk import BERT, Desk, desk_in
from tests.web.past import store_two_days
from tests.web.rights import ADMINS, BODIES, ELSEWHERE, OWN, PUBLIC, QUERIES, STREAMS, THEIRS
from tests.web.stage import PASSWORD, Browser, said

SECRETS: Final = ("Annas bot", "Annas token", "anna@example.com", "123.45", "123.3", "67.89")
"""What stands on Anna's pages, and must stand on nobody else's."""
_RESTLESS: Final = frozenset({"user_session", "tries", "outbox", "bot_lease", "engine", "meta"})
"""Tables of what goes on by itself."""


@attrs.define
class House:
    """Anna, who owns things, and Bert, who knows all their ids.

    Attributes:
        desk: the pages; no engine runs, so that nothing changes but by what is asked here.
        other: Bert.
        anna: her browser.
        bert: his.
        tokens: what lets a program in, by user.
        ids: of Anna's things, by the names in addresses.
        database: where all of it is kept.
    """

    desk: Desk
    other: User
    anna: Browser
    bert: Browser
    tokens: Mapping[UserId, str]
    ids: Mapping[str, str]
    database: Path

    async def ask(self, route: str, browser: Browser, user_id: UserId | None) -> Response:
        """Send what *route* says, with Anna's ids in it."""
        method, _, path = route.partition(" ")
        body = {name: self._named(value) for name, value in BODIES.get(route, {}).items()}
        more: dict[str, Any] = {"params": {name: self._named(it) for name, it in QUERIES.get(route, {}).items()}}
        path = self._named(path)
        if path.startswith("/api/"):
            secret = None if user_id is None else self.tokens[user_id]
            headers = {} if secret is None else {"authorization": f"Bearer {secret}"}
            has_body = method in {"POST", "PUT", "PATCH"}
            more |= {"json": body} if has_body else {}
            return await browser.client.request(method, path, headers=headers, **more)
        if method == "GET":
            return await browser.get(path, **more)
        return await browser.post(path, body, **more)

    def _named(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return [self._named(it) for it in value]
        return value.format_map(self.ids) if isinstance(value, str) and "{" in value else value

    def kept(self) -> set[tuple[str, tuple[object, ...]]]:
        """Return every row of everything that does not change by itself, or by being used, as Bert's tokens."""
        with closing(sqlite3.connect(self.database)) as database:
            names = [it[0] for it in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {
                (name, row)
                for name in names
                if name not in _RESTLESS and not name.startswith(("sqlite_", "alembic_"))
                for row in database.execute(f'SELECT * FROM "{name}"')
                if name != "api_token" or self.other.id not in row
            }


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with desk_in(tmp_path, has_engine=False) as desk:
        made = await _traded(desk)
        app, anna = desk.app, attrs.evolve(desk.anna, is_admin=True)
        async with app.store.begin() as work:
            await work.users.save(anna)
            await work.commit()
        bert = await users.create(
            *app.means, app.passwords, email=BERT, password=PASSWORD, is_verified=True, tier=Tier.PRO
        )
        asked = await asking.ask(*app.means, user_id=anna.id, bot=made.bot.id, kind=RequestKind.PAUSE)
        hers = await api_tokens.make_token(app.identity, anna.id, name="Annas token", scope=Scope.TRADE)
        his = await api_tokens.make_token(app.identity, bert.id, name="his", scope=Scope.TRADE)
        (session,) = await sessions.sessions_of(app.identity, anna.id)
        assert made.bot.deal is not None
        ids = {
            "bot_id": made.bot.id,
            "deal_id": made.bot.deal.id,
            "account_id": made.account_id,
            "session_id": session.id,
            "token_id": hers.token.id,
            "asked_id": asked.id,
            "user_id": anna.id,
            "number": "1",
            "secret": "unknown",
            "file_path": "unknown.js",
            "path": "openapi.json",
            "name": "equity",
            "payment_id": "unknown",
        }
        async with desk.stage.another_browser() as elsewhere:
            await elsewhere.sign_in(BERT)
            tokens = {anna.id: hers.secret, bert.id: his.secret}
            found = House(desk, bert, desk.browser, elsewhere, tokens, ids, tmp_path / "app.db")
            played = await _played(found, anna.id)
            yield attrs.evolve(found, ids={**ids, **dict(zip(("backtest_id", "run_id"), played, strict=True))})


async def _played(house: House, user_id: UserId) -> list[str]:
    """Return the ids of two backtests that Anna has asked for, by her token and on the page, and that are done."""
    backtests: Backtests = house.desk.stage.web.state.backtests
    store_two_days(house.desk.app)
    for route in ("POST /api/v1/backtests", "POST /backtest"):
        answer = await house.ask(route, house.anna, user_id)
        assert answer.status_code in {202, 303}, said(answer)
        await asyncio.wait(list(backtests._tasks.values()))
    runs = await backtests.all_of(user_id)
    assert [it.state for it in runs] == [RunState.DONE] * 2, [it.failure for it in runs]
    return [it.id for it in runs]


async def _traded(desk: Desk) -> BotRecord:
    """Return a bot of Anna's that has bought, after the engine has gone."""
    async with running(desk.app) as equipped:
        busy = attrs.evolve(desk, stage=attrs.evolve(desk.stage, app=equipped))
        return await busy.bot("Annas bot", base_order_size="123.45", safety_order_size="67.89")


def routes_of(web: Litestar) -> list[str]:
    """Return all that can be asked of the dashboard, as in "GET /bots/{bot_id}"."""
    return [f"{method} {it.path_format}" for it in web.routes for method in it.methods if method != "OPTIONS"]


async def test_every_route_has_its_rights(house: House) -> None:
    found = routes_of(house.desk.stage.web)
    sets = (PUBLIC, OWN, THEIRS, ADMINS, STREAMS)
    assert sorted(set(found)) == sorted(it for one in sets for it in one), "tests/web/rights.py says who may see what"


async def test_a_stranger_is_led_to_the_door(house: House) -> None:
    before = house.kept()
    async with house.desk.stage.another_browser() as stranger:
        for route in sorted(OWN | THEIRS | ADMINS | STREAMS):
            answer = await house.ask(route, stranger, None)
            _shows_nothing_of_annas(route, answer)
            if " /api/" in route:
                assert (answer.status_code, "WWW-Authenticate" in answer.headers) == (401, True), route
            else:
                assert answer.status_code == 303, route
                assert answer.headers["location"].startswith("/login"), route
    assert house.kept() == before


async def test_to_somebody_else_nothing_of_it_is_there(house: House) -> None:
    before = house.kept()
    for route in sorted(THEIRS | ADMINS):
        answer = await house.ask(route, house.bert, house.other.id)
        _shows_nothing_of_annas(route, answer)
        assert answer.status_code == 404, f"{route}: {answer.status_code} {said(answer)[:300]}"
    assert house.kept() == before


async def test_what_others_do_with_their_own_changes_nothing_of_hers(house: House) -> None:
    before = {(table, row) for table, row in house.kept() if house.other.id not in row}
    for route in sorted(OWN):
        answer = await house.ask(route, house.bert, house.other.id)
        _shows_nothing_of_annas(route, answer)
        assert answer.status_code < 500, route
    after = house.kept()
    assert before <= after
    hers = {house.ids[name] for name in house.ids if name.endswith("_id")}
    assert not [(table, row) for table, row in after - before if hers & {it for it in row if isinstance(it, str)}]


async def test_the_owner_sees_it(house: House) -> None:
    for route in sorted(it for it in OWN | THEIRS | ADMINS if it.startswith("GET ")):
        answer = await house.ask(route, house.anna, house.desk.anna.id)
        expected = 303 if route in ELSEWHERE else 200
        assert answer.status_code == expected, f"{route}: {answer.status_code} {said(answer)[:300]}"
    for route in ("GET /bots", "GET /bots/{bot_id}", "GET /deals/{deal_id}", "GET /api/v1/bots"):
        assert "Annas bot" in (await house.ask(route, house.anna, house.desk.anna.id)).text, route


async def test_everybody_sees_what_is_public(house: House) -> None:
    async with house.desk.stage.another_browser() as stranger:
        for route in sorted(it for it in PUBLIC if it.startswith("GET ")):
            answer = await house.ask(route, stranger, None)
            _shows_nothing_of_annas(route, answer)
            assert answer.status_code in {200, 404, 410}, route


async def test_streams_tell_of_ones_own_alone(house: House) -> None:
    app = house.desk.app
    told: dict[UserId, str] = {}
    for user in (house.desk.anna, house.other):
        async with app.store.begin() as work:
            opened = await sessions.open_session(app.identity, work, user, NOBODY)
            await work.commit()
        async with aclosing(messages(app, opened, Streams())) as stream:
            told[user.id] = str([(await anext(stream)).data for _ in range(3 if user is house.desk.anna else 1)])
    assert "Annas bot" in told[house.desk.anna.id]
    assert not [it for it in SECRETS if it in told[house.other.id]]


def _shows_nothing_of_annas(route: str, answer: Response) -> None:
    shown = [it for it in SECRETS if it in answer.text or it in str(answer.headers)]
    assert not shown, f"{route} shows {shown}"
