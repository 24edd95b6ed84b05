"""Stores of every version that there ever was are opened with all that is in them; newer ones are refused.

`schemas/N.sql` is what version N of the database's tables was made with, and is never changed.
"""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant import cli
from assistant.backup import back_up, restore
from assistant.brand import Brand, read_brand
from assistant.chats import Chats
from assistant.errors import AssistantError
from assistant.ratings import Desk, Judgement
from assistant.store import SCHEMA_VERSION, open_database
from assistant.studio import Studio
from knowledge.retrieval import KnowledgeBase
from knowledge.versions import FORMAT
from tests.fakes import FakeModels, WordEncoder

SCHEMAS = {int(path.stem): path.read_text() for path in sorted((Path(__file__).parent / "schemas").iterdir())}
SOURCE = {
    "document": "returns.md",
    "passage_id": "p1",
    "place": "Returns",
    "title": "Returns",
    "text": "Within 30 days.",
    "start": 0,
    "end": 15,
    "score": 0.9,
}
SAMPLING = {"max_tokens": 160, "temperature": 0.0, "top_p": 1.0, "repetition_penalty": 1.0, "seed": 0}
RECORD = {
    "base": "paper",
    "adapter": None,
    "scale": 0.0,
    "index_version": "0001",
    "query": "q",
    "passages": ["p1"],
    "prompt_hash": "0",
    "sampling": SAMPLING,
    "finish": "end",
    "prompt_tokens": 9,
    "completion_tokens": 9,
    "retrieval_seconds": 0.0,
    "first_token_seconds": 0.1,
    "seconds": 0.2,
    "created": "2026-01-01T00:00:00+00:00",
}
ANSWER = json.dumps(
    {"lane": "rag", "text": "Within 30 days.", "sources": [SOURCE], "record": RECORD, "error": ""}
)
"""An answer as the first version kept it."""
JUDGED = {"ranks": [1, 2], "scores": {}, "unusable": False, "comment": "Fine.", "wrong": [], "better": ""}
VOTE = json.dumps(JUDGED | {"seconds": 2.5})
"""A vote as the first version that had votes kept it."""
ITEMS = "'[]', 'Within 30 days.', 'returns', 'typed'"
CHATTING = {
    "turns": ["1, 'one', 'Q?', 'now'", "2, 'one', 'And then?', 'later'"],
    "answers": [f"1, 'rag', '{ANSWER}'"],
}
STUDY = {
    "studies": ["'s', 'Spring', 'now', 'open', '[]', '{}', '[\"rag\", \"tuned\"]', '{}'"],
    "study_items": [f"1, 's', 'Q?', {ITEMS}", f"2, 's', 'R?', {ITEMS}"],
    "study_answers": [f"1, 'rag', '{ANSWER}'"],
    "raters": ["1, 's', 'Ann', 'token', 'digest', 'now'"],
    "showings": ["1, 1, 1, 1, 'item', '[\"rag\", \"tuned\"]'"],
    "votes": [f"1, 1, 'k', '{VOTE}', 'now'"],
    "guesses": ["1, '[true, false]', 'now'"],
    "marks": ["1, 'rag', 1, 5, 'now'"],
}
ROWS = {
    1: {"chats": ["'one', 'now', 'half a quest'"], **CHATTING},
    2: {"chats": ["'one', 'now', 'half a quest', 70"], **CHATTING},
    3: {"chats": ["'one', 'now', 'half a quest', 70"], **CHATTING, **STUDY},
    4: {"chats": ["'one', 'now', 'half a quest', 70, 'ann'"], **CHATTING, **STUDY},
}
"""What stands in a database of each version, by table."""
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
EACH = pytest.mark.parametrize("version", SCHEMAS)


def make_old(path: Path, version: int) -> None:
    """A database as that version left it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMAS[version])
        for table, rows in ROWS[version].items():
            for row in rows:
                connection.execute(f"INSERT INTO {table} VALUES ({row})")
        connection.commit()


def held(path: Path) -> dict[str, list[dict[str, object]]]:
    """Every row of every table, by the names of its columns."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        names = [row["name"] for row in connection.execute(TABLES)]
        return {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in names}


def shape(path: Path) -> dict[tuple[str, str], list[object]]:
    """Every table's columns, keys and indexes, without the wording of the statements that made them."""
    asked = {"table_info": slice(1, 4), "foreign_key_list": slice(2, 7), "index_list": slice(2, 4)}
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute(TABLES)]
        return {
            (name, about): sorted(
                row[part]
                for row in connection.execute(f"PRAGMA {about}({name})")  # a new column stands last
            )
            for name in names
            for about, part in asked.items()
        }


def test_there_is_a_schema_and_rows_of_every_version_up_to_the_present():
    assert list(SCHEMAS) == list(ROWS) == list(range(1, SCHEMA_VERSION + 1))


