"""Backups made and brought back: a file or folder that is whole, or none, and the company as it was."""

import shutil
from pathlib import Path

from assistant.backup import back_up, restore
from assistant.brand import Brand, write_brand
from assistant.chats import Chats
from assistant.store import open_database
from assistant.workspace import open_workspace
from tests.kills.course import BrokenError, LostError
from tests.kills.moment import Ending, Say

BACK_UP, RESTORE = range(2)


def _quiet(_text: str, _fraction: float) -> None:
    """Nobody follows."""


class Backup:
    """A company with a voice, a chat and some documents."""

    ways = 2
    writes = ("assistant/backup.py",)

    def __init__(self, folder: Path) -> None:
        self._room = folder
        self._workspace = open_workspace(folder / "acme")
        write_brand(self._workspace.brand_file, Brand("Acme"))
        for number in range(5):
            (self._workspace.knowledge / f"{number}.md").write_text(f"# Title {number}\n\n" + "Words. " * 500)
        database = open_database(self._workspace.database)
        chats = Chats(database)
        chats.add_turn(chats.new(), "Q?")
        database.dispose()
        self._sound = folder / "sound.quartet"
        back_up(self._workspace, self._sound, _quiet)
        self._files = _files(self._workspace.root)

    def ready(self, way: int) -> None:
        """Neither the new backup nor the restored company is there."""
        self._made, self._restored = self._room / "made.quartet", self._room / "restored"
        self._made.unlink(missing_ok=True)
        shutil.rmtree(self._restored, ignore_errors=True)

    def work(self, way: int, say: Say) -> None:
        """Back up, or bring back."""
        if way == BACK_UP:
            back_up(self._workspace, self._made, _quiet)
        else:
            restore(self._sound, self._restored, _quiet)
        say("done")

    def check(self, way: int, ending: Ending) -> bool:
        """What is there is whole; where nothing is, the same work comes through now."""
        there = (self._made if way == BACK_UP else self._restored).exists()
        if ending.said and not there:
            raise LostError("it was done, and is not there")
        if not there:
            self.work(way, lambda text: None)
        if way == BACK_UP:
            restore(self._made, self._restored, _quiet)
        if _files(self._restored) != self._files:
            raise BrokenError("what was restored is not what was backed up")
        if _files(self._workspace.root) != self._files:
            raise BrokenError("the company has changed")
        return there


def _files(root: Path) -> dict[str, bytes]:
    """Every file but the database, and every row of that."""
    database = open_database(root / "quartet.db")
    turns = [turn.question for turn in Chats(database).everything()]
    database.dispose()
    paths = [path for path in root.rglob("*") if path.is_file() and not path.name.startswith("quartet.db")]
    found = {str(path.relative_to(root)): path.read_bytes() for path in paths}
    return {**found, "turns": repr(turns).encode()}
