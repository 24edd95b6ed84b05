"""A job's log: what happened, a line of JSON each, and the file that asks the job to stop.

It knows lines and the stop file. It does not know processes or what a job does.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

Event = dict[str, Any]
"""A line of a job's log: "event" names what happened, "time" when (seconds since 1970)."""
Stop = Literal["", "keep", "discard"]
"""How a job is asked to stop: not at all, keeping what it has, or throwing it away."""
STOP_FILE = "stop"


class JobLog:
    """What a job's own process writes its log with; safe to go on with after a line was cut off."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "log.jsonl"
        self._stop = folder / STOP_FILE

    def write(self, event: str, **values: Any) -> None:
        """Add a line."""
        line = json.dumps(
            {"event": event, "time": round(datetime.now(UTC).timestamp(), 2), **values}, ensure_ascii=False
        )
        with self._path.open("ab+") as file:
            if file.tell() and not _ends_with_newline(file):
                file.write(b"\n")
            file.write(line.encode("utf-8") + b"\n")

    def stop_asked(self) -> bool:
        """Whether somebody asked the job to end."""
        return self._stop.exists()

    @property
    def stop_wanted(self) -> Stop:
        """How the job is asked to end; a stop file that says nothing asks to keep what there is."""
        if not self.stop_asked():
            return ""
        return "discard" if self._stop.read_text(encoding="utf-8").strip() == "discard" else "keep"


def _ends_with_newline(file: Any) -> bool:
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) == b"\n")


def read_log(folder: Path) -> list[Event]:
    """The lines of a job's log; an unfinished one is left out."""
    path = folder / "log.jsonl"
    if not path.exists():
        return []
    events = []
    for line in path.read_bytes().split(b"\n"):
        try:
            event = json.loads(line)
        except ValueError:
            continue  # Empty, or cut off when the process was killed.
        if isinstance(event, dict) and isinstance(event.get("event"), str):
            events.append(event)
    return events
