"""A company that has something of everything."""

import sqlite3
from contextlib import closing
from pathlib import Path

from assistant.adapters import FILES, Lineage, install
from assistant.brand import Brand, write_brand
from assistant.chats import Chats
from assistant.conversations import Cleaning, ConversationStore, import_file
from assistant.conversations.gathering import gather
from assistant.ratings import Desk
from assistant.store import open_database
from assistant.workspace import Workspace, open_workspace, write_json
from knowledge.retrieval import KnowledgeBase
from tests.fakes import WordEncoder
from tests.studies import opened

LINEAGE = Lineage("paper", "", "", "", "", {}, (), 1.0, 1, 1, 1, 0, "2026-01-01T00:00:00+00:00")
JOB = "20260101-000000-training"
GUIDE = "# Water\n\nWater the fern once a week."


def make_company(room: Path) -> Path:
    """A voice, a chat, a study with raters, a document, conversations, two adapters and an ended training."""
    company = open_workspace(room / "acme")
    write_brand(company.brand_file, Brand("Acme", tone="Plain."))
    database = open_database(company.database)
    chats = Chats(database)
    chats.add_turn(chats.new(), "How often to water?")
    opened(Desk.of(database))
    database.dispose()
    (room / "guide.md").write_text(GUIDE)
    KnowledgeBase(company.knowledge, WordEncoder).add([(room / "guide.md", "guide.md")])
    _import(company, room)
    for _ in range(2):
        make_adapter(room, company)
    write_json(
        company.jobs / JOB / "job.json",
        {"module": "assistant.training", "created": "2026-01-01T00:00:00+00:00"},
    )
    (company.jobs / JOB / "log.jsonl").write_text('{"event": "finished", "adapter": "0001"}\n')
    with closing(sqlite3.connect(company.database)) as connection:  # the log goes into the file
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return company.root


def chats_file(folder: Path, name: str = "tickets.jsonl", edition: int = 1) -> Path:
    """An export of three conversations."""
    line = '{"messages": [{"role": "user", "content": "%s?"}, {"role": "assistant", "content": "%s."}]}\n'
    words = ("How long may lavender stand", "Where do orders leave", "Why are my leaves all yellow")
    text = "".join(line % (f"{each} {edition}", f"That is told by {each.lower()}") for each in words)
    (folder / name).write_text(text)
    return folder / name


def _import(company: Workspace, room: Path) -> None:
    (found,) = gather([(chats_file(room), "tickets.jsonl")], room)
    assert found.recognised is not None
    import_file(ConversationStore(company.conversations), found.source, found.recognised, Cleaning())


def make_adapter(room: Path, company: Workspace | None = None) -> None:
    """What a training leaves; installed, where a company is named."""
    for name in FILES:
        (room / name).write_text("{}" + " " * 100)
    if company:
        install(company.adapters, room, LINEAGE)
