"""Work that does what is not allowed, so that the tests see that it is found out."""

from pathlib import Path

from assistant.workspace import write_text
from tests.kills.course import BrokenError, LostError
from tests.kills.moment import Ending, Say

TWO_FILES, TOO_EARLY = range(2)


class Halves:
    """Two files that belong together, written one by one; and one that is said to be there too early."""

    ways = 2
    writes = ("assistant/workspace.py",)

    def __init__(self, folder: Path) -> None:
        self._files = (folder / "one", folder / "two")
        self._edition = 0

    def ready(self, way: int) -> None:
        """Both files are of the last edition."""
        for path in self._files:
            path.write_text(str(self._edition))
        self._edition += 1

    def work(self, way: int, say: Say) -> None:
        """Write the next edition."""
        if way == TOO_EARLY:
            say("written")
        for path in self._files if way == TWO_FILES else self._files[:1]:
            write_text(path, str(self._edition))

    def check(self, way: int, ending: Ending) -> bool:
        """Both files are of one edition; the new one where it was said to be written."""
        one, two = (path.read_text() for path in self._files)
        if ending.said and one != str(self._edition):
            raise LostError(f"edition {self._edition} was written, and {one} is there")
        if way == TWO_FILES and one != two:
            raise BrokenError(f"edition {one} is beside edition {two}")
        return one == str(self._edition)
