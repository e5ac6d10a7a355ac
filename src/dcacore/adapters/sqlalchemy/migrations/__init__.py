"""The database's schema, revision by revision. It is reached through `dcacore.adapters.sqlalchemy.schema` only."""
