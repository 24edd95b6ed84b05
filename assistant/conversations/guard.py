"""Looks at files of conversations in a process of its own, so that a nasty one costs only itself.

It knows how much time and memory that may take, and what to say where a file takes more.
"""

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from assistant.conversations.cleaning import Cleaning, Tally
from assistant.conversations.formats import Layout, Source
from assistant.conversations.gathering import File, Found, flat_name
from assistant.conversations.model import Conversation
from assistant.errors import AssistantError
from assistant.prompts import Message
from knowledge.confined import BrokenOffError, Confined

SECONDS = 12.0
"""Of work, to look at a file."""
SECONDS_A_MEGABYTE = 0.2
"""More for large ones: zip files are unpacked."""
MEMORY = 1 << 30


@dataclass(frozen=True)
class Preview:
    """What the first conversations of a file would become."""

    conversations: tuple[Conversation, ...]
    refused: int
    tally: Tally
    problem: str = ""

    @property
    def looked_at(self) -> int:
        """How many conversations the preview is made of."""
        return len(self.conversations) + self.refused


class Guard:
    """One process that looks at file after file; it is replaced when a file hangs or kills it."""

    def __init__(self) -> None:
        self.reader = Confined("assistant.conversations.looking", MEMORY)
        self._alone = threading.Lock()

    def gather(self, files: Sequence[File], room: Path) -> list[Found]:
        """The files to import, with zip files unpacked into the folder `room`, each recognised.

        Where they can't be looked at together, each is looked at alone, so that one costs only itself.
        """
        try:
            return self._gather(files, room)
        except AssistantError as problem:
            if len(files) == 1:
                return [Found(Source([files[0][0]], flat_name(files[0][1])), None, str(problem))]
        return [
            found for number, each in enumerate(files) for found in self.gather([each], room / str(number))
        ]

    def arranged(self, found: Found, layout: Layout) -> Found:
        """A file read by another layout; where its columns changed, who writes is guessed anew.

        Raises:
            AssistantError: it can't be read so.
        """
        asked = {"do": "arrange", "found": found.to_json(), "layout": asdict(layout)}
        return Found.of(self._ask(asked, found.source.name, found.source.paths))

    def preview(self, found: Found, cleaning: Cleaning) -> Preview:
        """What the first conversations of a file would become."""
        if found.recognised is None:
            return Preview((), 0, Tally(), found.problem)
        asked = {"do": "preview", "found": found.to_json(), "cleaning": asdict(cleaning)}
        try:
            told = self._ask(asked, found.source.name, found.source.paths)
        except AssistantError as problem:
            return Preview((), 0, Tally(), str(problem))
        return Preview(
            tuple(map(_conversation, told["conversations"])), told["refused"], Tally.of(told["tally"])
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process; the next question starts another."""
        with self._alone:
            self.reader.stop()

    def _gather(self, files: Sequence[File], room: Path) -> list[Found]:
        asked = {
            "do": "gather",
            "files": [[str(path.absolute()), name] for path, name in files],
            "room": str(room.absolute()),
        }
        told = self._ask(asked, files[0][1], [path for path, _ in files])
        return [Found.of(values) for values in told]

    def _ask(self, request: dict[str, Any], name: str, paths: Sequence[Path]) -> Any:
        megabytes = sum(path.stat().st_size for path in paths if path.exists()) / 1e6
        seconds = SECONDS + SECONDS_A_MEGABYTE * megabytes
        try:
            with self._alone:
                reply = self.reader.ask(request, seconds)
        except BrokenOffError as problem:
            raise _broken_off(problem, name, seconds) from problem
        if "refused" in reply:
            raise AssistantError(reply["refused"])
        return reply["found"]


def _broken_off(problem: BrokenOffError, name: str, seconds: float) -> AssistantError:
    if problem.why == "crash":
        found = f"made its reader stop ({problem.how}). Files that do so are refused"
    elif problem.why == "time":
        found = f"took longer than {seconds:.0f} seconds to look at. That is the limit for one file"
    else:
        found = f"needed more than {MEMORY >> 20:,} MB of memory. That is the limit for one file"
    return AssistantError(f"{name} {found}. Split it, or export it as CSV, and add that.")


def _conversation(values: dict[str, Any]) -> Conversation:
    messages = tuple(Message(**message) for message in values["messages"])
    return Conversation(**{**values, "messages": messages, "team": tuple(values["team"])})
