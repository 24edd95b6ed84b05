"""The database: safe with several processes, and refused with a text where it can't be used."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from assistant.chats import Chats
from assistant.errors import AssistantError
from assistant.store import SCHEMA_VERSION, chats, open_database

WRITERS, WRITES = 4, 50
ROOT = Path(__file__).parents[3]
WRITER = f"""
import sys
from pathlib import Path
from assistant.chats import Chats
from assistant.store import open_database
store = Chats(open_database(Path(sys.argv[1])))
chat = store.new()
for number in range({WRITES}):
    store.add_turn(chat, f"question {{number}}")
"""


def test_four_processes_writing_at_once_lose_nothing(tmp_path):
    path = tmp_path / "quartet.db"
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(WRITERS)]
    for writer in writers:
        _, problem = writer.communicate(timeout=60)
        assert writer.returncode == 0, problem
    rows = (
        sqlite3.connect(path).execute("SELECT chat_id, question FROM turns ORDER BY chat_id, id").fetchall()
    )
    assert len(rows) == WRITERS * WRITES
    assert [question for _, question in rows] == [f"question {number}" for number in range(WRITES)] * WRITERS


def test_the_file_carries_its_version_and_keeps_a_write_ahead_log(tmp_path):
    open_database(tmp_path / "it.db")
    connection = sqlite3.connect(tmp_path / "it.db")
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_opening_again_keeps_what_is_there(tmp_path):
    with open_database(tmp_path / "it.db").begin() as connection:
        connection.execute(insert(chats).values(id="one", created="now", draft="d"))
    with open_database(tmp_path / "it.db").begin() as connection:
        assert connection.execute(select(chats.c.id)).scalars().all() == ["one"]


def test_a_full_disk_is_told_when_something_is_written(tmp_path):
    database = open_database(tmp_path / "it.db")
    with database.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")  # as if the disk were full
        connection.rollback()
    store = Chats(database)
    with pytest.raises(
        AssistantError, match=r"it\.db can't be written \(database or disk is full\)\. Free some"
    ):
        for _ in range(200):
            store.save_draft(store.new(), "x" * 4000)


def test_a_folder_without_leave_to_write_is_not_taken_for_a_damaged_database(tmp_path):
    with pytest.raises(AssistantError, match=r"can't be written \(unable to open database file\)"):
        open_database(tmp_path / "missing" / "it.db")


def test_a_newer_database_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "it.db"
    sqlite3.connect(path).execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}").connection.close()
    with pytest.raises(
        AssistantError,
        match=rf"has version {SCHEMA_VERSION + 1}; this Quartet reads {SCHEMA_VERSION}\. Update",
    ) as caught:
        open_database(path)
    assert str(path) in str(caught.value)
    assert sqlite3.connect(path).execute("SELECT name FROM sqlite_master").fetchall() == []


@pytest.mark.parametrize(
    "content", [b"this is not a database, " * 100, b"SQLite format 3\x00" + b"\xff" * 4000]
)
def test_a_damaged_database_is_named_with_what_to_do(tmp_path, content):
    path = tmp_path / "it.db"
    path.write_bytes(content)
    with pytest.raises(AssistantError, match="can't be used") as caught:
        open_database(path)
    assert str(path) in str(caught.value)
    assert "bring it back from a backup" in str(caught.value)


def test_a_database_where_a_folder_stands_is_named(tmp_path):
    (tmp_path / "it.db").mkdir()
    with pytest.raises(AssistantError, match="unable to open database file"):
        open_database(tmp_path / "it.db")


def test_a_transaction_that_fails_leaves_nothing(tmp_path):
    database = open_database(tmp_path / "it.db")
    with pytest.raises(RuntimeError), database.begin() as connection:
        connection.execute(insert(chats).values(id="half", created="now", draft=""))
        raise RuntimeError
    with database.begin() as connection:
        assert connection.execute(select(chats)).all() == []


def test_rows_that_belong_together_go_together(tmp_path):
    with open_database(tmp_path / "it.db").begin() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
