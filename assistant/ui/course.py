"""How a training has gone so far, read from its job's log.

It knows the events of a training. It does not know how a log is kept or how a course looks on a page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assistant.adapters import Sample, SampleQuestion
from assistant.jobs import Event

Point = tuple[float, float]


@dataclass(frozen=True)
class Course:
    """A training so far: where it is, its losses as (step, loss), its speed, and what came out."""

    stage: str = ""
    step: int = 0
    steps: int = 0
    training: tuple[Point, ...] = ()
    evaluation: tuple[Point, ...] = ()
    tokens_per_second: float = 0.0
    seconds_left: float | None = None
    memory: int = 0
    """Bytes that it held at most."""
    questions: tuple[SampleQuestion, ...] = ()
    samples: tuple[Sample, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """Of examples, windows and what was left out."""
    before: int = 0
    """How many trainings it waits for."""
    best: int | None = None
    """The step that was kept where it ended early; None where it did not."""
    discarded: bool = False
    took: float | None = None
    estimated: float | None = None
    """Seconds that it took, and that had been estimated."""
    adapter: str = ""
    """Key of the version it became; empty while there is none."""

    @classmethod
    def of(cls, events: Sequence[Event]) -> "Course":
        """The course that a log tells; steps taken again after an interruption count once."""
        steps = _all(events, "step")
        evaluations, questions = _all(events, "evaluation"), _last(events, "questions")
        last, end = (steps[-1] if steps else {}), (events[-1] if events else {})
        early = _last(events, "early")
        return cls(
            stage=str(_last(events, "stage").get("text", "")),
            step=int(last.get("step", 0)),
            steps=int(last.get("steps", 0)),
            training=_points(steps),
            evaluation=_points(evaluations),
            tokens_per_second=float(last.get("tokens_per_second", 0.0)),
            seconds_left=float(last["seconds_left"]) if "seconds_left" in last else None,
            memory=int(last.get("memory", 0)),
            questions=tuple(SampleQuestion(**each) for each in questions.get("questions", ())),
            samples=_samples(_all(events, "samples")),
            counts={key: value for key, value in _last(events, "examples").items() if key != "event"},
            before=int(end.get("before", 0)) if end.get("event") == "waiting" else 0,
            best=early.get("best"),
            discarded=bool(end.get("discarded")),
            took=end.get("seconds"),
            estimated=end.get("estimated"),
            adapter=str(end.get("adapter") or ""),
        )

    @property
    def fraction(self) -> float:
        """How much of the steps is done, 0 to 1."""
        return self.step / self.steps if self.steps else 0.0

    @property
    def first_loss(self) -> float | None:
        """Loss on held-out conversations before the first step; None if none were held out."""
        return next((loss for step, loss in self.evaluation if step == 0), None)

    @property
    def best_loss(self) -> float | None:
        """The lowest loss on held-out conversations after it began; that version was kept."""
        return min((loss for step, loss in self.evaluation if step > 0), default=None)


def _all(events: Sequence[Event], name: str) -> list[Event]:
    return [event for event in events if event.get("event") == name]


def _last(events: Sequence[Event], name: str) -> dict[str, Any]:
    return next((event for event in reversed(events) if event.get("event") == name), {})


def _points(events: Sequence[Event]) -> tuple[Point, ...]:
    by_step = {float(event["step"]): float(event["loss"]) for event in events}
    return tuple(sorted(by_step.items()))


def _samples(events: Sequence[Event]) -> tuple[Sample, ...]:
    by_step = {int(event["step"]): tuple(event["answers"]) for event in events}
    return tuple(Sample(step, answers) for step, answers in sorted(by_step.items()))
