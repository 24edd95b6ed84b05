"""The workspace's SQLite database: opened safely, with a version, written in whole transactions.

It knows how to open and migrate. What the tables hold is known by the modules that read them (`chats.py`).
"""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import Connection
from sqlalchemy.engine import Engine as Database
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import DatabaseError

from assistant.errors import AssistantError, unwritable

FULL_STRENGTH = 100
"""The voice strength, in percent, that a chat has until somebody changes it: as it was trained."""
SCHEMA_VERSION = 2
MIGRATIONS = {1: f"ALTER TABLE chats ADD COLUMN strength INTEGER NOT NULL DEFAULT {FULL_STRENGTH}"}
"""By version, what makes the next one of it."""

metadata = MetaData()
chats = Table(
    "chats",
    metadata,
    Column("id", String, primary_key=True),
    Column("created", String, nullable=False),
    Column("draft", Text, nullable=False, default=""),
    Column("strength", Integer, nullable=False, default=FULL_STRENGTH),
)
turns = Table(
    "turns",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("chat_id", ForeignKey("chats.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("question", Text, nullable=False),
    Column("created", String, nullable=False),
)
answers = Table(
    "answers",
    metadata,
    Column("turn_id", ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    Column("lane", String, primary_key=True),
    Column("value", JSON, nullable=False),
)


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
        connection.execute(text(MIGRATIONS[older]))
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
