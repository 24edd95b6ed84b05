"""The doctor: finds what is broken, mends what can be mended, and says what to do about the rest."""

import json
import os
import stat
import time
from pathlib import Path

import pytest

from assistant.adapters import FILES, Lineage, install
from assistant.doctor import examine
from assistant.models import models_folder
from assistant.store import open_database
from assistant.workspace import quartet_home
from knowledge.retrieval import KnowledgeBase
from tests.fakes import WordEncoder


@pytest.fixture
def company(workspace, tmp_path):
    """A company with a document, a version of the voice and a database."""
    open_database(workspace.database).dispose()
    guide = tmp_path / "guide.md"
    guide.write_text("# Water\n\nWater the fern once a week.")
    KnowledgeBase(workspace.knowledge, WordEncoder).add([(guide, "guide.md")])
    finished = tmp_path / "finished"
    finished.mkdir()
    for name in FILES:
        (finished / name).write_text("{}")
    lineage = Lineage("paper", "", "", "", "", {}, (), 1.0, 1, 1, 1, 0, "2026-01-01T00:00:00+00:00")
    install(workspace.adapters, finished, lineage)
    return workspace


def states(workspace) -> dict[str, tuple[str, str]]:
    return {
        each.what: (each.state, each.text) for each in examine(workspace.root, lambda name: WordEncoder())
    }


def test_all_is_fine_where_nothing_is_broken(company):
    found = states(company)
    assert {state for state, _ in found.values()} == {"fine"}
    assert found["documents"][1].startswith("1 document, 1 passage")
    assert found["version 0001"][1] == "as it was trained"
    assert found["current version"][1] == "0001 answers"


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o711], ids=oct)
def test_a_folder_that_others_can_look_into_is_closed_to_them(company, mode):
    company.root.chmod(mode)
    state, text = states(company)["permissions"]
    assert state == "mended" and "others on this machine could look into the folder" in text
    assert stat.S_IMODE(company.root.stat().st_mode) == 0o700
    assert states(company)["permissions"] == ("fine", "the folder is for its owner alone")


@pytest.mark.parametrize("problem", [PermissionError("not its owner"), None], ids=["refused", "no effect"])
def test_a_folder_that_stays_open_to_others_says_what_to_do(company, monkeypatch, problem):
    company.root.chmod(0o755)

    def chmod(path: Path, mode: int) -> None:
        if problem:
            raise problem

    monkeypatch.setattr(Path, "chmod", chmod)
    state, text = states(company)["permissions"]
    assert state == "wrong" and f"run `chmod 700 {company.root}`" in text


def test_a_damaged_database_says_what_to_do_and_is_left_as_it_is(company):
    data = b"this is not a database, " * 100
    company.database.write_bytes(data)
    state, text = states(company)["database"]
    assert state == "wrong" and "from a backup" in text
    assert company.database.read_bytes() == data


def test_a_damaged_index_is_built_again_from_the_documents(company):
    for passages in company.knowledge.rglob("passages.jsonl"):
        passages.write_bytes(passages.read_bytes()[:-5])
    state, text = states(company)["documents"]
    assert (state, text.startswith("1 document, 1 passage")) == ("mended", True)
    assert states(company)["documents"][0] == "fine"


def test_a_changed_version_is_named(company):
    (company.adapters / "0001" / FILES[0]).write_text("{ }")
    state, text = states(company)["version 0001"]
    assert state == "wrong" and "has changed since it was installed" in text


def test_leftovers_of_a_crash_go_after_a_day_and_work_in_progress_stays(company):
    old, new = models_folder() / ".unfinished-old", models_folder() / ".unfinished-new"
    for folder in (old, new):
        folder.mkdir(parents=True)
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    assert states(company)["leftovers"] == ("mended", "removed 1 half-written folder")
    assert (old.exists(), new.exists()) == (False, True)


def test_a_graph_that_was_refused_is_forgotten_and_a_good_one_stays(company):
    graphs = quartet_home() / "graphs"
    for name, notes in (("good", {"used": True}), ("bad", {"used": False, "reason": "no memory"})):
        (graphs / name).mkdir(parents=True)
        (graphs / name / "graph.json").write_text(json.dumps(notes))
    (graphs / ".good.4711").mkdir()  # an app is about to compile it
    found = [each for each in examine(company.root, lambda name: WordEncoder()) if each.what == "graph"]
    assert [each.state for each in found] == ["mended", "fine"]
    assert "bad was refused (no memory)" in found[0].text
    assert sorted(path.name for path in graphs.iterdir()) == [".good.4711", "good"]


def test_a_company_that_is_not_there_is_not_made(tmp_path):
    found = {each.what: each for each in examine(tmp_path / "typo", lambda name: WordEncoder())}
    assert found["workspace"].state == "wrong" and "There is no company in" in found["workspace"].text
    assert not (tmp_path / "typo").exists()


def test_a_newer_workspace_is_refused_and_nothing_else_of_it_is_looked_at(company):
    (company.root / "workspace.json").write_text('{"version": 99}')
    found = states(company)
    assert found["workspace"][0] == "wrong" and "Update Quartet" in found["workspace"][1]
    assert "database" not in found
