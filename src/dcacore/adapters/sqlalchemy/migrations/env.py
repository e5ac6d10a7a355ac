"""Where alembic begins: it runs the revisions on the connection it is handed, all of them in that transaction."""

from __future__ import annotations

from alembic import context

from dcacore.adapters.sqlalchemy import _backtest_rows, _people_rows  # noqa: F401  # their tables belong to the metadata
from dcacore.adapters.sqlalchemy._rows import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
