"""What is known of a version beside where it came from: how it learned, what it says, and what it cost.

It knows numbers and texts to show. It does not know how they were made.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assistant.errors import misshapen
from assistant.workspace import read_json, refuse_newer, write_json

REPORT = "report.json"
REPORT_VERSION = 1


@dataclass(frozen=True)
class SampleQuestion:
    """A held-out question that people read along, and what the company had answered."""

    question: str
    answer: str


@dataclass(frozen=True)
class Sample:
    """What the adapter said to the held-out questions after so many steps; step 0 is the base model."""

    step: int
    answers: tuple[str, ...]


@dataclass(frozen=True)
class GeneralAnswer:
    """An everyday question that has nothing to do with the company, before and after training."""

    question: str
    base: str
    tuned: str
    phrases: tuple[str, ...]
    """Phrases of the company's replies that the tuned answer holds and the base model's doesn't."""

    @property
    def changed(self) -> bool:
        """Whether the answer reads differently."""
        return self.base != self.tuned


@dataclass(frozen=True)
class Strength:
    """What the version does at one voice strength, in shares of 0 to 1."""

    strength: float
    changed: float
    """Of the everyday answers, those that read differently from the base model's."""
    out_of_place: float
    """Of the everyday answers, those with phrases of the company's."""
    voice: float
    """Of the answers to held-out company questions, those with phrases of the company's."""


@dataclass(frozen=True)
class Report:
    """How a version came to be and what it says."""

    questions: tuple[SampleQuestion, ...] = ()
    samples: tuple[Sample, ...] = ()
    training: tuple[tuple[int, float], ...] = ()
    """Steps and the loss at each, thinned out."""
    general: tuple[GeneralAnswer, ...] = ()
    strengths: tuple[Strength, ...] = ()
    learned: tuple[str, ...] = ()
    """Digest of each conversation there was, to tell later which are new or gone."""
    documents: tuple[str, ...] = ()
    """Digest of each document that passages were taken from, to tell later which are new or gone."""
    estimated_seconds: float | None = None
    estimated_memory: int | None = None
    """In bytes."""

    def write(self, folder: Path) -> None:
        """Keep it beside the version's weights."""
        write_json(folder / REPORT, {"version": REPORT_VERSION, **asdict(self)})


def read_report(folder: Path) -> Report:
    """The report of a version; an empty one where there is none, as for versions of an older Quartet.

    Raises:
        AssistantError: it is damaged, or a newer Quartet wrote it.
    """
    if not (folder / REPORT).exists():
        return Report()
    values = read_json(folder / REPORT)
    refuse_newer(folder / REPORT, values, REPORT_VERSION)
    try:
        return _report_of(values)
    except (KeyError, TypeError, ValueError) as problem:
        raise misshapen(folder / REPORT, problem) from problem


def _report_of(values: dict[str, Any]) -> Report:
    return Report(
        questions=tuple(SampleQuestion(**each) for each in values["questions"]),
        samples=tuple(Sample(each["step"], tuple(each["answers"])) for each in values["samples"]),
        training=tuple((int(step), float(loss)) for step, loss in values["training"]),
        general=tuple(
            GeneralAnswer(**each | {"phrases": tuple(each["phrases"])}) for each in values["general"]
        ),
        strengths=tuple(Strength(**each) for each in values["strengths"]),
        learned=tuple(values["learned"]),
        documents=tuple(values.get("documents", ())),
        estimated_seconds=values["estimated_seconds"],
        estimated_memory=values["estimated_memory"],
    )
