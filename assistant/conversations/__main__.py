"""`python -m assistant.conversations JOBFOLDER`: import the files that wait in the folder it names.

It knows the log and the stop file. What an import does stands in `importing.py`.
"""

import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import psutil

from assistant.conversations.importing import Progress, import_file
from assistant.conversations.incoming import Incoming
from assistant.conversations.store import ConversationStore
from assistant.errors import AssistantError
from assistant.jobs import JobLog
from assistant.workspace import open_workspace, read_json

MEMORY = 6 << 30
"""Bytes of address space that a hostile file may take before it is refused; honest ones take a tenth."""
SILENCE = 20 * 60.0
"""Seconds of work without a sign of progress after which a file is given up. There is no other limit of time:
an honest file of some gigabytes takes hours, and says every few seconds how far it is."""
AGAIN = 5.0
"""Seconds of work until it is told again, where a library took the first word for a fault of its own."""
EVERY = 2.0
"""Seconds between two lines of progress; who follows reads them all, some thousand of an hour's import."""


class _StoppedError(Exception):
    """A person asked to stop; nothing of the file at work is kept."""


def main(folder: Path) -> None:
    """Import file after file; one that can't be is noted, and the others go on."""
    signal.signal(signal.SIGPROF, _give_up)
    log = JobLog(folder)
    asked = read_json(folder / "job.json")
    incoming = Incoming(Path(asked["incoming"]))
    store = ConversationStore(open_workspace(Path(asked["workspace"])).conversations)
    waiting = [each for each in incoming.found() if each.ready]
    total, behind = max(sum(each.source.size for each in waiting), 1), 0
    for found in waiting:
        assert found.recognised is not None
        name, size = found.source.name, found.source.size
        log.write("progress", text=f"Opening {name}", fraction=round(behind / total, 4), conversations=0)
        follow = _Follower(log, behind / total, size / total)
        try:
            with _expecting_signs():
                about = import_file(store, found.source, found.recognised, incoming.cleaning, follow)
        except AssistantError as problem:
            incoming.refuse(name, str(problem))
            log.write("refused", name=name, message=str(problem))
        except MemoryError:
            text = f"{name} needs more memory than is given to one file. Split it, or save it as CSV."
            incoming.refuse(name, text)
            log.write("refused", name=name, message=text)
        else:
            incoming.drop(name)
            log.write("kept", name=name, conversations=about.seen)
        behind += size


def memory() -> int:
    """Bytes that an import may take: never more than half of what this machine has."""
    return min(MEMORY, psutil.virtual_memory().total // 2)


@contextmanager
def _expecting_signs() -> Iterator[None]:
    """Work that is given up where it shows no progress; what is done about that is not."""
    _expect_a_sign()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _expect_a_sign() -> None:
    """Begin to count the work without progress anew."""
    signal.setitimer(signal.ITIMER_PROF, SILENCE, AGAIN)


def _give_up(number: int, frame: FrameType | None) -> None:
    raise AssistantError(
        f"The file was worked on for {SILENCE / 60:.0f} minutes without coming any further, so "
        "it was given up and nothing of it kept. Split it, or save it as CSV, and add that."
    )


class _Follower:
    """Writes the progress of one file to the log, now and then, and ends the import when asked."""

    def __init__(self, log: JobLog, start: float, share: float) -> None:
        self._log, self._start, self._share = log, start, share
        self._last = 0.0  # monotonic seconds

    def __call__(self, progress: Progress) -> None:
        """Note how far it is.

        Raises:
            _StoppedError: a person asked to stop.
        """
        _expect_a_sign()
        if self._log.stop_asked():
            raise _StoppedError
        if time.monotonic() - self._last < EVERY:
            return
        self._last = time.monotonic()
        fraction = self._start + self._share * progress.fraction
        self._log.write(
            "progress", text=progress.text, fraction=round(fraction, 4), conversations=progress.conversations
        )


def guarded(folder: Path) -> int:
    """Import within the limit of memory; the log is told how it ended. The exit status is 1 if it failed."""
    resource.setrlimit(resource.RLIMIT_AS, (memory(), memory()))
    log = JobLog(folder)
    try:
        main(folder)
    except _StoppedError:
        log.write("stopped", message="Stopped; nothing of the file at work was kept.")
    except AssistantError as known:
        log.write("failed", message=str(known))
        return 1
    else:
        log.write("finished")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(Path(sys.argv[1])))
