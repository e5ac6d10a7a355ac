from sqlalchemy import Connection


def check_schema(connection: Connection) -> None: ...
