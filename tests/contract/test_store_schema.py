"""The schema: up, down, whole, and refused when it is not this program's."""

from __future__ import annotations

import datetime
import errno
import shutil
from pathlib import Path
from typing import Any

import attrs
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, create_engine, inspect, text

from dcacore.adapters.sqlalchemy import SqlStore, open_store
from dcacore.adapters.sqlalchemy._file import uri
from dcacore.adapters.sqlalchemy._rows import Base
from dcacore.adapters.sqlalchemy.schema import REVISIONS, current, downgrade, head, upgrade
from dcacore.domain.deal import Exit
from dcacore.domain.ids import BotId
from dcacore.ports.errors import SchemaMismatch, StoreUnavailable
from tests.contract.databases import TestClock
from tests.contract.stored import booked, bot, deal_of, entered, intents, people, record, save
from tests.contract.test_store_readings import closed
from tests.strategies import NOON

NEXT = """
from alembic import op
import sqlalchemy as sa
revision = "next"
down_revision = "{here}"
def upgrade() -> None:
    op.add_column("engine", sa.Column("more", sa.Text()))
    {then}
def downgrade() -> None:
    op.drop_column("engine", "more")
"""


def execute(url: URL, statement: str) -> list[Any]:
    sync = url.set(drivername="sqlite") if url.get_backend_name() == "sqlite" else url
    engine = create_engine(sync)
    with engine.begin() as connection:
        done = connection.execute(text(statement))
        found = list(done) if done.returns_rows else []
    engine.dispose()
    return found


def columns(url: URL, table: str) -> set[str]:
    engine = create_engine(url.set(drivername="sqlite") if url.get_backend_name() == "sqlite" else url)
    with engine.connect() as connection:
        found = {column["name"] for column in inspect(connection).get_columns(table)}
    engine.dispose()
    return found


def newer(folder: Path, then: str = "pass") -> Path:
    """Return a copy of the revisions with one more."""
    revisions = folder / "100% new"
    shutil.copytree(REVISIONS, revisions, ignore=shutil.ignore_patterns("__pycache__"))
    (revisions / "versions" / "next.py").write_text(NEXT.format(here=head(), then=then))
    return revisions


async def complaint(url: URL) -> str:
    store: SqlStore = open_store(url, clock=TestClock())
    try:
        with pytest.raises(SchemaMismatch) as refusal:
            await store.check()
    finally:
        await store.close()
    return str(refusal.value)


def test_there_is_one_newest_revision() -> None:
    assert ScriptDirectory(str(REVISIONS)).get_heads() == [head()]


async def test_up_and_down(empty_url: URL) -> None:
    assert current(empty_url) is None
    assert upgrade(empty_url) is None
    assert current(empty_url) == head()
    assert upgrade(empty_url) is None
    saved = downgrade(empty_url, "base")
    assert (saved is not None) == (empty_url.get_backend_name() == "sqlite")
    assert current(empty_url) is None
    assert "empty" in await complaint(empty_url)
    upgrade(empty_url)
    store = open_store(empty_url, clock=TestClock())
    await store.check()
    await store.close()


def test_the_migrations_make_what_the_rows_say(empty_url: URL) -> None:
    upgrade(empty_url)
    engine = create_engine(
        empty_url.set(drivername="sqlite") if empty_url.get_backend_name() == "sqlite" else empty_url
    )
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_every_database_has_an_epoch_of_its_own(empty_url: URL, tmp_path: Path) -> None:
    upgrade(empty_url)
    upgrade(other := URL.create("sqlite", database=str(tmp_path / "other.db")))
    assert execute(empty_url, "SELECT epoch FROM meta") != execute(other, "SELECT epoch FROM meta")


async def test_an_empty_database_is_refused(empty_url: URL) -> None:
    execute(empty_url, "SELECT 1")  # SQLite makes the file
    assert await complaint(empty_url) == "the database is empty; run dca db upgrade"


