"""Killed at any point, and two processes at once: the index is the old one or the new one, whole."""

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.retrieval import KnowledgeBase
from tests.knowledge.conftest import WordEncoder, Write

KILLS = 20


def in_a_process(work: Callable[[], object]) -> int:
    """Run `work` in a copy of this process; gives the copy's id."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except BaseException:  # noqa: BLE001 - the copy must end here, whatever happened
        os._exit(1)


@pytest.mark.skipif(sys.platform != "linux", reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_in_the_middle_of_a_change_leaves_the_old_or_the_new(
    knowledge: KnowledgeBase, encoder: WordEncoder, write: Write
) -> None:
    pots = write("pots.md", "# Pots\n\nClay pots are red.\n")
    hours = write("hours.md", "# Hours\n\nThe shop opens at nine.\n")
    knowledge.add([pots])
    started = time.monotonic()
    knowledge.add([hours])
    longest = time.monotonic() - started
    knowledge.remove(["hours.md"])
    chance = random.Random(0)
    for _ in range(KILLS):
        child = in_a_process(lambda: KnowledgeBase(knowledge.folder, lambda: encoder).add([hours]))
        time.sleep(longest * (0.5 + 0.7 * chance.random()))  # the first half only reads the file
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        survivor = KnowledgeBase(knowledge.folder, lambda: encoder)
        there = tuple(state.name for state in survivor.documents())
        assert there in {("pots.md",), ("hours.md", "pots.md")}
        assert survivor.notice == ""
        assert {found.passage.document for found in survivor.search("clay pots").found} == set(there)
        if len(there) == 2:
            survivor.remove(["hours.md"])
    knowledge.add([hours])
    assert knowledge.search("shop opens").found[0].passage.document == "hours.md"
    assert sorted(path.name[:1] for path in (knowledge.folder / "versions").iterdir()) == ["0", "0"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_two_processes_that_add_at_once_lose_nothing(
    knowledge: KnowledgeBase, encoder: WordEncoder, write: Write
) -> None:
    files = [write(f"{number}.md", f"# Title {number}\n\nText number {number}.\n") for number in range(6)]

    def add(mine: list[tuple[Path, str]]) -> Callable[[], object]:
        opened = KnowledgeBase(knowledge.folder, lambda: encoder)
        return lambda: [opened.add([file]) for file in mine]

    children = [in_a_process(add(files[:3])), in_a_process(add(files[3:]))]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    assert [state.name for state in knowledge.documents()] == [name for _, name in files]
    assert len(knowledge) == 6
    assert knowledge.notice == ""
