"""Files of a company with other bytes than were written: what each is, and what the doctor makes of it."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from assistant.workspace import Workspace
from tests.faults.company import JOB


@dataclass(frozen=True)
class Damage:
    """What is done to a company; what the doctor then says of what, in which state."""

    strike: Callable[[Workspace], object]
    what: str
    state: str
    said: str
    """A regular expression: what is wrong and what to do, or what was done about it."""
    opens: bool = True
    """Whether the company can still be opened."""


def flip(path: Path) -> None:
    """Change one byte in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x55
    path.write_bytes(data)


def cut(path: Path) -> None:
    """Lose the last third."""
    data = path.read_bytes()
    path.write_bytes(data[: 2 * len(data) // 3])


def junk(path: Path) -> None:
    """Hold something else altogether."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\xff\xfejunk{" * 40)


def other_shape(path: Path) -> None:
    """Hold JSON, but not what belongs there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")


def flip_pages(path: Path) -> None:
    """Change bytes on every page of a database but its first."""
    data = bytearray(path.read_bytes())
    for place in range(4096, len(data), 512):
        data[place] ^= 0xFF
    path.write_bytes(data)


def newer(path: Path) -> None:
    """Say that a later Quartet wrote it."""
    path.write_text(json.dumps({"version": 99}))


def newer_database(path: Path) -> None:
    """Say that a later Quartet wrote it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def index(company: Workspace, name: str) -> Path:
    """A file of the index in force."""
    return company.knowledge / "versions" / (company.knowledge / "current").read_text() / name


def stored(company: Workspace) -> Path:
    """The stored copy of the document."""
    (path,) = company.knowledge.glob("files/*/guide.md")
    return path


BUILT = r"1 document, 1 passage, .*built again from the stored documents"
ABOUT = ".about/tickets.jsonl.json"
DAMAGES = {
    "workspace: junk": Damage(
        lambda c: junk(c.root / "workspace.json"),
        "workspace",
        "wrong",
        "workspace.json is not valid JSON .* from a backup",
        opens=False,
    ),
    "workspace: newer": Damage(
        lambda c: newer(c.root / "workspace.json"), "workspace", "wrong", "Update Quartet", opens=False
    ),
    "database: junk": Damage(
        lambda c: junk(c.database), "database", "wrong", "not a database.*Move it aside", opens=False
    ),
    "database: cut off": Damage(
        lambda c: cut(c.database), "database", "wrong", r"malformed.*from a backup", opens=False
    ),
    "database: bytes flipped": Damage(
        lambda c: flip_pages(c.database), "database", "wrong", "malformed.*aside", opens=False
    ),
    "database: newer": Damage(
        lambda c: newer_database(c.database), "database", "wrong", "has version 99.*Update", opens=False
    ),
    "voice: junk": Damage(
        lambda c: junk(c.brand_file), "company", "wrong", "brand.toml is not valid TOML.*Correct the file"
    ),
    "voice: newer": Damage(
        lambda c: c.brand_file.write_text('version = 99\nname = "Acme"\n'),
        "company",
        "wrong",
        "version is 99.*Update",
    ),
    "index: pointer junk": Damage(lambda c: junk(c.knowledge / "current"), "documents", "mended", BUILT),
    "index: pointer empty": Damage(
        lambda c: (c.knowledge / "current").write_text(""), "documents", "mended", BUILT
    ),
    "index: pointer to nothing": Damage(
        lambda c: (c.knowledge / "current").write_text("0099"), "documents", "mended", BUILT
    ),
    "index: manifest flipped": Damage(
        lambda c: flip(index(c, "manifest.json")), "documents", "mended", BUILT
    ),
    "index: passages flipped": Damage(
        lambda c: flip(index(c, "passages.jsonl")), "documents", "mended", BUILT
    ),
    "index: vectors flipped": Damage(lambda c: flip(index(c, "vectors.faiss")), "documents", "mended", BUILT),
    "index: vectors gone": Damage(lambda c: index(c, "vectors.faiss").unlink(), "documents", "mended", BUILT),
    "index: newer": Damage(
        lambda c: newer(index(c, "manifest.json")), "documents", "wrong", "by a newer version of Quartet"
    ),
    "vectors paid for: junk": Damage(
        lambda c: junk(c.knowledge / "vectors.sqlite"), "documents", "fine", "1 document, 1 passage"
    ),
    "cut settings: junk": Damage(
        lambda c: junk(c.knowledge / "settings.json"),
        "documents",
        "wrong",
        "Remove it to go on",
    ),
    "followed folders: junk": Damage(
        lambda c: junk(c.knowledge / "folders.json"),
        "document files",
        "wrong",
        "Remove it and name the folders again",
    ),
    "document: byte flipped": Damage(
        lambda c: flip(stored(c)), "document files", "wrong", r"guide\.md has changed.*Add the document again"
    ),
    "document: gone": Damage(
        lambda c: stored(c).unlink(), "document files", "wrong", r"guide\.md is gone.*Add it again"
    ),
    "conversations: cut off": Damage(
        lambda c: cut(c.conversations / "tickets.jsonl"),
        "conversations",
        "wrong",
        "tickets.jsonl has lines that can't be read.*Add the export again",
    ),
    "conversations: junk": Damage(
        lambda c: junk(c.conversations / "tickets.jsonl"), "conversations", "wrong", "tickets.jsonl"
    ),
    "import's notes: junk": Damage(
        lambda c: junk(c.conversations / ABOUT), "conversations", "wrong", "not valid JSON.*backup"
    ),
    "import's notes: other shape": Damage(
        lambda c: other_shape(c.conversations / ABOUT), "conversations", "wrong", "something else.*backup"
    ),
    "edits: junk": Damage(
        lambda c: junk(c.conversations / ".changes.json"), "conversations", "wrong", "not valid JSON.*backup"
    ),
    "edits: other shape": Damage(
        lambda c: other_shape(c.conversations / ".changes.json"), "conversations", "wrong", "something else"
    ),
    "waiting imports: junk": Damage(
        lambda c: junk(c.incoming / "plan.json"), "conversations", "wrong", "Drop them again"
    ),
    "closer look: junk": Damage(
        lambda c: junk(c.conversations / ".closer.json"), "conversations", "fine", "3 conversations"
    ),
    "adapter: weights flipped": Damage(
        lambda c: flip(c.adapters / "0002" / "adapter_model.safetensors"),
        "version 0002",
        "wrong",
        "has changed since it was installed.*Use another version",
    ),
    "adapter: lineage junk": Damage(
        lambda c: junk(c.adapters / "0002" / "lineage.json"), "current version", "wrong", "not valid JSON"
    ),
    "adapter: newer": Damage(
        lambda c: newer(c.adapters / "0002" / "lineage.json"), "current version", "wrong", "Update Quartet"
    ),
    "adapter: in use is gone": Damage(
        lambda c: shutil.rmtree(c.adapters / "0002"),
        "current version",
        "wrong",
        r"'0002' is in use; there are: 0001\. Use another version .*`quartet version use`",
    ),
    "adapter: pointer junk": Damage(
        lambda c: junk(c.adapters / "current"), "current version", "wrong", "there are: 0002, 0001"
    ),
    "edits: newer": Damage(
        lambda c: newer(c.conversations / ".changes.json"), "conversations", "wrong", "Update Quartet"
    ),
    "import's notes: newer": Damage(
        lambda c: newer(c.conversations / ABOUT), "conversations", "wrong", "Update Quartet"
    ),
    "followed folders: newer": Damage(
        lambda c: newer(c.knowledge / "folders.json"), "document files", "wrong", "Update Quartet"
    ),
    "adapter: report newer": Damage(
        lambda c: newer(c.adapters / "0002" / "report.json"), "version 0002", "wrong", "Update Quartet"
    ),
    "adapter: report other shape": Damage(
        lambda c: other_shape(c.adapters / "0002" / "report.json"), "version 0002", "wrong", "something else"
    ),
    "training: description junk": Damage(
        lambda c: junk(c.jobs / JOB / "job.json"),
        "trainings",
        "wrong",
        "not valid JSON.*others? .*go on|go on",
    ),
    "training: description of other shape": Damage(
        lambda c: other_shape(c.jobs / JOB / "job.json"), "trainings", "wrong", "something else"
    ),
    "training: log junk": Damage(
        lambda c: (c.jobs / JOB / "log.jsonl").write_bytes(b'\xff[]\n[1]\n"x"\n{"event": 3}\n'),
        "trainings",
        "fine",
        f"{JOB} was cut off",
    ),
    "audit log: junk": Damage(lambda c: junk(c.audit_log), "workspace", "fine", "acme"),
    "demo's note: junk": Damage(lambda c: junk(c.root / "demo.json"), "workspace", "fine", "acme"),
}
"""All of a company's files that are read again, each struck in the ways that are read differently."""
