"""Folders that are followed: what happens in them happens in the knowledge base."""

import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from knowledge.errors import KnowledgeError
from knowledge.following import Changes, Folder, Following, Watch
from knowledge.retrieval import KnowledgeBase
from tests.knowledge.conftest import HOURS, POTS, WordEncoder, best, names


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    folder = tmp_path / "handbook"
    put(folder, "care/pots.md", POTS)
    put(folder, "hours.md", HOURS)
    return folder


@pytest.fixture
def following(knowledge: KnowledgeBase, handbook: Path) -> Following:
    made = Following(knowledge)
    made.follow(handbook)
    made.look(str(handbook))
    return made


def put(folder: Path, name: str, text: str | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    moment = time.time_ns() + put.later  # some disks tell times in whole seconds only
    put.later += 10**9
    os.utime(path, ns=(moment, moment))


put.later = 0


def test_the_first_look_takes_all_files_in(
    following: Following, knowledge: KnowledgeBase, handbook: Path
) -> None:
    assert names(knowledge) == ["care/pots.md", "hours.md"]
    assert [folder.path for folder in following.folders()] == [str(handbook)]


def test_a_look_takes_over_what_was_added_changed_and_removed(
    following: Following, knowledge: KnowledgeBase, encoder: WordEncoder, handbook: Path
) -> None:
    put(handbook, "bags.md", "# Bags\n\nBags are blue.\n")
    put(handbook, "hours.md", HOURS.replace("nine", "ten"))
    put(handbook, "bad.xyz", "x")
    (handbook / "care" / "pots.md").unlink()
    encoder.texts.clear()
    changes = following.look(str(handbook))
    assert changes == Changes(("bags.md",), ("hours.md",), ("care/pots.md",), ("bad.xyz",))
    assert changes.text == "1 added, 1 changed, 1 removed, 1 refused"
    assert names(knowledge) == ["bags.md", "hours.md"]
    assert len(encoder.texts) == 2
    assert "ten" in knowledge.text("hours.md")
    assert best(knowledge, "blue bags") == "bags.md"


def test_where_nothing_has_changed_nothing_is_read(
    following: Following, knowledge: KnowledgeBase, handbook: Path
) -> None:
    version = knowledge.version
    assert following.look(str(handbook)).text == "nothing has changed"
    assert knowledge.version == version


def test_a_document_that_a_person_removed_does_not_come_back_by_itself(
    following: Following, knowledge: KnowledgeBase, handbook: Path
) -> None:
    knowledge.remove(["hours.md"])
    following.look(str(handbook))
    assert names(knowledge) == ["care/pots.md"]
    (handbook / "hours.md").unlink()
    assert following.look(str(handbook)) == Changes()


@pytest.mark.parametrize("how", [shutil.rmtree, lambda folder: [*map(Path.unlink, folder.rglob("*.md"))]])
def test_a_folder_that_is_gone_or_empty_all_at_once_removes_nothing(
    following: Following, knowledge: KnowledgeBase, handbook: Path, how
) -> None:
    how(handbook)
    with pytest.raises(KnowledgeError):
        following.look(str(handbook))
    assert names(knowledge) == ["care/pots.md", "hours.md"]
    assert following.folders()[0].problem


def test_a_folder_followed_no_longer_leaves_its_documents(
    following: Following, knowledge: KnowledgeBase, handbook: Path
) -> None:
    following.unfollow(str(handbook))
    put(handbook, "bags.md", "# Bags\n\nBags are blue.\n")
    assert (following.folders(), following.look(str(handbook))) == ([], Changes())
    assert names(knowledge) == ["care/pots.md", "hours.md"]


@pytest.mark.parametrize(
    ("minutes", "ago", "due"),
    [(60, 61, True), (60, 59, False), (0, 9999, False), (60, -99, True)],
    ids=["its hour is over", "not yet", "when asked only", "the clock was set back since"],
)
def test_a_folder_is_due_by_its_time(minutes: int, ago: int, due: bool) -> None:
    now = datetime.now(UTC)
    looked = (now - timedelta(minutes=ago)).isoformat()
    assert Folder("/x", minutes, looked).is_due(now) == due
    assert Folder("/x", minutes).is_due(now)


def test_the_time_can_be_changed_without_looking_at_everything_again(
    following: Following, handbook: Path
) -> None:
    following.follow(handbook, minutes=5)
    (folder,) = following.folders()
    assert (folder.minutes, len(folder.seen)) == (5, 2)


@pytest.mark.parametrize("where", ["nowhere", "knowledge", "knowledge/files", "."])
def test_a_folder_that_cannot_be_followed_is_refused(
    knowledge: KnowledgeBase, tmp_path: Path, where: str
) -> None:
    with pytest.raises(KnowledgeError, match=r"There is no folder|holds what Quartet itself keeps"):
        Following(knowledge).follow(tmp_path / where)


def test_a_damaged_list_of_folders_is_told(knowledge: KnowledgeBase) -> None:
    (knowledge.folder / "folders.json").write_text("{}")
    with pytest.raises(KnowledgeError, match=r"folders\.json can't be read \(KeyError\)\. It lists"):
        Following(knowledge).folders()


def test_the_watch_looks_at_what_is_due_and_goes_on_after_a_problem(
    knowledge: KnowledgeBase, handbook: Path, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    following = Following(knowledge)
    following.follow(gone)
    following.follow(handbook)
    gone.rmdir()
    watch = Watch(lambda: knowledge, seconds=0.01)
    watch.start()
    deadline = time.monotonic() + 20
    while len(names(knowledge)) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    watch.stop()
    assert names(knowledge) == ["care/pots.md", "hours.md"]
    assert "is not there" in following.folders()[0].problem
