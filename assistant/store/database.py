"""A database file opened: safe for several processes, refused with a text where it can't be used.

It knows how to open and migrate. What the tables are is known by `tables.py`.
"""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.engine import Engine as Database
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import DatabaseError

from assistant.errors import AssistantError, unwritable
from assistant.store.migrations import MIGRATIONS, SCHEMA_VERSION
from assistant.store.tables import metadata


def open_database(path: Path) -> Database:
    """Open the workspace's database, making its tables where they are missing or older.

    Raises:
        AssistantError: the file is damaged, or a newer Quartet made it; there is no room on the disk, now or
            at any later use.
    """
    database = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30, "check_same_thread": False})
    event.listen(database, "connect", _on_connect)
    event.listen(database, "begin", _on_begin)
    event.listen(database, "handle_error", lambda context: _on_error(path, context))
    try:
        with database.begin() as connection:
            version = connection.execute(text("PRAGMA user_version")).scalar_one()
            if version < SCHEMA_VERSION:
                _bring_up(connection, version)
    except DatabaseError as problem:
        raise AssistantError(
            f"The database {path} can't be used ({problem.orig}). Move it aside to start with an empty one, "
            "or bring it back from a backup."
        ) from problem
    if version > SCHEMA_VERSION:
        raise AssistantError(
            f"{path} has version {version}; this Quartet reads {SCHEMA_VERSION}. Update Quartet."
        )
    return database


def _bring_up(connection: Connection, version: int) -> None:
    """Make the tables of an empty database (version 0), or bring those of an older one up to the present."""
    if version == 0:
        metadata.create_all(connection)
    for older in range(version or SCHEMA_VERSION, SCHEMA_VERSION):
        for statement in MIGRATIONS[older]:
            connection.execute(text(statement))
    connection.execute(text(f"PRAGMA user_version = {SCHEMA_VERSION}"))


def _on_connect(connection: Any, _record: Any) -> None:
    # The driver opens no transaction by itself, so that BEGIN IMMEDIATE below is the only one.
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "busy_timeout = 30000", "foreign_keys = ON", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _on_error(path: Path, context: ExceptionContext) -> None:
    """Tell a person what to put right where the disk is at fault: SQLite calls such errors operational."""
    if isinstance(context.original_exception, sqlite3.OperationalError):
        raise unwritable(path, context.original_exception) from context.original_exception
