"""Killed at any point, and two processes at once: the index is the old one or the new one, whole."""

import subprocess
import sys
from pathlib import Path

import pytest

from knowledge.retrieval import KnowledgeBase
from tests.kills.course import apart
from tests.knowledge.conftest import Write

ADDING = """
import sys
from pathlib import Path
from knowledge.retrieval import KnowledgeBase
from tests.fakes import WordEncoder
base = KnowledgeBase(Path(sys.argv[1]), WordEncoder)
for path in map(Path, sys.argv[2:]):
    base.add([(path, path.name)])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs fork")
@pytest.mark.parametrize("kills", [30, pytest.param(200, marks=pytest.mark.slow)])
def test_killed_again_and_again_the_index_is_the_old_or_the_new(tmp_path: Path, kills: int) -> None:
    tally = apart("index", tmp_path, kills=kills)
    assert (tally.lost, tally.broken) == (0, 0), tally.told
    assert tally.killed >= kills // 2
    assert kills // 10 < tally.new < kills * 9 // 10  # some came through, some did not


def test_two_processes_that_add_at_once_lose_nothing(knowledge: KnowledgeBase, write: Write) -> None:
    files = [write(f"{number}.md", f"# Title {number}\n\nText number {number}.\n") for number in range(6)]
    command = [sys.executable, "-c", ADDING, str(knowledge.folder)]
    adders = [
        subprocess.Popen([*command, *(str(path) for path, _ in mine)], cwd=Path(__file__).parents[2])
        for mine in (files[:3], files[3:])
    ]
    assert [adder.wait(120) for adder in adders] == [0, 0]
    assert [state.name for state in knowledge.documents()] == [name for _, name in files]
    assert len(knowledge) == 6
    assert knowledge.notice == ""
