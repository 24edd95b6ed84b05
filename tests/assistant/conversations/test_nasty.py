"""Nasty files of conversations: each settles as the table says, looked at and imported outside of the app."""

import psutil
import pytest

from tests.nasty.conversations import CONVERSATIONS
from tests.nasty.settling import settle_conversations

GROWTH = 40_000_000
"""Bytes that this process may grow by while it has the whole table imported."""


def test_the_table_is_as_long_as_was_asked_for():
    assert len({case.label for case in CONVERSATIONS}) == len(CONVERSATIONS) >= 60


@pytest.mark.parametrize("each", [pytest.param(1, marks=pytest.mark.slow), 4])
def test_every_nasty_file_settles_as_it_should_and_this_process_stays_small(tmp_path, each):
    cases = [case for case in CONVERSATIONS if not case.slow][::each]
    made = [(case, case.make()) for case in cases]
    before = psutil.Process().memory_info().rss
    settled = list(settle_conversations(made, tmp_path))
    assert psutil.Process().memory_info().rss - before < GROWTH
    assert len(settled) >= len(cases)
    assert [case.wrong for case in settled if case.wrong] == []
