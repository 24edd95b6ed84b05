"""Documents being added in the background: one delivery after the other, seen alike from every browser.

It knows how far an addition is and how it ended. It does not know pages or how documents are read.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from assistant.errors import AssistantError
from knowledge.errors import KnowledgeError
from knowledge.library import READY, REFUSED, Report
from knowledge.retrieval import DocumentState, KnowledgeBase, Progress

Files = Sequence[tuple[Path, str]]
STOPPED = "Adding was stopped; none of these files was taken over. Drop them again to add them."


@dataclass(frozen=True)
class Addition:
    """Files on their way into the knowledge base, and what became of them."""

    names: tuple[str, ...]
    running: bool = True
    progress: Progress | None = None
    seconds: float = 0.0
    """How long the stage that `progress` names has taken so far."""
    outcomes: tuple[DocumentState, ...] = ()
    replaced: int = 0
    """How many of the files took the place of an earlier one of their name."""
    unchanged: int = 0
    """How many of the files were there already, byte for byte."""
    problem: str = ""
    waiting: int = 0
    """Files of later deliveries, whose turn comes next."""
    ended: str = ""

    @property
    def seconds_left(self) -> float | None:
        """How long the present stage may still take; None before there is anything to go by."""
        now = self.progress
        return self.seconds / now.done * (now.total - now.done) if now and now.done else None

    @property
    def refused(self) -> tuple[DocumentState, ...]:
        """The files that can't be used."""
        return tuple(state for state in self.outcomes if state.state == REFUSED)

    @property
    def added(self) -> int:
        """How many files are in use now that were not before."""
        return len(self.outcomes) - len(self.refused) - self.unchanged


class _Stopped(Exception):
    """A person asked to stop; leaves the knowledge base as it was."""


@dataclass
class _Queue:
    """The deliveries of one company: the one at work, and those that wait."""

    addition: Addition
    waiting: list[Files] = field(default_factory=list)
    stop: bool = False


class Intake:
    """Adds documents in threads, one for each company that has something to add."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: dict[str, _Queue] = {}

    def start(self, company: str, knowledge: KnowledgeBase, files: Files) -> None:
        """Add the files now, or after those that are being added."""
        with self._lock:
            queue = self._queues.get(company)
            if queue and queue.addition.running:
                queue.waiting.append(files)
                return
            queue = self._queues[company] = _Queue(Addition(tuple(name for _, name in files)))
        threading.Thread(
            target=self._work, args=(queue, knowledge, files), name="add-documents", daemon=True
        ).start()

    def stop(self, company: str) -> None:
        """Give up what is being added and what waits."""
        with self._lock:
            if company in self._queues:
                self._queues[company].waiting.clear()
                self._queues[company].stop = True

    def now(self, company: str) -> Addition | None:
        """The addition at work, else the last one; None if there was none since the start."""
        with self._lock:
            queue = self._queues.get(company)
            return replace(queue.addition, waiting=sum(map(len, queue.waiting))) if queue else None

    def _work(self, queue: _Queue, knowledge: KnowledgeBase, files: Files) -> None:
        while True:
            ended = self._add(queue, knowledge, files)
            with self._lock:
                if not queue.waiting:
                    queue.addition = ended
                    return
                files = queue.waiting.pop(0)
                names = tuple(name for _, name in files)
                queue.addition = replace(ended, names=names, running=True, ended="")

    def _add(self, queue: _Queue, knowledge: KnowledgeBase, files: Files) -> Addition:
        before, outcomes, problem = queue.addition, [], ""
        there: dict[str, str] = {}
        try:
            there = {state.name: state.digest for state in knowledge.documents() if state.state == READY}
            outcomes = knowledge.add(files, progress=_follower(queue))
        except _Stopped:
            problem = STOPPED
        except (AssistantError, KnowledgeError) as known:
            problem = str(known)
        except Exception as unknown:  # noqa: BLE001 - a thread has nobody above it who would show this
            problem = f"Adding failed: {unknown}. Nothing was changed. Drop the files again."
        again = [state for state in outcomes if state.state == READY and state.name in there]
        unchanged = sum(state.digest == there[state.name] for state in again)
        return replace(
            queue.addition,
            running=False,
            outcomes=(*before.outcomes, *outcomes),
            replaced=before.replaced + len(again) - unchanged,
            unchanged=before.unchanged + unchanged,
            problem=" ".join(filter(None, (before.problem, problem))),
            progress=None,
            ended=datetime.now(UTC).isoformat(timespec="seconds"),
        )


def _follower(queue: _Queue) -> Report:
    """What the knowledge base reports to: notes how far it is and how long the stage took, or ends it."""
    began: dict[str, float] = {}

    def follow(progress: Progress) -> None:
        if queue.stop:
            raise _Stopped
        now = time.monotonic()
        seconds = now - began.setdefault(progress.stage, now)
        queue.addition = replace(queue.addition, progress=progress, seconds=seconds)

    return follow
