"""The answers of a study, asked for in the background: once each, kept as they come, gone on with later.

It knows which questions still need answers and whether the assistants are the same as before. It does not
know how they answer.
"""

import hashlib
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from assistant.comparison.model import HUMAN, Item, Study
from assistant.comparison.rounds import Rounds
from assistant.comparison.studies import Studies
from assistant.errors import AssistantError
from assistant.injection import marked
from assistant.lanes import LANES, Answer, Lane, Setup, ask, lane_of
from assistant.prompts import system_prompt
from knowledge.errors import KnowledgeError

AT_ONCE = 4
"""Questions asked at the same time; with four lanes each they fill the engine's slots."""
UNUSABLE = ("cancelled", "busy", "failed", "time")
"""How an answer ended that is asked for again instead of being judged."""


@dataclass(frozen=True)
class Progress:
    """How far a study's answers are; `problem` says what went wrong and what to do."""

    total: int
    done: int
    running: bool
    seconds: float = 0.0
    """Since this run began."""
    here: int = 0
    """How many this run has answered."""
    problem: str = ""

    @property
    def seconds_left(self) -> float | None:
        """How long the rest may take; None before there is anything to go by."""
        return self.seconds / self.here * (self.total - self.done) if self.here else None


@dataclass
class _Run:
    progress: Progress
    began: float
    stop: threading.Event


def lanes_ready(setup: Setup) -> tuple[Lane, ...]:
    """The lanes that can do what their switches say: tuned ones need an adapter, grounded ones documents."""
    return tuple(
        lane
        for lane in LANES
        if (setup.adapter or not lane.tuned) and (setup.library is not None or not lane.grounded)
    )


def described(setup: Setup) -> dict[str, Any]:
    """What has to be the same for all answers of a study."""
    instructions = hashlib.sha256(system_prompt(setup.brand).encode("utf-8")).hexdigest()
    return {
        "adapter": setup.adapter,
        "scale": setup.scale,
        "index_version": setup.library.version if setup.library else None,
        "instructions": instructions,
        "max_tokens": setup.sampling.max_tokens,
    }


class Answering:
    """Asks the questions of studies, each study in a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}

    def start(self, studies: Studies, rounds: Rounds, study_id: str, setup: Setup) -> None:
        """Begin to answer a draft's questions, or go on with those that have no answers yet.

        Raises:
            AssistantError: the study can't be answered, or not any more with the same assistants.
        """
        study = studies.read(study_id)
        if study.state == "draft":
            study = rounds.begin(study_id, [lane.key for lane in lanes_ready(setup)], described(setup))
        changed = [name for name, value in described(setup).items() if study.setup.get(name) != value]
        if changed:
            raise AssistantError(
                f"The {_CALLED[changed[0]]} changed since the first questions were answered, and all "
                "answers of a study must come from the same assistants. Change it back, or go back to the "
                "draft and start again."
            )
        items = [item for item in studies.items(study_id) if not item.answers]
        with self._lock:
            if self.now(study_id, studies).running:
                return
            done = len(studies.items(study_id)) - len(items)
            run = _Run(Progress(done + len(items), done, True), time.monotonic(), threading.Event())
            self._runs[study_id] = run
        threading.Thread(
            target=self._work, args=(run, rounds, study, items, setup), name="answer-study", daemon=True
        ).start()

    def stop(self, study_id: str) -> None:
        """End what is being answered; what has been answered stays."""
        if study_id in self._runs:
            self._runs[study_id].stop.set()

    def now(self, study_id: str, studies: Studies) -> Progress:
        """How far a study is, also where nobody works at it since a restart."""
        run = self._runs.get(study_id)
        if run:
            return replace(run.progress, seconds=time.monotonic() - run.began)
        items = studies.items(study_id)
        return Progress(len(items), sum(bool(item.answers) for item in items), False)

    def _work(self, run: _Run, rounds: Rounds, study: Study, items: Sequence[Item], setup: Setup) -> None:
        def answer(item: Item) -> None:
            if run.stop.is_set():
                return
            given = _answers(study, item, setup, run.stop)
            if given:
                rounds.save_answers(item.id, given)
                with self._lock:
                    now = run.progress
                    run.progress = replace(now, done=now.done + 1, here=now.here + 1)

        problem = ""
        try:
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="answer-study") as pool:
                list(pool.map(answer, items))
        except (AssistantError, KnowledgeError) as known:
            problem = str(known)
        except Exception as unknown:  # noqa: BLE001 - a thread has nobody above it who would show this
            problem = (
                f"Answering failed: {unknown}. What was answered is kept. Go on, or start Quartet again."
            )
        finally:
            now = run.progress
            missing = now.total - now.done
            if missing and not problem and not run.stop.is_set():
                problem = f"{missing} of {now.total} questions got no whole answers. Go on to ask them again."
            run.progress = replace(now, running=False, problem=problem)


def _answers(study: Study, item: Item, setup: Setup, stop: threading.Event) -> list[Answer]:
    """What all of the study's systems answer to a question; nothing where one of them did not."""
    lanes = [lane_of(key) for key in study.systems]
    histories = {lane.key: item.history for lane in lanes}
    *_, last = ask(
        item.question,
        setup,
        lanes=lanes,
        histories=histories,
        cancelled=stop.is_set,
        owner=f"study {study.id}",
    )
    if any(answer.error or answer.record is None or answer.record.finish in UNUSABLE for answer in last):
        return []
    said = "\n".join([*(message.content for message in item.history), item.question])
    last = marked(last, said, setup.brand)
    human = [Answer(HUMAN, item.reference)] if study.settings.human and item.reference else []
    return [*last, *human]


_CALLED = {
    "adapter": "learned voice",
    "scale": "voice strength",
    "index_version": "documents",
    "instructions": "instructions",
    "max_tokens": "longest answer",
}
