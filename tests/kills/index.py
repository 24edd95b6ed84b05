"""Documents removed, brought back, added, cut otherwise: the index is the old one or the new one, whole."""

from collections import Counter
from pathlib import Path

from knowledge.chunking import CutSettings
from knowledge.retrieval import KnowledgeBase
from tests.fakes import WordEncoder
from tests.kills.course import BrokenError, LostError
from tests.kills.moment import Ending, Say

LONG = "# Pots\n\n" + " ".join(f"Sentence {number} speaks of thing {number}." for number in range(40))
OTHERS = CutSettings(40, 5)
REMOVE, RESTORE, CUT, CUT_BACK, ADD = range(5)


class Index:
    """A knowledge base of two documents; its changes read no file, so that a hundred take little time."""

    ways = 5
    writes = (
        "knowledge/versions.py",
        "knowledge/storage.py",
        "knowledge/originals.py",
        "knowledge/preferences.py",
    )

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "knowledge"
        self._hours, pots = folder / "hours.md", folder / "pots.md"
        self._hours.write_text("# Hours\n\nThe shop opens at nine.\n")
        pots.write_text(LONG)
        self._open().add([(pots, pots.name), (self._hours, self._hours.name)])

    def ready(self, way: int) -> None:
        """Both documents are there, or one was just removed; passages are cut otherwise than they will be."""
        base = self._open()
        there = len(base.documents()) == 2
        if way == REMOVE and not there:
            base.restore(["hours.md"])
        elif way in (RESTORE, ADD) and there:
            base.remove(["hours.md"])
        elif way in (CUT, CUT_BACK) and base.settings != (CutSettings() if way == CUT else OTHERS):
            self._cut(base, CutSettings() if way == CUT else OTHERS)
        self._before = _told(base)

    def work(self, way: int, say: Say) -> None:
        """One change, as another process makes it."""
        base = self._open()
        if way == REMOVE:
            base.remove(["hours.md"])
        elif way == RESTORE:
            base.restore(["hours.md"])
        elif way == ADD:
            base.add([(self._hours, self._hours.name)])
        else:
            self._cut(base, OTHERS if way == CUT else CutSettings())
        say("changed")

    def check(self, way: int, ending: Ending) -> bool:
        """Whole, and nothing had to be mended."""
        base = self._open()
        _check_whole(base)
        new = _told(base) != self._before
        if ending.said and not new:
            raise LostError("the change was done, and is not there")
        return new

    def _open(self) -> KnowledgeBase:
        return KnowledgeBase(self._folder, WordEncoder)

    def _cut(self, base: KnowledgeBase, settings: CutSettings) -> None:
        base.change_settings(settings)
        base.renewal.wait()


def _told(base: KnowledgeBase) -> tuple[object, ...]:
    """What a knowledge base says of itself."""
    return base.settings, [(state.name, state.passages) for state in base.documents()]


def _check_whole(base: KnowledgeBase) -> None:
    """Whether the list, the passages, the documents and the search tell the same story."""
    base.search("shop thing")
    base.renewal.wait()  # settings that were chosen before the kill have been made good
    listed = {state.name: state.passages for state in base.documents()}
    found = base.search("shop thing", count=1000).found
    if base.notice or Counter(each.passage.document for each in found) != listed:
        raise BrokenError(f"{base.notice!r}: {listed} are listed, {len(found)} passages found")
    texts = {name: base.text(name) for name in listed}
    for each in found:
        passage = each.passage
        if texts[passage.document][passage.start : passage.end] != passage.text:
            raise BrokenError(f"{passage.id} is not what its document says")
