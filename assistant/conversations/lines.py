"""Where the usable lines of a kept file begin, so that any conversation is read without reading the others.

It knows one file, and how its lines are remembered between starts. It does not know what a person changed.
"""

import io
import json
import zipfile
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.adapters import conversation_digest
from assistant.conversations.model import Conversation, Refusal, UnusableError
from assistant.conversations.reading import conversation_in, lines_in
from assistant.errors import AssistantError
from assistant.workspace import write_bytes

MAX_KEPT = 4_000_000_000
"""Bytes of a kept file."""
STEP = 2000
"""Lines between two words of how far it is."""


@dataclass(frozen=True)
class Lines:
    """The usable lines of a kept file, some twenty bytes each; arrays of shape [lines]."""

    path: Path
    starts: NDArray[np.uint64]
    """Bytes before each."""
    numbers: NDArray[np.uint32]
    """The number of each in the file, counted from 1."""
    digests: NDArray[np.uint64]
    """Tell conversations apart by their messages (`digest_of`)."""
    refused: tuple[Refusal, ...]

    def __len__(self) -> int:
        return len(self.starts)

    def read(self, places: Iterable[int]) -> Iterator[Conversation]:
        """The conversations at these places, one after the other.

        Raises:
            AssistantError: the file is gone, or another one took its place meanwhile.
        """
        name = self.path.name
        try:
            with self.path.open("rb") as file:
                for place in places:
                    file.seek(int(self.starts[place]))
                    yield conversation_in(file.readline().rstrip(b"\r\n"), f"{name}:{self.numbers[place]}")
        except (OSError, UnusableError) as problem:
            raise AssistantError(
                f"{name} was changed while it was read ({problem}). Load the page anew."
            ) from problem

    def place_of(self, number: int) -> int | None:
        """The place of a line; None where it is not usable."""
        place = int(np.searchsorted(self.numbers, number))
        return place if place < len(self) and self.numbers[place] == number else None


def look_through(path: Path, name: str = "", each: Callable[[int], None] = lambda number: None) -> Lines:
    """Read a file once, to know its usable lines; `name` as in `read_conversations`.

    Args:
        path: the file.
        name: what refusals call it; the file's own name if empty.
        each: told the number of a line now and then; may raise to end it.

    Raises:
        AssistantError: it is missing, empty or too large.
    """
    name = name or path.name
    starts, numbers, digests, refused = array("Q"), array("I"), array("Q"), list[Refusal]()
    for number, start, line in lines_in(path, name, MAX_KEPT):
        if number % STEP == 0:
            each(number)
        try:
            conversation = conversation_in(line, "")
        except UnusableError as problem:
            refused.append(problem.refusal(name, number))
            continue
        starts.append(start)
        numbers.append(number)
        digests.append(digest_of(conversation))
    return Lines(
        path,
        np.array(starts, np.uint64),
        np.array(numbers, np.uint32),
        np.array(digests, np.uint64),
        tuple(refused),
    )


def digest_of(conversation: Conversation) -> int:
    """Tells a conversation from others by what is said in it, as `assistant.adapters` does."""
    return int(conversation_digest([(each.role, each.content) for each in conversation.messages]), 16)


def keep_lines(lines: Lines, place: Path) -> None:
    """Remember the lines of a file as it is now."""
    held = io.BytesIO()
    refused = json.dumps([asdict(each) for each in lines.refused]).encode()
    np.savez(
        held,
        stamp=np.array(stamp_of(lines.path)),
        starts=lines.starts,
        numbers=lines.numbers,
        digests=lines.digests,
        refused=np.frombuffer(refused, np.uint8),
    )
    write_bytes(place, held.getvalue())


def remembered_lines(path: Path, place: Path) -> Lines | None:
    """The lines of a file as remembered; None where they are not, or the file is another one by now."""
    try:
        with np.load(place, allow_pickle=False) as held:
            told: dict[str, Any] = {name: held[name] for name in held.files}
        refused = json.loads(told.pop("refused").tobytes())
        if tuple(told.pop("stamp").tolist()) != stamp_of(path):
            return None
        return Lines(path, refused=tuple(Refusal(**each) for each in refused), **told)
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # never remembered, or damaged: the file itself is there to be looked through


def stamp_of(path: Path) -> tuple[int, int]:
    """Tells a file from an earlier one in its place."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size
