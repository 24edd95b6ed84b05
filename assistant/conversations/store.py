"""A company's conversation files, kept by name in one folder, with what is known of their import beside them.

It knows files and their removal. Each holds a conversation a line (`reading.py`), whatever its name ends in.
"""

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assistant.conversations.about import VERSION, About
from assistant.conversations.changes import Changes
from assistant.conversations.closer import CloserLook
from assistant.conversations.kept import KeptConversations
from assistant.conversations.lines import Lines, keep_lines, look_through, remembered_lines, stamp_of
from assistant.conversations.model import Reading, Refusal
from assistant.conversations.reading import read_conversations
from assistant.errors import AssistantError, misshapen
from assistant.workspace import read_json, refuse_newer, write_bytes, write_json

CHANGES, ABOUT, REMOVED, CLOSER = ".changes.json", ".about", ".removed", ".closer.json"
"""What is kept beside the files: what a person changed, what is known of imports, files that were removed,
and what a closer look found."""


@dataclass(frozen=True)
class FileSummary:
    """A kept file in numbers; `added` is an ISO time in UTC, `about` its import where there was one."""

    name: str
    conversations: int
    refused: int
    bytes: int
    added: str
    about: About | None = None


@dataclass(frozen=True)
class KeptReading(Reading):
    """What all kept files hold, read from them as it is asked for."""

    conversations: KeptConversations
    refused: tuple[Refusal, ...]
    excluded: KeptConversations


