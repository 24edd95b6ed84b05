"""Nasty documents: each settles as the table says, and costs the app nothing."""

from pathlib import Path

import psutil

from knowledge.documents import Guard
from tests.nasty.documents import DOCUMENTS
from tests.nasty.settling import settle_document

GROWTH = 40_000_000
"""Bytes that this process may grow by while it has the whole table read."""


def test_the_table_is_as_long_as_was_asked_for() -> None:
    assert len({case.label for case in DOCUMENTS}) == len(DOCUMENTS) >= 60


def test_every_nasty_document_settles_as_it_should_and_this_process_stays_small(tmp_path: Path) -> None:
    quick = [case for case in DOCUMENTS if not case.slow]
    held = {case.label: case.make() for case in quick}  # made before, so that making them counts for nothing
    before = psutil.Process().memory_info().rss
    with Guard() as guard:
        settled = [settle_document(case, held[case.label], guard, tmp_path) for case in quick]
    assert [each.wrong for each in settled if each.wrong] == []
    assert psutil.Process().memory_info().rss - before < GROWTH
