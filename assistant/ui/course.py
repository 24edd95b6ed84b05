"""How a training has gone so far, read from its job's log.

It knows the events of a training. It does not know how a log is kept or how a course looks on a page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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
    adapter: str = ""
    """Key of the version it became; empty while there is none."""

    @classmethod
    def of(cls, events: Sequence[Event]) -> "Course":
        """The course that a log tells; steps taken again after an interruption count once."""
        steps = [event for event in events if event.get("event") == "step"]
        stages = [event for event in events if event.get("event") == "stage"]
        last = steps[-1] if steps else {}
        return cls(
            stage=str(stages[-1].get("text", "")) if stages else "",
            step=int(last.get("step", 0)),
            steps=int(last.get("steps", 0)),
            training=_points(steps),
            evaluation=_points([event for event in events if event.get("event") == "evaluation"]),
            tokens_per_second=float(last.get("tokens_per_second", 0.0)),
            seconds_left=float(last["seconds_left"]) if "seconds_left" in last else None,
            adapter=str((events[-1].get("adapter") or "") if events else ""),
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


def _points(events: Sequence[Event]) -> tuple[Point, ...]:
    by_step = {float(event["step"]): float(event["loss"]) for event in events}
    return tuple(sorted(by_step.items()))