class ConversationStore:
    """A company's conversation files, kept by name in one folder; removed ones can be brought back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.changes = Changes(folder / CHANGES)
        self._removed = folder / REMOVED
        self._lines: dict[str, tuple[tuple[int, int], Lines]] = {}
        self._whole: tuple[str, KeptReading] | None = None

    def add(self, path: Path, name: str) -> Reading:
        """Keep a copy of a file that holds a conversation a line, as it is, in place of one of that name.

        Raises:
            AssistantError: it holds no usable conversation, is there already, or its name can't be used.
        """
        name = checked_name(name)
        reading = read_conversations(path, name)
        if not reading.conversations:
            raise AssistantError(
                f"{name} has no usable conversation ({len(reading.refused)} lines refused). "
                f"The first: {reading.refused[0].text}"
            )
        twin = self.twin(path)
        if twin:
            known = f"{name} is already there" + (f" as {twin}" if twin != name else "")
            raise AssistantError(f"{known}, byte for byte the same file. Nothing was added.")
        write_bytes(self.folder / name, path.read_bytes())
        self._about_path(name).unlink(missing_ok=True)
        self.changes.forget(name)
        return reading

    def keep(
        self, made: Path, name: str, about: About, each: Callable[[int], None] = lambda number: None
    ) -> None:
        """Take over a file that an import made (it is moved), in place of an earlier one of that name.

        Killed at any point, the earlier file stays with all that is known of it, or the new one is there.

        Args:
            made: the file.
            name: what it is called.
            about: its import.
            each: told the number of a line now and then, as the file is looked through; may raise to end it.
        """
        keep_lines(look_through(made, name, each), self._lines_path(checked_name(name)))
        write_json(self._coming(checked_name(name)), {"file": digest_of(made), "about": about.to_json()})
        made.replace(self.folder / name)
        self._settle(name)

    def twin(self, *paths: Path) -> str | None:
        """The name of the kept file that is, or was made from, those at `paths`; None if there is none."""
        digest = digest_of(*paths)
        for there in self._paths():
            about = self._about(there.name)
            if (about.digest if about else digest_of(there)) == digest:
                return there.name
        return None

    def files(self) -> list[FileSummary]:
        """The kept files by name."""
        return [self._summary(path) for path in self._paths()]

    def read(self) -> KeptReading:
        """All conversations of all files as a person left them, those taken out, and all refused lines."""
        stamp = self.stamp
        if self._whole is None or self._whole[0] != stamp:
            self._whole = (stamp, self._read())
        return self._whole[1]

    @property
    def stamp(self) -> str:
        """Names the conversations as they are now; another one where anything was changed."""
        state = [[path.name, *stamp_of(path)] for path in self._paths()]
        return hashlib.sha256(json.dumps([state, self.changes.stamp]).encode()).hexdigest()[:16]

    def closer_look(self) -> CloserLook | None:
        """What the last closer look found; None where there was none, or its file is damaged: look again."""
        try:
            return CloserLook.of(read_json(self.folder / CLOSER))
        except (AssistantError, KeyError, TypeError, ValueError):
            return None

    def keep_look(self, look: CloserLook) -> None:
        """Keep what a closer look found."""
        write_json(self.folder / CLOSER, look.to_json())

    def remove(self, name: str) -> None:
        """Take a file out; `restore` brings it back."""
        self._move(self.folder / checked_name(name), self._removed / name, "Choose one of the list.")
        self._lines_path(name).unlink(missing_ok=True)
        self._move_about(self._about_path(name), self._removed / ABOUT / f"{name}.json")

    def restore(self, name: str) -> None:
        """Bring back a file that `remove` took out."""
        there = self.folder / checked_name(name)
        if there.exists():
            raise AssistantError(
                f"A file named {name} is there already. Remove it first, then restore the old one."
            )
        self._move(self._removed / name, there, "Add the file again.")
        self._move_about(self._removed / ABOUT / f"{name}.json", self._about_path(name))

    def _read(self) -> KeptReading:
        paths = self._paths()
        every = KeptConversations([self._lines_of(path) for path in paths], self.changes.edited())
        out = self.changes.excluded()
        refused = tuple(refusal for path in paths for refusal in self._refused(path))
        return KeptReading(every.without(out), refused, every.only(out))

    def _move(self, origin: Path, target: Path, advice: str) -> None:
        if not origin.is_file():
            raise AssistantError(f"There is no file named {origin.name} here. {advice}")
        target.parent.mkdir(parents=True, exist_ok=True)
        origin.replace(target)

    def _move_about(self, origin: Path, target: Path) -> None:
        target.unlink(missing_ok=True)
        if origin.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            origin.replace(target)

    def _paths(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(
            path for path in self.folder.iterdir() if path.is_file() and not path.name.startswith(".")
        )

    def _about_path(self, name: str) -> Path:
        return self.folder / ABOUT / f"{name}.json"

    def _lines_path(self, name: str) -> Path:
        return self.folder / ABOUT / f"{name}.lines"

    def _coming(self, name: str) -> Path:
        """Where that what is known of an import waits until its file is there."""
        return self.folder / ABOUT / f"{name}.coming"

    def _settle(self, name: str) -> None:
        """Once an import's file has come, put in force what is known of it and drop the earlier's changes."""
        path = self._coming(name)
        with suppress(FileNotFoundError):  # it is settled, as is nearly always so, or just being settled
            coming = json.loads(path.read_bytes())
            if coming["file"] == digest_of(self.folder / name):
                self.changes.forget(name)
                write_json(self._about_path(name), coming["about"])
                path.unlink()

    def _about(self, name: str) -> About | None:
        self._settle(name)
        path = self._about_path(name)
        if not path.exists():
            return None
        values = read_json(path)
        refuse_newer(path, values, VERSION)
        try:
            return About.of(values)
        except (KeyError, TypeError, AttributeError) as problem:
            raise misshapen(path, problem) from problem

    def _lines_of(self, path: Path) -> Lines:
        """The usable lines of a file: known, or remembered, or looked for and remembered from then on."""
        stamp = stamp_of(path)
        known = self._lines.get(path.name)
        if known is None or known[0] != stamp:
            lines = remembered_lines(path, self._lines_path(path.name))
            if lines is None:
                lines = look_through(path)
                keep_lines(lines, self._lines_path(path.name))
            known = self._lines[path.name] = (stamp, lines)
        return known[1]

    def _refused(self, path: Path) -> tuple[Refusal, ...]:
        """What its import refused; a line that an import wrote and that can't be read now is damaged."""
        about = self._about(path.name)
        return (about.refusals if about else ()) + self._lines_of(path).refused

    def _summary(self, path: Path) -> FileSummary:
        lines, status, about = self._lines_of(path), path.stat(), self._about(path.name)
        added = datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds")
        refused = len(lines.refused) + (about.refused if about else 0)
        return FileSummary(path.name, len(lines), refused, status.st_size, added, about)


def digest_of(*paths: Path) -> str:
    """sha256 of files, one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def checked_name(name: str) -> str:
    """The name, if a file can be kept under it.

    Raises:
        AssistantError: it can't.
    """
    if (
        not name
        or name.startswith(".")
        or re.search(r'[\x00-\x1f/\\:*?"<>|]', name)
        or len(name.encode()) > 200
    ):
        raise AssistantError(
            f"The file name {name!r} can't be used; it may hold no path and not begin with a dot. Rename it."
        )
    return name
