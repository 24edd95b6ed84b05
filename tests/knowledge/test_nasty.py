"""Nasty documents: each settles as the table says, and costs the app nothing."""

from pathlib import Path

import psutil
import pytest

from knowledge.documents import Guard
from tests.nasty.documents import DOCUMENTS
from tests.nasty.settling import settle_document

GROWTH = 40_000_000
"""Bytes that this process may grow by while it has the whole table read."""


def test_the_table_is_as_long_as_was_asked_for() -> None:
    assert len({case.label for case in DOCUMENTS}) == len(DOCUMENTS) >= 60


@pytest.mark.parametrize("each", [pytest.param(1, marks=pytest.mark.slow), 4])
def test_every_nasty_document_settles_as_it_should_and_this_process_stays_small(
    tmp_path: Path, each: int
) -> None:
    cases = [case for case in DOCUMENTS if not case.slow][::each]
    held = {case.label: case.make() for case in cases}  # made before, so that making them counts for nothing
    before = psutil.Process().memory_info().rss
    with Guard() as guard:
        settled = [settle_document(case, held[case.label], guard, tmp_path) for case in cases]
    assert [case.wrong for case in settled if case.wrong] == []
    assert psutil.Process().memory_info().rss - before < GROWTH
