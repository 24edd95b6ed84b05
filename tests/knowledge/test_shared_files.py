"""Real files that nobody here made."""

import csv
from pathlib import Path

import pytest

from knowledge.documents import SUFFIXES, Guard
from knowledge.errors import KnowledgeError

FILES = Path(__file__).parents[3] / "shared" / "data" / "files"
SAMPLE = 14


@pytest.mark.skipif(not FILES.is_dir(), reason="the sample files are not here")
def test_real_files_are_read_or_refused_as_their_list_says() -> None:
    with (FILES / "manifest.csv").open(encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table) if Path(row["name"]).suffix in SUFFIXES]
    outcomes = {}
    with Guard() as guard:
        for row in rows[:: len(rows) // SAMPLE]:
            try:
                document = guard.read(FILES / row["name"], row["name"])
                letters = sum(not letter.isspace() for letter in document.text)
                outcomes[row["name"]] = ("ok", letters >= 0.7 * int(row["chars"]))
            except KnowledgeError as refusal:
                kind = "encrypted" if "locked with a password" in str(refusal) else "no_text"
                outcomes[row["name"]] = (kind, True)
    expected = {row["name"]: (row["status"], True) for row in rows if row["name"] in outcomes}
    assert outcomes == expected