async def test_an_older_database_is_refused(empty_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade(empty_url)
    here = head()
    monkeypatch.setattr("dcacore.adapters.sqlalchemy.schema.head", lambda *_: "next")
    said = f"the database is at revision {here}, this program needs next; run dca db upgrade"
    assert await complaint(empty_url) == said


async def test_a_newer_database_is_refused(empty_url: URL) -> None:
    upgrade(empty_url)
    execute(empty_url, "UPDATE alembic_version SET version_num = '0099'")
    said = await complaint(empty_url)
    assert said.startswith("this program is older than the database (revision 0099")
    for move in (upgrade, lambda url: downgrade(url, "base"), current):
        with pytest.raises(SchemaMismatch, match="this program is older"):
            move(empty_url)


async def test_a_database_that_is_not_whole_is_refused(empty_url: URL) -> None:
    upgrade(empty_url)
    execute(empty_url, "DROP TABLE day_total")
    said = await complaint(empty_url)
    assert said == "the database is not whole: a migration was interrupted; restore a backup"
    with pytest.raises(SchemaMismatch) as refusal:
        current(empty_url)
    assert str(refusal.value) == said


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM alembic_version", "its revision is missing"),
        ("DROP TABLE alembic_version", "its revision is missing"),
        ("INSERT INTO alembic_version VALUES ('0000')", "it names several revisions"),
    ],
)
async def test_a_database_without_its_revision_is_refused(empty_url: URL, statement: str, words: str) -> None:
    upgrade(empty_url)
    execute(empty_url, statement)
    said = await complaint(empty_url)
    assert said == f"the database is not whole: {words} (alembic_version); restore a backup"
    for asked in (upgrade, current):
        with pytest.raises(SchemaMismatch) as refusal:
            asked(empty_url)
        assert str(refusal.value) == said


async def test_a_database_of_something_else_is_refused(empty_url: URL) -> None:
    execute(empty_url, "CREATE TABLE recipes (name TEXT)")
    assert "not those of this program" in await complaint(empty_url)
    with pytest.raises(SchemaMismatch, match="not those of this program"):
        upgrade(empty_url)
    assert columns(empty_url, "recipes") == {"name"}


def test_an_upgrade_keeps_what_is_there_and_a_copy_of_it(empty_url: URL, tmp_path: Path) -> None:
    upgrade(empty_url)
    epoch = execute(empty_url, "SELECT epoch FROM meta")
    saved = upgrade(empty_url, revisions=(revisions := newer(tmp_path)))
    assert current(empty_url, revisions=revisions) == "next"
    assert "more" in columns(empty_url, "engine")
    assert execute(empty_url, "SELECT epoch FROM meta") == epoch
    if empty_url.get_backend_name() == "sqlite":
        assert saved is not None
        copy = URL.create("sqlite", database=str(saved))
        assert (saved.name, current(copy), execute(copy, "SELECT epoch FROM meta")) == (
            "dca.db.before-next",
            head(),
            epoch,
        )
    else:
        assert saved is None


@pytest.mark.parametrize("then", ["raise KeyboardInterrupt", "op.execute('SELECT nonsense FROM nowhere')"])
def test_an_interrupted_upgrade_changes_nothing(empty_url: URL, tmp_path: Path, then: str) -> None:
    upgrade(empty_url)
    with pytest.raises((KeyboardInterrupt, SchemaMismatch)):
        upgrade(empty_url, revisions=newer(tmp_path, then))
    assert current(empty_url) == head()
    assert columns(empty_url, "engine") == {"name", "seen_at", "bots", "health"}


def test_every_step_goes_up_and_down_with_accounts_in_it(empty_url: URL) -> None:
    no, now = ("0", "0") if empty_url.get_backend_name() == "sqlite" else ("false", "now()")
    upgrade(empty_url)
    downgrade(empty_url, "0001")
    columns_of_user = "id, email, tier, is_admin, password_hash, created_at"
    execute(empty_url, f"""INSERT INTO "user" ({columns_of_user}) VALUES ('u', 'u@x.org', 'FREE', {no}, 'x', {now})""")
    columns_of_account = "id, user_id, name, environment, api_key, created_at"
    values = f"'a', 'u', 'spot', 'TESTNET', 'gAAA', {now}"
    execute(empty_url, f"INSERT INTO account ({columns_of_account}) VALUES ({values})")
    upgrade(empty_url)
    assert execute(empty_url, "SELECT api_key, keyed_at FROM account") == [("gAAA", None)]
    execute(empty_url, f"UPDATE account SET keyed_at = {now}")
    downgrade(empty_url, "0001")
    assert execute(empty_url, "SELECT id, api_key FROM account") == [("a", "gAAA")]
    upgrade(empty_url)
    assert current(empty_url) == head()


async def test_a_step_down_and_up_keeps_deals_and_fills(empty_url: URL) -> None:
    upgrade(empty_url)
    store = open_store(empty_url, clock=TestClock())
    made = entered()
    first, second = intents(made)[:2]
    await people(store, record(bot()))
    async with store.begin() as work:
        await save(work, made)
        (known,) = booked([first])
        await work.fills.add([attrs.evolve(known, order_id=second.id)])  # an emptied testnet counts from the beginning
        await work.commit()
    await store.close()
    assert execute(empty_url, "SELECT count(*) FROM fill") == [(2,)]
    downgrade(empty_url, "0001")
    assert execute(empty_url, "SELECT order_id FROM fill") == [(first.id,)]
    upgrade(empty_url)
    store = open_store(empty_url, clock=TestClock())
    await store.check()
    async with store.begin(reads_only=True) as work:
        kept = await work.bots.get(made.id)
        assert await work.intents.of_deal(deal_of(made).id) == intents(made)
    assert kept is not None
    assert kept.bot.deal == made.deal
    await store.close()


