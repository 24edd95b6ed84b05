"""Backups: whole, checked, made while the company is in use, and never over anything."""

import fcntl
import json
import os
import shutil
import sqlite3
import stat
import threading
import zipfile

import pytest

from assistant import backup
from assistant.backup import MANIFEST, back_up, restore
from assistant.brand import Brand, write_brand
from assistant.chats import Chats
from assistant.conversations import Cleaning, ConversationStore, Source, import_file
from assistant.conversations.formats import recognise
from assistant.demo import DEMO
from assistant.errors import AssistantError
from assistant.prompts import Message
from assistant.store import open_database
from assistant.workspace import open_workspace
from knowledge.retrieval import KnowledgeBase
from tests.fakes import WordEncoder


def quiet(_text: str, _fraction: float) -> None:
    """Nobody follows."""


@pytest.fixture
def company(workspace, tmp_path):
    """Acme with a voice, a chat and a document."""
    write_brand(workspace.brand_file, Brand("Acme"))
    chats = Chats(open_database(workspace.database))
    chats.add_turn(chats.new(), "Q?")
    guide = tmp_path / "guide.md"
    guide.write_text("# Water\n\nWater the fern once a week.")
    KnowledgeBase(workspace.knowledge, WordEncoder).add([(guide, "guide.md")])
    return workspace


def test_what_is_restored_is_what_was_backed_up(company, tmp_path):
    made = back_up(company, tmp_path / "acme.quartet", quiet)
    root = tmp_path / "elsewhere" / "acme"
    assert restore(tmp_path / "acme.quartet", root, quiet) == made
    again = open_workspace(root)
    (chat,) = Chats(open_database(again.database)).latest()
    assert chat.first_question == "Q?"
    found = KnowledgeBase(again.knowledge, WordEncoder).search("How often to water?").found
    assert [each.passage.document for each in found] == ["guide.md"]
    assert again.brand_file.read_bytes() == company.brand_file.read_bytes()


def test_what_a_person_changed_in_conversations_is_backed_up_with_them(company, tmp_path):
    store = ConversationStore(company.conversations)
    chat = '{"messages": [{"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A."}]}\n'
    for name, count in (("may.jsonl", 3), ("june.jsonl", 1)):
        (tmp_path / name).write_text(chat.replace("Q?", f"{name}?") * count)
        store.add(tmp_path / name, name)
    store.changes.exclude("may.jsonl:2")
    store.changes.edit("may.jsonl:3", [Message("user", "Q?"), Message("assistant", "Better.")])
    store.remove("june.jsonl")
    back_up(company, tmp_path / "acme.quartet", quiet)
    restore(tmp_path / "acme.quartet", tmp_path / "again", quiet)
    again = ConversationStore(open_workspace(tmp_path / "again").conversations)
    assert [each.messages[1].content for each in again.read().conversations] == ["A.", "Better."]
    assert [each.source for each in again.read().excluded] == ["may.jsonl:2"]
    again.restore("june.jsonl")
    assert len(again.read().conversations) == 3


def test_an_imports_story_is_backed_up_with_its_file(company, tmp_path):
    store = ConversationStore(company.conversations)
    source = Source([DEMO / "conversations.jsonl"], "chats.jsonl")
    about = import_file(store, source, recognise(source), Cleaning(masked=False))
    back_up(company, tmp_path / "acme.quartet", quiet)
    restore(tmp_path / "acme.quartet", tmp_path / "again", quiet)
    (file,) = ConversationStore(open_workspace(tmp_path / "again").conversations).files()
    assert file.about == about


def test_turns_written_meanwhile_are_in_whole_or_not_at_all(company, tmp_path):
    chats, ended = Chats(open_database(company.database)), threading.Event()
    chat_id = chats.new()

    def write() -> None:
        number = 0
        while not ended.is_set():
            chats.add_turn(chat_id, f"question {number}")
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            back_up(company, tmp_path / f"{number}.quartet", quiet)
    finally:
        ended.set()
        writer.join()
    for number in range(3):
        restore(tmp_path / f"{number}.quartet", tmp_path / f"back-{number}", quiet)
        with sqlite3.connect(tmp_path / f"back-{number}" / "quartet.db") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            asked = connection.execute(
                "SELECT question FROM turns WHERE chat_id = ? ORDER BY id", (chat_id,)
            ).fetchall()
        assert asked == [(f"question {each}",) for each in range(len(asked))]