@EACH
def test_a_database_of_each_version_gets_what_came_since_and_loses_nothing(tmp_path, version):
    path, new = tmp_path / "it.db", tmp_path / "new.db"
    make_old(path, version)
    before = held(path)
    for _ in range(2):  # the second opening finds it done
        open_database(path).dispose()
        after = held(path)
        for table, rows in before.items():
            kept = [{key: row[key] for key in rows[0]} for row in after[table]]  # without columns of later
            assert kept == rows
    open_database(new).dispose()
    assert shape(path) == shape(new)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@EACH
def test_what_a_database_of_each_version_holds_is_read_as_ever(tmp_path, version):
    make_old(tmp_path / "it.db", version)
    database = open_database(tmp_path / "it.db")
    chat = Chats(database).read("one")
    assert (chat.draft, chat.strength) == ("half a quest", 100 if version == 1 else 70)
    assert [turn.question for turn in chat.turns] == ["Q?", "And then?"]
    assert chat.turns[0].answers["rag"].text == "Within 30 days."
    if version >= 3:
        desk = Desk.of(database)
        (vote,) = desk.votes.of_study("s")
        assert vote.judgement == Judgement((1, 2), {}, comment="Fine.", seconds=2.5)
        assert [item.reference for item in desk.studies.items("s")] == ["Within 30 days."] * 2


def newer_workspace(root: Path) -> None:
    (root / "workspace.json").write_text('{"version": 2}')


def newer_database(root: Path) -> None:
    with closing(sqlite3.connect(root / "quartet.db")) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")


@pytest.mark.parametrize("make_newer", [newer_workspace, newer_database], ids=["workspace", "database"])
def test_a_newer_company_is_refused_in_one_sentence_and_left_as_it_is(workspace, make_newer):
    open_database(workspace.database).dispose()
    make_newer(workspace.root)
    before = {path.name: path.read_bytes() for path in workspace.root.iterdir() if path.is_file()}
    with pytest.raises(AssistantError, match="Update Quartet"):
        Studio(workspace.root, FakeModels())
    done = CliRunner().invoke(cli.app, ["version", "list", "--workspace", str(workspace.root)])
    assert done.exit_code == 1 and "Update Quartet" in done.stderr and "Traceback" not in done.stderr
    after = {path.name: path.read_bytes() for path in workspace.root.iterdir() if path.is_file()}
    assert {name: after[name] for name in before if not name.endswith(("-shm", "-wal"))} == {
        name: data for name, data in before.items() if not name.endswith(("-shm", "-wal"))
    }


def test_a_newer_company_is_not_opened_from_the_pages_and_the_present_one_stays(workspace):
    studio = Studio(workspace.root, FakeModels())
    other = studio.create("Other").root
    studio.open(workspace.root)
    for make_newer in (newer_database, newer_workspace):
        make_newer(other)
        with pytest.raises(AssistantError, match="Update Quartet"):
            studio.open(other)
        assert studio.workspace.root == workspace.root
        assert studio.chats.latest() == []
        assert studio.brand() == Brand(workspace.root.name)


def test_a_voice_from_before_it_had_a_version_is_read(tmp_path):
    (tmp_path / "brand.toml").write_text('name = "Acme"\n')
    assert read_brand(tmp_path / "brand.toml") == Brand("Acme")


def test_a_backup_of_an_older_company_is_brought_back_and_brought_up(workspace, tmp_path):
    make_old(workspace.database, 1)
    back_up(workspace, tmp_path / "acme.quartet", lambda text, fraction: None)
    restore(tmp_path / "acme.quartet", tmp_path / "back", lambda text, fraction: None)
    assert Studio(tmp_path / "back", FakeModels()).chats.read("one").draft == "half a quest"


def test_an_index_of_the_first_format_is_made_again_from_its_documents(workspace, tmp_path):
    path = tmp_path / "guide.md"
    path.write_text("# Water\n\nWater the fern once a week.")
    KnowledgeBase(workspace.knowledge, WordEncoder).add([(path, "guide.md")])
    (manifest,) = workspace.knowledge.glob("versions/*/manifest.json")
    content = json.loads(json.loads(manifest.read_text())["content"])
    del content["edition"]  # which the first format did not have
    text = json.dumps(content)
    digest = hashlib.sha256(text.encode()).hexdigest()
    manifest.write_text(json.dumps({"version": 1, "sha256": digest, "content": text}))
    again = KnowledgeBase(workspace.knowledge, WordEncoder)
    assert [state.name for state in again.documents()] == ["guide.md"]
    assert again.search("water fern").found[0].passage.document == "guide.md"
    again.renewal.wait()
    (newest,) = workspace.knowledge.glob(f"versions/{again.version}/manifest.json")
    assert json.loads(newest.read_text())["version"] == FORMAT and again.notice == ""
