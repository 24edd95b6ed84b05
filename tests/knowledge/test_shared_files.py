"""Real files that nobody here made."""

import csv
from pathlib import Path

import pytest

from knowledge.documents import Guard
from knowledge.errors import KnowledgeError

FILES = Path(__file__).parents[3] / "shared" / "data" / "files"
KINDS = {"locked with a password": "encrypted", "holds no text": "no_text"}


def outcome(guard: Guard, name: str) -> tuple[str, int]:
    """What became of a file, and how many letters were read."""
    try:
        document = guard.read(FILES / name, name)
    except KnowledgeError as refusal:
        return next(kind for words, kind in KINDS.items() if words in str(refusal)), 0
    return "ok", sum(not letter.isspace() for letter in document.text)


@pytest.mark.skipif(not FILES.is_dir(), reason="the sample files are not here")
def test_real_files_are_read_or_refused_as_their_list_says() -> None:
    with (FILES / "manifest.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) > 50
    with Guard() as guard:
        outcomes = {row["name"]: outcome(guard, row["name"]) for row in rows}
    assert {name: status for name, (status, _) in outcomes.items()} == {
        row["name"]: row["status"] for row in rows
    }
    counted = [
        row for row in rows if row["status"] == "ok" and row["chars"] != row["bytes"]
    ]  # of some kinds the list tells bytes only
    assert [row["name"] for row in counted if outcomes[row["name"]][1] < 0.55 * int(row["chars"])] == []
