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

PATIENCE = 30.0
"""Seconds to wait for others who write."""


def open_database(path: Path) -> Database:
    """Open the workspace's database, making its tables where they are missing or older.

    Raises:
        AssistantError: the file is damaged, or a newer Quartet made it; there is no room on the disk, now or
            at any later use.
    """
    patience = {"timeout": PATIENCE, "check_same_thread": False}
    database = create_engine(f"sqlite:///{path}", connect_args=patience)
    event.listen(database, "connect", _on_connect)
    event.listen(database, "begin", _on_begin)
    event.listen(database, "handle_error", lambda context: _on_error(path, context))
    try:
        with database.begin() as connection:
            version = connection.execute(text("PRAGMA user_version")).scalar_one()
            if version < SCHEMA_VERSION:
                _bring_up(connection, version)
    except DatabaseError as problem:
        raise _damaged(path, problem.orig) from problem
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
    waiting = f"busy_timeout = {1000 * PATIENCE:.0f}"
    for pragma in (waiting, "journal_mode = WAL", "foreign_keys = ON", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _on_error(path: Path, context: ExceptionContext) -> None:
    """Tell a person what to put right where the disk or another program is at fault, whenever that is."""
    problem = context.original_exception
    code = getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF  # the rest says more of the same
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise AssistantError(
            f"The database {path} is in use by another program, and did not come free in {PATIENCE:.0f} "
            "seconds. Close what else has it open, such as a program that shows databases, then try again."
        ) from problem
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        raise _damaged(path, problem) from problem
    if isinstance(problem, sqlite3.OperationalError):
        raise unwritable(path, problem) from problem


def _damaged(path: Path, problem: BaseException | None) -> AssistantError:
    return AssistantError(
        f"The database {path} can't be used ({problem}). Move it aside to start with an empty one, "
        "or bring it back from a backup."
    )
