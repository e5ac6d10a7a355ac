"""What a program was put together from, for whoever looks after it."""

from __future__ import annotations

import asyncio

import attrs

from dcacore.bootstrap.app import App
from dcacore.bootstrap.database import current, head, sqlite_file
from dcacore.ports.errors import StoreError


@attrs.frozen(kw_only=True)
class Fittings:
    """What a program was put together from.

    Attributes:
        database: which kind: SQLite or PostgreSQL.
        revision: of the database's schema; None when it cannot be read now.
        head: the revision that this program wants.
        has_engine: whether an engine runs in this process.
        has_courier: whether this process sends mail.
        mail_way: by what mail goes, such as Resend.
        mail_held: why this process sends none now, as the service has said; empty when nothing holds it back.
        paper: where the paper exchange answers; None when it does not, or there is none.
    """

    database: str
    revision: str | None
    head: str
    has_engine: bool
    has_courier: bool
    mail_way: str
    mail_held: str
    paper: str | None


async def fittings(app: App) -> Fittings:
    """Return what *app* was put together from, and what of it can be reached now. It starts nothing."""
    url = app.settings.database_url
    try:
        revision = await asyncio.to_thread(current, url)
    except StoreError:
        revision = None
    held = None if app.courier is None else app.courier.held()
    return Fittings(
        database="PostgreSQL" if sqlite_file(url) is None else "SQLite",
        revision=revision,
        head=head(),
        has_engine=app.engine_task is not None and not app.engine_task.done(),
        has_courier=app.courier is not None,
        mail_way=app.mail_way,
        mail_held=str(held) if held is not None else "",
        paper=None if app.paper is None else await app.paper.look(),
    )
