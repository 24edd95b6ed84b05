"""Several who work on one company at once: two apps, another program that holds the database, a backup."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from assistant.backup import back_up, restore
from assistant.brand import Brand
from assistant.chats import Chats
from assistant.errors import AssistantError
from assistant.ratings import Desk
from assistant.store import database, open_database
from assistant.studio import Studio
from assistant.workspace import open_workspace
from knowledge.retrieval import KnowledgeBase
from tests.fakes import FakeModels, WordEncoder

ROOT = Path(__file__).parents[2]
OTHER_APP = """
import sys
from pathlib import Path
from assistant.brand import Brand
from assistant.studio import Studio
from tests.fakes import FakeModels
from tests.faults.company import chats_file
studio, room = Studio(Path(sys.argv[1]), FakeModels()), Path(sys.argv[2])
studio.load()
(room / "bags.md").write_text("# Bags\\n\\nBags are blue.")
studio.knowledge.add([(room / "bags.md", "bags.md")])
studio.conversations.add(chats_file(room, "more.jsonl", 2), "more.jsonl")
studio.save_brand(Brand("Acme & Sons"))
for _ in studio.ask(studio.chats.new(), "From the other app?"):
    pass
"""
BUSY = """
import sys
from pathlib import Path
from assistant.chats import Chats
from assistant.ratings import Desk
from assistant.store import open_database
from tests.studies import judgement
database = open_database(Path(sys.argv[1]))
chats, desk = Chats(database), Desk.of(database)
(study,) = desk.studies.list()
sheets = [desk.rounds.sheet(rater.id) for rater in desk.rounds.raters(study.id)]
number = 0
while True:
    chat = chats.new()
    for turn in range(2):
        chats.add_turn(chat, f"{number} {turn}")
    for sheet in sheets:
        showing = sheet[number % len(sheet)]
        desk.votes.cast(showing, f"{number}", judgement(score=1 + number % 5), study.criteria)
    number += 1
    print(number, flush=True)
"""


def test_two_apps_on_one_company_see_what_the_other_does(company, tmp_path):
    mine = Studio(company.root, FakeModels())
    mine.load()
    assert [state.name for state in mine.knowledge.documents()] == ["guide.md"]
    command = [sys.executable, "-c", OTHER_APP, str(company.root), str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)
    assert [state.name for state in mine.knowledge.documents()] == ["bags.md", "guide.md"]
    assert mine.knowledge.search("blue bags").found[0].passage.document == "bags.md"
    assert len(mine.conversations.read().conversations) == 6
    assert mine.brand() == Brand("Acme & Sons")
    assert "From the other app?" in [each.first_question for each in mine.chats.latest()]
    mine.chats.add_turn(mine.chats.new(), "And here?")
    assert len(mine.chats.latest()) == 3


def test_a_database_that_another_program_holds_is_told_and_used_once_it_is_free(company, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    chats = Chats(open_database(company.database))
    with closing(sqlite3.connect(company.database)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(
            AssistantError, match=r"quartet\.db is in use by another program.* Close what else"
        ):
            chats.new()
        with pytest.raises(AssistantError, match="in use by another program"):
            Studio(company.root, FakeModels())
        other.rollback()
    chats.add_turn(chats.new(), "Free again?")
    assert "Free again?" in [each.first_question for each in chats.latest()]


def test_a_backup_made_while_others_chat_and_vote_holds_whole_turns_and_votes(company, tmp_path):
    writer = subprocess.Popen(
        [sys.executable, "-c", BUSY, str(company.database)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        done = []
        for number in range(3):
            done.append(int(writer.stdout.readline()))  # it has written so much before the backup begins
            back_up(company, tmp_path / f"{number}.quartet", lambda text, fraction: None)
    finally:
        writer.kill()
        writer.communicate()
    for number, least in enumerate(done):
        restore(tmp_path / f"{number}.quartet", tmp_path / f"back-{number}", lambda text, fraction: None)
        _check_whole(tmp_path / f"back-{number}", least)


def _check_whole(root: Path, least: int) -> None:
    """Every chat but the last has both of its turns; votes are as many as there were, or some more."""
    again = open_workspace(root)
    with closing(sqlite3.connect(again.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        asked = [question for (question,) in connection.execute("SELECT question FROM turns ORDER BY id")][1:]
        votes = connection.execute("SELECT count(*) FROM votes").fetchone()[0]
    desk = Desk.of(open_database(again.database))
    (study,) = desk.studies.list()
    raters = len(desk.rounds.raters(study.id))
    assert asked == [f"{number} {turn}" for number in range(len(asked)) for turn in range(2)][: len(asked)]
    assert len(asked) >= 2 * least and votes >= raters * least
    assert raters * (len(asked) // 2 - 1) <= votes <= raters * (len(asked) // 2)
    assert all(
        set(vote.scores("accuracy").values()) <= {1, 2, 3, 4, 5} for vote in desk.votes.of_study(study.id)
    )
    found = KnowledgeBase(again.knowledge, WordEncoder).search("water fern").found
    assert [each.passage.document for each in found] == ["guide.md"]
