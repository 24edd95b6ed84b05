"""Killed at random moments, an import, a chat and a backup lose nothing that was done and break nothing.

`python -m tests.benchmarks.kills` does so two hundred times, with training and rating too.
"""

import sys

import pytest

from tests.kills.course import apart


@pytest.mark.skipif(sys.platform != "linux", reason="needs fork")
@pytest.mark.parametrize(
    ("victim", "kills"),
    [("import", 2), ("chat", 4), ("backup", 4)]
    + [pytest.param(victim, 16, marks=pytest.mark.slow) for victim in ("import", "chat", "backup")],
)
def test_what_was_done_stays_and_what_was_not_is_not_there_by_half(victim, kills, tmp_path):
    tally = apart(victim, tmp_path, kills=kills, seed=3)
    assert (tally.lost, tally.broken) == (0, 0), tally.told
    assert tally.killed >= kills // 2  # half of the kills fall at the very line


@pytest.mark.skipif(sys.platform != "linux", reason="needs fork")
def test_work_that_can_be_left_half_done_or_says_too_much_is_found_out(tmp_path):
    tally = apart("halves", tmp_path, kills=24)
    assert tally.broken > 0 and tally.lost > 0
    assert len(tally.told) == tally.broken + tally.lost