def test_nothing_is_overwritten_and_nothing_is_left_over(company, tmp_path):
    target = tmp_path / "acme.quartet"
    back_up(company, target, quiet)
    before = target.read_bytes()
    with pytest.raises(AssistantError, match="is there already, and a backup overwrites nothing"):
        back_up(company, target, quiet)
    with pytest.raises(AssistantError, match="is there already, and restoring overwrites nothing"):
        restore(target, company.root, quiet)
    with pytest.raises(AssistantError, match="lies in the company's own folder"):
        back_up(company, company.root / "acme.quartet", quiet)
    assert target.read_bytes() == before
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("what", ["backup", "restore"])
def test_what_killed_work_left_is_cleared_away_by_the_next_and_work_that_goes_on_is_not(
    company, tmp_path, what
):
    made = tmp_path / "acme.quartet"
    target = made if what == "backup" else tmp_path / "again"
    if what == "restore":
        back_up(company, made, quiet)
    left, busy, other = (
        tmp_path / name
        for name in (f".{target.name}.unfinished-1", f".{target.name}.unfinished-2", ".other.unfinished-1")
    )
    for folder in (left, busy, other):
        folder.mkdir()
        (folder / "backup").write_bytes(b"half")
    descriptor = os.open(busy, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    if what == "backup":
        back_up(company, target, quiet)
    else:
        restore(made, target, quiet)
    os.close(descriptor)
    assert sorted(tmp_path.glob(".*")) == sorted([busy, other])


def test_nobody_else_can_read_a_backup_or_what_is_brought_back(company, tmp_path):
    back_up(company, tmp_path / "acme.quartet", quiet)
    restore(tmp_path / "acme.quartet", tmp_path / "back", quiet)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("acme.quartet", "back")]
    assert modes == [0o600, 0o700]


def longer_brand(name, data):
    return name, data + b"x" if name == "brand.toml" else data


def moved_brand(name, data):
    return name.replace("brand", "../brand"), data


def listed_outside(name, data):
    name = name.replace("brand", "../brand")
    return name, data.replace(b"brand.toml", b"../brand.toml") if name == MANIFEST else data


def empty_manifest(name, data):
    return name, b"{}" if name == MANIFEST else data


def newer(name, data):
    return name, data.replace(b'"version": 1', b'"version": 2') if name == MANIFEST else data


def manifest_of(**changes):
    """A change of the list of files."""

    def change(name, data):
        return name, json.dumps(json.loads(data) | changes) if name == MANIFEST else data

    return change


def manifest_of_another_kind(name, data):
    return name, b"[1]" if name == MANIFEST else data


def test_what_would_fill_memory_or_disk_is_refused_before_it_is_unpacked(company, tmp_path, monkeypatch):
    back_up(company, tmp_path / "acme.quartet", quiet)
    monkeypatch.setattr(backup, "MOST_MANIFEST", 10)
    with pytest.raises(AssistantError, match=r"its quartet-backup\.json is too large"):
        restore(tmp_path / "acme.quartet", tmp_path / "new", quiet)
    monkeypatch.undo()
    monkeypatch.setattr(backup.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 10))
    with pytest.raises(AssistantError, match=r"MB restored, and 0 MB are free in .* or restore it"):
        restore(tmp_path / "acme.quartet", tmp_path / "new", quiet)
    assert not (tmp_path / "new").exists()


def test_what_a_backup_calls_itself_is_told_as_plain_text(company, tmp_path):
    back_up(company, tmp_path / "acme.quartet", quiet)
    change = manifest_of(company="\x1b[31mAc\nme\ud800")
    with (
        zipfile.ZipFile(tmp_path / "acme.quartet") as source,
        zipfile.ZipFile(tmp_path / "odd.quartet", "w") as copy,
    ):
        for name in source.namelist():
            copy.writestr(*change(name, source.read(name)))
    assert restore(tmp_path / "odd.quartet", tmp_path / "new", quiet).company == "[31mAc me"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (manifest_of_another_kind, "no sound backup"),
        (manifest_of(version="one"), "no sound backup"),
        (manifest_of(files=5), "no sound backup"),
        (manifest_of(files={"brand\0.toml": ""}), "no sound backup"),
        (longer_brand, "brand.toml is not what was backed up"),
        (moved_brand, "no sound backup"),
        (listed_outside, "it holds a file named '../brand.toml'"),
        (empty_manifest, "no sound backup"),
        (newer, "made by a newer Quartet"),
    ],
)
def test_a_damaged_or_hostile_backup_restores_nothing(company, tmp_path, change, text):
    back_up(company, tmp_path / "acme.quartet", quiet)
    with (
        zipfile.ZipFile(tmp_path / "acme.quartet") as source,
        zipfile.ZipFile(tmp_path / "bad.quartet", "w") as copy,
    ):
        for name in source.namelist():
            copy.writestr(*change(name, source.read(name)))
    with pytest.raises(AssistantError) as caught:
        restore(tmp_path / "bad.quartet", tmp_path / "new" / "acme", quiet)
    assert text in str(caught.value)
    assert list((tmp_path / "new").iterdir()) == []
    assert not (tmp_path / "brand.toml").exists()


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.99])
def test_a_backup_that_was_cut_off_restores_nothing(company, tmp_path, kept):
    back_up(company, tmp_path / "acme.quartet", quiet)
    data = (tmp_path / "acme.quartet").read_bytes()
    (tmp_path / "cut.quartet").write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(AssistantError, match="no sound backup"):
        restore(tmp_path / "cut.quartet", tmp_path / "new" / "acme", quiet)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_backup_that_is_not_there_is_named(tmp_path):
    with pytest.raises(AssistantError, match=r"There is no backup .*gone\.quartet"):
        restore(tmp_path / "gone.quartet", tmp_path / "acme", quiet)
