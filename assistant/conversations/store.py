"""A company's conversation files, kept by name in one folder.

It knows files and their removal. It does not know what a line means (`reading.py`).
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assistant.conversations.reading import Reading, read_conversations
from assistant.errors import AssistantError
from assistant.workspace import write_bytes


@dataclass(frozen=True)
class FileSummary:
    """A kept file in numbers; `added` is an ISO time in UTC."""

    name: str
    conversations: int
    refused: int
    bytes: int
    added: str


class ConversationStore:
    """A company's conversation files, kept by name in one folder; removed ones can be brought back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._removed = folder / ".removed"
        self._readings: dict[str, tuple[tuple[int, int], Reading]] = {}

    def add(self, path: Path, name: str) -> Reading:
        """Keep a copy of the file under `name`, in place of an earlier one of that name.

        Raises:
            AssistantError: it holds no usable conversation, is there already, or its name can't be used.
        """
        name = _checked_name(name)
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
        write_bytes(self._folder / name, path.read_bytes())
        return reading

    def twin(self, path: Path) -> str | None:
        """The name of the kept file that is, byte for byte, the one at `path`; None if there is none."""
        data = path.read_bytes()
        digest = hashlib.sha256(data).digest()
        for there in self._paths():
            if there.stat().st_size == len(data) and hashlib.sha256(there.read_bytes()).digest() == digest:
                return there.name
        return None

    def files(self) -> list[FileSummary]:
        """The kept files by name."""
        return [self._summary(path) for path in self._paths()]

    def read(self) -> Reading:
        """All conversations of all files, and all refused lines."""
        readings = [self._reading(path) for path in self._paths()]
        return Reading(
            tuple(conversation for reading in readings for conversation in reading.conversations),
            tuple(refusal for reading in readings for refusal in reading.refused),
        )

    def remove(self, name: str) -> None:
        """Take a file out; `restore` brings it back."""
        self._move(self._folder / _checked_name(name), self._removed / name, "Choose one of the list.")

    def restore(self, name: str) -> None:
        """Bring back a file that `remove` took out."""
        there = self._folder / _checked_name(name)
        if there.exists():
            raise AssistantError(
                f"A file named {name} is there already. Remove it first, then restore the old one."
            )
        self._move(self._removed / name, there, "Add the file again.")

    def _move(self, origin: Path, target: Path, advice: str) -> None:
        if not origin.is_file():
            raise AssistantError(f"There is no file named {origin.name} here. {advice}")
        target.parent.mkdir(parents=True, exist_ok=True)
        origin.replace(target)

    def _paths(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted(
            path for path in self._folder.iterdir() if path.is_file() and not path.name.startswith(".")
        )

    def _reading(self, path: Path) -> Reading:
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        kept = self._readings.get(path.name)
        if kept is None or kept[0] != stamp:
            kept = self._readings[path.name] = (stamp, read_conversations(path))
        return kept[1]

    def _summary(self, path: Path) -> FileSummary:
        reading, status = self._reading(path), path.stat()
        added = datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds")
        return FileSummary(path.name, len(reading.conversations), len(reading.refused), status.st_size, added)


def _checked_name(name: str) -> str:
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
