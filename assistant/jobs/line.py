"""The waiting line of jobs: in each line one works at a time, and the others wait in the order they came.

Every job in line is a living process, so the line moves on whether pages are open or not, and a killed one
leaves it at once: the system takes back the lock it held. It knows locks and folders, not what a job does.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from assistant.errors import AssistantError
from assistant.jobs.log import JobLog
from assistant.workspace import read_json, write_json

LOOK_EVERY = 0.5
"""Seconds between two looks at who is before."""
PATIENCE = 3.0
"""Seconds to try for a job's own lock: others hold it for a moment when they look who lives."""
LOCK, PLACE = "lock", "line.json"


class TakenError(AssistantError):
    """Another process works in a job's folder; what is written there, its log too, is that one's."""


@contextmanager
def turn(folder: Path, line: str) -> Iterator[bool]:
    """Hold a job's folder alone and wait for its turn; gives False if it was asked to stop while it waited.

    The log is told how many are before whenever that changes.

    Raises:
        TakenError: another process works in this folder.
    """
    log, told = JobLog(folder), 0
    with _held(folder / LOCK, PATIENCE):
        arrived = _arrive(folder, line)
        while before := _before(folder, line, arrived):
            if log.stop_asked():
                break
            if before != told:
                log.write("waiting", before=before)
                told = before
            time.sleep(LOOK_EVERY)
        yield not before


def _arrive(folder: Path, line: str) -> int:
    # One at a time, so that whoever sees no earlier one in line knows that none is about to appear.
    with _held(folder.parent / f".{line}.line", 60.0):
        # After all who are in line, also where the clock was set back since they came.
        arrived = max([time.time_ns(), *(place + 1 for place in _places(folder, line))])
        write_json(folder / PLACE, {"line": line, "arrived": arrived})
        return arrived


def _before(folder: Path, line: str, arrived: int) -> int:
    """How many living jobs of this line came before."""
    return sum(place < arrived for place in _places(folder, line))


def _places(folder: Path, line: str) -> Iterator[int]:
    """When the other living jobs of this line came."""
    for path in folder.parent.glob(f"*/{PLACE}"):
        if path.parent == folder:
            continue
        with suppress(AssistantError, KeyError, TypeError):  # one that is just being removed, or damaged
            place = read_json(path)
            if place["line"] == line and _lives(path.parent / LOCK):
                yield int(place["arrived"])


def _lives(lock: Path) -> bool:
    """Whether a process holds this lock."""
    try:
        descriptor = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def _held(lock: Path, seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TakenError(
                        f"Another process works in {lock.parent} already. Wait until it has ended."
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)
