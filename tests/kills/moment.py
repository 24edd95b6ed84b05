"""A moment to kill at: a line of our own code that the work comes to, at that very line or just after.

Counted in lines and not in time, the moments fall within the work however slow the machine is; and a line
that is run a thousand times is no likelier than one that is run once.
"""

import os
import signal
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
OURS = (f"{ROOT}/assistant/", f"{ROOT}/knowledge/")

Say = Callable[[str], None]
"""Called by the work when something is done for good, with its name."""
Work = Callable[[Say], object]


@dataclass(frozen=True)
class Moment:
    """The `hit`th time that the work comes to a line, counted from 1."""

    file: str
    line: int
    hit: int

    @property
    def module(self) -> str:
        """The file, from the repository's root."""
        return str(Path(self.file).relative_to(ROOT))

    def __str__(self) -> str:
        return f"{self.module}:{self.line} ({self.hit})"


@dataclass(frozen=True)
class Ending:
    """How a copy ended: whether it was killed, and what it had said was done."""

    killed: bool
    said: tuple[str, ...]


def moments_of(work: Work) -> list[Moment]:
    """The lines of our code that the work comes to, each with how often; it is done once, to its end."""
    found: list[Moment] = []

    def hear(word: str, rest: str, _child: int) -> None:
        if word == "line":
            file, line, hit = rest.rsplit(":", 2)
            found.append(Moment(file, int(line), int(hit)))

    _copied(work, hear)
    return found


def ended(work: Work, moment: Moment, *, at_once: bool) -> Ending:
    """Do the work in a copy of this process that is killed at a moment, or right after it.

    At once, the kill falls between two lines; after, wherever the copy is by the time we have heard of it.

    Raises:
        AssertionError: the work failed by itself.
    """
    said: list[str] = []

    def hear(word: str, rest: str, child: int) -> None:
        if word == "now":
            os.kill(child, signal.SIGKILL)
        elif word == "done":
            said.append(rest)

    return Ending(_copied(work, hear, moment, at_once=at_once), tuple(said))


def _copied(
    work: Work, hear: Callable[[str, str, int], None], moment: Moment | None = None, *, at_once: bool = False
) -> bool:
    """Do the work in a copy of this process, and pass on what it says; whether it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _live(work, writing, moment, at_once)
    os.close(writing)
    with os.fdopen(reading) as told:
        for line in told:
            word, _, rest = line.rstrip("\n").partition(" ")
            hear(word, rest, child)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL), "the work failed by itself"
    return status != 0


def _live(work: Work, pipe: int, moment: Moment | None, at_once: bool) -> None:
    """The copy's life; it ends here, whatever happens."""
    hits: Counter[tuple[str, int]] = Counter()
    awaited = (moment.file, moment.line) if moment else None

    def tell(text: str) -> None:
        os.write(pipe, f"{text}\n".encode())

    def follow(frame: Any, event: str, _value: Any) -> Any:
        if event == "line":
            place = (frame.f_code.co_filename, frame.f_lineno)
            hits[place] += 1
            if moment and place == awaited and hits[place] == moment.hit:
                if at_once:
                    os.kill(os.getpid(), signal.SIGKILL)
                tell("now")
        return follow

    def enter(frame: Any, _event: str, _value: Any) -> Any:
        return follow if frame.f_code.co_filename.startswith(OURS) else None

    try:
        threading.settrace(enter)
        sys.settrace(enter)
        work(lambda text: tell(f"done {text}"))
        sys.settrace(None)
        for (file, line), count in [] if moment else list(hits.items()):
            tell(f"line {file}:{line}:{count}")
        os._exit(0)
    except BaseException:  # noqa: BLE001 - the copy must end here, whatever happened
        traceback.print_exc()
        os._exit(1)
