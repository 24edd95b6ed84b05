"""A full disk and a read-only one: each piece of work says so and changes nothing, and goes on afterwards."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from assistant.adapters import current, make_current
from assistant.backup import back_up, restore
from assistant.brand import Brand, read_brand, write_brand
from assistant.chats import Chats
from assistant.conversations import Cleaning, ConversationStore, import_file
from assistant.conversations.gathering import gather
from assistant.errors import AssistantError
from assistant.jobs import Jobs
from assistant.ratings import Desk
from assistant.store import open_database
from assistant.training.checkpoints import check_room
from assistant.workspace import Workspace, open_workspace
from knowledge.errors import KnowledgeError
from knowledge.retrieval import KnowledgeBase
from tests.fakes import WordEncoder
from tests.faults.company import chats_file, make_adapter
from tests.studies import judgement

QUESTION = "x" * 4000


class Work:
    """The parts of a company on a disk, opened before the disk is struck as in an app that runs."""

    def __init__(self, company: Workspace, room) -> None:
        self.company, self.room = company, room
        self.database = open_database(company.database)
        self.chats, self.desk = Chats(self.database), Desk.of(self.database)
        self.knowledge = KnowledgeBase(company.knowledge, WordEncoder)
        self.conversations = ConversationStore(company.conversations)
        self.jobs = Jobs(company.jobs)
        (self.study,) = self.desk.studies.list()
        (room / "bags.md").write_text("# Bags\n\n" + "Bags are blue. " * 2000)
        chats_file(room, "more.jsonl", edition=2)
        make_adapter(room)

    def ask(self) -> None:
        """A question is stored, and more of them until the log of the database is out of room."""
        for _ in range(2000):
            self.chats.add_turn(self.chats.new(), QUESTION)

    def vote(self) -> None:
        """Raters vote, with long comments."""
        for number in range(2000):
            for rater in self.desk.rounds.raters(self.study.id):
                showing = self.desk.rounds.sheet(rater.id)[0]
                self.desk.votes.cast(showing, f"{number} {QUESTION}", judgement(), self.study.criteria)

    def index(self) -> None:
        """A document is added."""
        self.knowledge.add([(self.room / "bags.md", "bags.md")])

    def take_in(self) -> None:
        """Conversations are imported."""
        (found,) = gather([(self.room / "more.jsonl", "more.jsonl")], self.room)
        import_file(self.conversations, found.source, found.recognised, Cleaning())

    def describe(self) -> None:
        """The voice is saved."""
        write_brand(self.company.brand_file, Brand("Acme", instructions="Be kind. " * 2000))

    def install(self) -> None:
        """A training's adapter becomes a version."""
        make_adapter(self.room, self.company)

    def choose(self) -> None:
        """Another version is put in use."""
        make_current(self.company.adapters, "0001")

    def train(self) -> None:
        """A training is started."""
        self.jobs.start("tests.assistant.little_job", {"ending": "finished", "notes": QUESTION})

    def told(self) -> tuple[object, ...]:
        """What is there, by all who know."""
        votes = self.desk.votes.of_study(self.study.id)
        return (
            len([turn for turn in self.chats.everything() if turn.question != QUESTION]),
            [state.name for state in self.knowledge.documents()],
            [found.passage.document for found in self.knowledge.search("water fern").found],
            [file.name for file in self.conversations.files()],
            len(self.conversations.read().conversations),
            read_brand(self.company.brand_file),
            current(self.company.adapters).key,
            [job.key for job in self.jobs.list()],
            all(vote.judgement == votes[0].judgement for vote in votes),
        )


@dataclass(frozen=True)
class Row:
    """A piece of work, and what it says where nothing can be written."""

    work: Callable[[Work], None]
    said: str