def test_lines_and_bots_survive_the_steps_up_and_down(empty_url: URL) -> None:
    no, now = ("0", "0") if empty_url.get_backend_name() == "sqlite" else ("false", "now()")
    upgrade(empty_url)
    downgrade(empty_url, "0002")
    assert "environment" not in columns(empty_url, "activity")
    names = "id, email, tier, is_admin, password_hash, created_at"
    execute(empty_url, f"""INSERT INTO "user" ({names}) VALUES ('u', 'u@x.org', 'FREE', {no}, 'x', {now})""")
    line = f"'u', {now}, 'price_silent', 'nothing is heard', 'warning'"
    execute(empty_url, f'INSERT INTO activity (user_id, at, kind, "text", level) VALUES ({line})')
    for _ in range(2):
        upgrade(empty_url)
        found = execute(empty_url, "SELECT kind, environment FROM activity")
        assert found == [("price_silent", None)]
        assert {"bot_id", "user_id", "confirmed_at", "strategy", "price", "amount"} == columns(
            empty_url, "live_confirmation"
        )
        execute(empty_url, "UPDATE activity SET environment = 'live'")
        downgrade(empty_url, "0003")
        assert "strategy" in columns(empty_url, "live_confirmation")
        downgrade(empty_url, "0002")


async def test_what_statistics_need_is_reckoned_for_the_deals_that_have_closed(empty_url: URL) -> None:
    upgrade(empty_url)
    store = open_store(empty_url, clock=TestClock())
    await people(store, record(bot("one")), record(bot("two")))
    async with store.begin() as work:
        for number in range(12):
            exit_ = Exit.CANCEL if number == 3 else Exit.TAKE_PROFIT
            deal = closed(number, NOON + number * datetime.timedelta(hours=5), str(number - 4), exit=exit_)
            await work.deals.end(BotId(("one", "two")[number % 2]), deal)
        await work.commit()
        before = await _sums(store)
    await store.close()
    downgrade(empty_url, "0005")
    assert "spread" not in columns(empty_url, "bot")
    upgrade(empty_url)
    store = open_store(empty_url, clock=TestClock())
    assert await _sums(store) == before
    await store.close()


async def _sums(store: SqlStore) -> object:
    both = [BotId("one"), BotId("two")]
    async with store.begin(reads_only=True) as work:
        return await work.deals.totals(both), await work.feed.totals(both)


def test_a_revision_that_is_none(empty_url: URL) -> None:
    upgrade(empty_url)
    with pytest.raises(SchemaMismatch, match="cannot be brought to revision 0042"):
        downgrade(empty_url, "0042")


def test_asking_makes_no_file(tmp_path: Path) -> None:
    file = tmp_path / "none.db"
    assert current(f"sqlite:///{file}") is None
    assert not file.exists()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (None, "there is no folder {folder}/none"),
        (OSError(errno.EROFS, "Read-only file system"), "Read-only file system"),
        (PermissionError(errno.EACCES, "Permission denied"), "Permission denied"),
    ],
)
def test_why_no_file_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError | None, words: str
) -> None:
    def refuse(*_: object) -> int:
        assert error is not None
        raise error

    if error is not None:
        monkeypatch.setattr("dcacore.adapters.sqlalchemy._file.os.open", refuse)
    file = tmp_path / ("none" if error is None else "") / "dca.db"
    with pytest.raises(StoreUnavailable) as refusal:
        upgrade(f"sqlite:///{file}")
    assert str(refusal.value) == f"the database {file} cannot be made: {words.format(folder=tmp_path)}"


def test_a_file_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(file: Path) -> str:
        return uri(file).replace("mode=rw", "mode=ro")  # as SQLite opens a write-protected one; root writes any

    upgrade(url := f"sqlite:///{tmp_path / 'dca.db'}")
    revisions = newer(tmp_path)
    monkeypatch.setattr("dcacore.adapters.sqlalchemy.schema.uri", read_only)
    with pytest.raises(StoreUnavailable, match=r"^the database file may not be written$"):
        upgrade(url, revisions=revisions)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "dca.db").mkdir()
    with pytest.raises(StoreUnavailable, match=r"^the database file cannot be opened$"):
        upgrade(f"sqlite:///{tmp_path / 'dca.db'}")


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'dca.db'}")
    assert (tmp_path / "dca.db").stat().st_mode & 0o777 == 0o600
