"""The index made anew in the background, while the one in force goes on serving.

It knows when to begin, how far it is and what went wrong. How an index is made is known to the library.
"""

import threading
from dataclasses import dataclass

from knowledge.documents import Guard
from knowledge.errors import KnowledgeError
from knowledge.library import Library, Progress, Report


@dataclass(frozen=True)
class RenewalState:
    """How far a renewal is; `problem` says why the last one failed."""

    running: bool = False
    progress: Progress | None = None
    problem: str = ""


class Renewal:
    """Makes the index of a library anew in a thread, once at a time."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.state = RenewalState()

    def start(self) -> None:
        """Begin, unless one is at work or the last one failed and nobody has changed anything since."""
        with self._lock:
            if self.state.running or self.state.problem:
                return
            self.state = RenewalState(running=True)
            self._thread = threading.Thread(target=self._work, name="renew-index", daemon=True)
            self._thread.start()

    def retry(self) -> None:
        """Forget that the last one failed, and begin."""
        with self._lock:
            if not self.state.running:
                self.state = RenewalState()
        self.start()

    def wait(self) -> None:
        """Return once nothing is being made any more."""
        if self._thread is not None:
            self._thread.join()

    def run(self, report: Report) -> None:
        """Make the index anew, here and now; it is swapped in whole at the end."""
        while self._library.is_outdated():
            self._library.prepare(report)
            with self._library.changing() as manifest, Guard() as guard:
                self._library.publish(manifest, manifest, guard, report, afresh=True)

    def _work(self) -> None:
        problem = ""
        try:
            self.run(self._note)
        except KnowledgeError as known:
            problem = str(known)
        except Exception as unknown:  # noqa: BLE001 - a thread has nobody above it who would show this
            problem = f"The search index could not be made anew ({unknown}). The earlier one stays in use."
        self.state = RenewalState(problem=problem)

    def _note(self, progress: Progress) -> None:
        self.state = RenewalState(running=True, progress=progress)