NOTHING_LOST = r"could not be changed \(.*room on the disk and leave to write. Nothing was changed"
FREE = "can't be written .*Free some room or mend its permissions, then"
ROWS = {
    "asking": Row(Work.ask, rf"quartet\.db {FREE}"),
    "rating": Row(Work.vote, rf"quartet\.db {FREE}"),
    "indexing": Row(Work.index, NOTHING_LOST),
    "importing": Row(Work.take_in, rf"more\.jsonl {FREE}"),
    "saving the voice": Row(Work.describe, rf"brand\.toml {FREE}"),
    "installing a version": Row(Work.install, rf"adapters {FREE}"),
    "choosing a version": Row(Work.choose, rf"current {FREE}"),
    "starting a training": Row(Work.train, FREE),
}
EACH = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())


@pytest.fixture
def work(disk_company, tmp_path) -> Work:
    return Work(disk_company, tmp_path)


def refused(row: Row, work: Work) -> None:
    with pytest.raises((AssistantError, KnowledgeError)) as caught:
        row.work(work)
    assert re.search(row.said, str(caught.value)), caught.value


@EACH
def test_a_full_disk_is_told_and_work_goes_on_once_there_is_room(row, work, disk):
    before = work.told()
    disk.fill()
    refused(row, work)
    disk.free()
    assert work.told() == before
    again = Work(work.company, work.room)
    assert again.told() == before
    if row.work not in (Work.ask, Work.vote):  # these end with a full disk
        row.work(again)
        assert again.told() != before


@EACH
def test_a_read_only_disk_is_told_and_nothing_is_changed(row, work, disk):
    before = work.told()
    work.database.dispose()  # files that are open stay so; a database is opened anew
    with disk.read_only():
        refused(row, work)
    if row.work is Work.ask:
        assert QUESTION not in [turn.question for turn in work.chats.everything()]
    assert Work(work.company, work.room).told() == before


def test_a_read_only_company_is_not_opened_and_can_be_backed_up(work, disk, tmp_path):
    work.database.dispose()
    with disk.read_only():
        with pytest.raises(AssistantError, match=r"disk is read-only.*`quartet backup` can bring out"):
            open_workspace(work.company.root)
        back_up(work.company, tmp_path / "acme.quartet", lambda text, fraction: None)
    restore(tmp_path / "acme.quartet", tmp_path / "elsewhere", lambda text, fraction: None)
    again = Work(open_workspace(tmp_path / "elsewhere"), tmp_path)
    assert again.told() == Work(work.company, tmp_path).told()


def test_what_is_still_in_the_log_of_a_read_only_database_is_backed_up_too(work, disk, tmp_path):
    work.chats.add_turn(work.chats.new(), "Said last?")
    assert work.company.database.with_name("quartet.db-wal").stat().st_size > 0
    with disk.read_only():
        back_up(work.company, tmp_path / "acme.quartet", lambda text, fraction: None)
    restore(tmp_path / "acme.quartet", tmp_path / "elsewhere", lambda text, fraction: None)
    chats = Chats(open_database(tmp_path / "elsewhere" / "quartet.db"))
    assert chats.latest()[0].first_question == "Said last?"


@pytest.mark.parametrize(
    ("what", "told"),
    [("backup", FREE), ("restore", r"takes \d+ MB restored, and 0 MB are free in .*Free some")],
)
def test_a_full_disk_takes_no_half_of_a_backup(what, told, company, disk, tmp_path):
    made = tmp_path / "acme.quartet"
    back_up(company, made, lambda text, fraction: None)
    disk.fill()
    with pytest.raises(AssistantError, match=told):
        if what == "backup":
            back_up(company, disk.root / "acme.quartet", lambda text, fraction: None)
        else:
            restore(made, disk.root / "acme", lambda text, fraction: None)
    disk.free()
    assert list(disk.root.iterdir()) == []


def test_a_training_is_not_begun_on_a_disk_without_room_for_it(disk):
    with pytest.raises(AssistantError, match=r"has 8 MB left, and this training may need 5\d MB.*Free some"):
        check_room(disk.root, 1000)
