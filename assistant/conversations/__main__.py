"""`python -m assistant.conversations JOBFOLDER`: import the files that wait in the job's workspace.

It knows the log and the stop file. What an import does stands in `importing.py`.
"""

import resource
import sys
import time
from pathlib import Path

from assistant.conversations.importing import Progress, import_file
from assistant.conversations.incoming import Incoming
from assistant.conversations.store import ConversationStore
from assistant.errors import AssistantError
from assistant.jobs import JobLog
from assistant.workspace import open_workspace, read_json

MEMORY = 6 << 30
"""Bytes of address space: what a hostile file may take before it is refused; honest ones take a tenth."""
EVERY = 0.5
"""Seconds between two lines of progress."""


class _StoppedError(Exception):
    """A person asked to stop; nothing of the file at work is kept."""


def main(folder: Path) -> None:
    """Import file after file; one that can't be is noted, and the others go on."""
    log = JobLog(folder)
    workspace = open_workspace(Path(read_json(folder / "job.json")["workspace"]))
    incoming, store = Incoming(workspace.incoming), ConversationStore(workspace.conversations)
    waiting = [each for each in incoming.found() if each.ready]
    total, behind = max(sum(each.source.size for each in waiting), 1), 0
    for found in waiting:
        assert found.recognised is not None
        name, size = found.source.name, found.source.size
        log.write("progress", text=f"Opening {name}", fraction=round(behind / total, 4), conversations=0)
        follow = _Follower(log, behind / total, size / total)
        try:
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
        if self._log.stop_asked():
            raise _StoppedError
        if time.monotonic() - self._last < EVERY:
            return
        self._last = time.monotonic()
        fraction = self._start + self._share * progress.fraction
        self._log.write(
            "progress", text=progress.text, fraction=round(fraction, 4), conversations=progress.conversations
        )


if __name__ == "__main__":
    job = Path(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        main(job)
    except _StoppedError:
        JobLog(job).write("stopped", message="Stopped; nothing of the file at work was kept.")
    except AssistantError as known:
        JobLog(job).write("failed", message=str(known))
        sys.exit(1)
    else:
        JobLog(job).write("finished")
