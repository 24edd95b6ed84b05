"""The audit log: who did what, when; never what was said.

A line of JSON for each entry, only ever added to.
"""

import json
import os
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from assistant.access.rights import Person
from assistant.spreadsheet import to_csv

LATEST = 500
"""Entries that the page shows."""


@dataclass(frozen=True)
class Entry:
    """One thing that was done."""

    when: str
    """UTC, ISO 8601."""
    who: str
    role: str
    what: str


class AuditLog:
    """The log in a file; safe to write from several threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def record(self, person: Person, what: str) -> None:
        """Add an entry, on disk before this returns."""
        entry = Entry(
            datetime.now(UTC).isoformat(timespec="seconds"), person.name, person.role.value, what[:200]
        )
        line = json.dumps(asdict(entry), ensure_ascii=False) + "\n"
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def entries(self, count: int = LATEST) -> list[Entry]:
        """The latest entries, newest first; a line that was cut off by a crash is left out."""
        if not self._path.exists():
            return []
        found: list[Entry] = []
        for line in reversed(self._path.read_text(encoding="utf-8", errors="replace").splitlines()):
            try:
                found.append(Entry(**json.loads(line)))
            except (json.JSONDecodeError, TypeError):
                continue
            if len(found) == count:
                break
        return found

    def to_csv(self) -> str:
        """All entries as CSV, oldest first; names and deeds can't begin a formula."""
        entries = reversed(self.entries(count=2**31))
        return to_csv(
            ("when", "who", "role", "what"),
            ((entry.when, entry.who, entry.role, entry.what) for entry in entries),
        )
