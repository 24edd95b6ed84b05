"""Killed at any point, and two processes at once: the index is the old one or the new one, whole."""

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.chunking import CutSettings
from knowledge.retrieval import KnowledgeBase
from tests.knowledge.conftest import WordEncoder, Write

KILLS = 10
LONG = "# Pots\n\n" + " ".join(f"Sentence {number} speaks of thing {number}." for number in range(40))


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


def took(work: Callable[[], object]) -> float:
    """The seconds that `work` takes in a copy of this process, the copying too: the larger, the longer."""
    started = time.monotonic()
    assert os.waitstatus_to_exitcode(os.waitpid(in_a_process(work), 0)[1]) == 0
    return time.monotonic() - started


CHANGES: dict[str, Callable[[KnowledgeBase], object]] = {
    "remove": lambda base: base.remove(["hours.md"]),
    "restore": lambda base: base.restore(["hours.md"]),
    "other settings": lambda base: (base.change_settings(CutSettings(40, 5)), base.renewal.wait()),
    "as before": lambda base: (base.change_settings(CutSettings()), base.renewal.wait()),
}
"""Changes that need no file read, so that a hundred of them take little time."""


@pytest.mark.skipif(sys.platform != "linux", reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_a_hundred_times_the_index_is_the_old_or_the_new(
    knowledge: KnowledgeBase, encoder: WordEncoder, write: Write
) -> None:
    knowledge.add([write("pots.md", LONG), write("hours.md", "# Hours\n\nThe shop opens at nine.\n")])
    longest = {
        name: took(lambda change=change: change(KnowledgeBase(knowledge.folder, lambda: encoder)))
        for name, change in CHANGES.items()
    }
    chance = random.Random(0)
    outcomes: Counter[bool] = Counter()
    for kill in range(100):
        name = list(CHANGES)[kill % len(CHANGES)]
        before = told(KnowledgeBase(knowledge.folder, lambda: encoder))
        change = CHANGES[name]
        child = in_a_process(lambda change=change: change(KnowledgeBase(knowledge.folder, lambda: encoder)))
        time.sleep(longest[name] * 1.1 * chance.random())
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        survivor = KnowledgeBase(knowledge.folder, lambda: encoder)
        check_whole(survivor)
        outcomes[told(survivor) != before] += 1
        if name == "restore" and len(survivor.documents()) == 1:
            survivor.restore(["hours.md"])
        if name == "remove" and len(survivor.documents()) == 2:
            survivor.remove(["hours.md"])
    assert min(outcomes[True], outcomes[False]) > 10  # some came through, some did not


def told(base: KnowledgeBase) -> tuple[object, ...]:
    """What a knowledge base says of itself."""
    return base.settings, [(state.name, state.passages) for state in base.documents()]


def check_whole(base: KnowledgeBase) -> None:
    """Whether the list, the passages, the documents and the search tell the same story."""
    listed = {state.name: state.passages for state in base.documents()}
    version, found = base.version, base.search("shop thing", count=1000).found
    base.renewal.wait()
    if base.version != version:  # what was chosen before the kill has been made good
        listed = {state.name: state.passages for state in base.documents()}
        found = base.search("shop thing", count=1000).found
    assert base.notice == ""
    assert Counter(each.passage.document for each in found) == listed
    for each in found:
        passage = each.passage
        assert base.text(passage.document)[passage.start : passage.end] == passage.text


@pytest.mark.skipif(sys.platform != "linux", reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_in_the_middle_of_a_change_leaves_the_old_or_the_new(
    knowledge: KnowledgeBase, encoder: WordEncoder, write: Write
) -> None:
    pots = write("pots.md", "# Pots\n\nClay pots are red.\n")
    hours = write("hours.md", "# Hours\n\nThe shop opens at nine.\n")
    knowledge.add([pots])
    longest = took(lambda: KnowledgeBase(knowledge.folder, lambda: encoder).add([hours]))
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
