"""What a training came to: the new version's lineage, and its report with everyday questions and phrases.

It knows what belongs in them. It does not know how a step is taken or where versions are kept.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.adapters import (
    GeneralAnswer,
    Lineage,
    Report,
    Strength,
    base_digest,
    data_digest,
    digest_of_files,
)
from assistant.jobs import JobLog, read_log
from assistant.prompts import system_prompt
from assistant.training.examples import ExampleSet, Turn
from assistant.training.general import QUESTIONS, company_phrases, examine
from assistant.training.prepared import Prepared, chats, held_turns, sample_questions
from assistant.training.progress import Progress
from assistant.training.task import Material, Task, conversations_digest, digests_of, texts_of

if TYPE_CHECKING:
    from assistant.training.trainer import Outcome

VOICE_QUESTIONS = 12
"""Held-out questions asked at each voice strength."""
MOST_POINTS = 240
"""Of the loss in training; a longer course is thinned out."""


def lineage_of(
    task: Task, material: Material, learned: ExampleSet, progress: Progress, seconds: float
) -> Lineage:
    """Where the new version comes from."""
    train = material.split.train
    return Lineage(
        base=task.model.name,
        base_digest=base_digest(task.model),
        data_digest=data_digest(list(texts_of(train))),
        index_version=material.index_version,
        prompt_hash=material.prompt_hash,
        settings=asdict(task.settings),
        losses=tuple(progress.losses),
        seconds=round(seconds, 1),
        tokens=progress.tokens,
        conversations=len(train),
        examples=len(learned.examples),
        grounded=learned.grounded,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        name=task.settings.name,
        all_conversations=conversations_digest(material.conversations),
        code_version=code_version(),
        peak_memory=progress.peak_memory,
    )


def report_of(task: Task, material: Material, prepared: Prepared, outcome: "Outcome", run: Path) -> Report:
    """How the new version learned and what it says; a run that was stopped is not kept waiting for it."""
    general, strengths = (
        _examined(task, material, prepared, outcome, JobLog(run)) if not outcome.stopped else ((), ())
    )
    return Report(
        questions=tuple(sample_questions(material)),
        samples=tuple(outcome.progress.samples),
        training=_curve(run),
        general=general,
        strengths=strengths,
        learned=tuple(sorted(digests_of(material.conversations))),
        documents=material.documents,
        estimated_seconds=task.estimate.get("seconds"),
        estimated_memory=task.estimate.get("memory"),
    )


def code_version() -> str:
    """Quartet's version, and a hash of the code that writes prompts and trains."""
    here = Path(__file__).parent
    digest = digest_of_files([here.parent / "prompts.py", *sorted(here.glob("*.py"))])
    return f"{version('quartet')}+{digest[:12]}"


def _examined(
    task: Task, material: Material, prepared: Prepared, outcome: "Outcome", log: JobLog
) -> tuple[tuple[GeneralAnswer, ...], tuple[Strength, ...]]:
    from assistant.training.saying import answers
    from assistant.training.trainer import take_up

    questions = QUESTIONS[: task.settings.general_questions]
    if not questions or outcome.adapter is None:
        return (), ()
    log.write("stage", text=f"Asking {len(questions)} everyday questions before and after")
    take_up(outcome.model, outcome.adapter)
    turns = [Turn((), question, "") for question in questions] + held_turns(material, VOICE_QUESTIONS)
    asked = chats(prepared.writer, turns)
    replies = [
        "\n".join(message.content for message in each.messages if message.role == "assistant")
        for each in material.split.train
    ]
    return examine(
        questions,
        lambda strength: answers(outcome.model, prepared.tokenizer, asked, strength=strength),
        company_phrases(replies, instructions=system_prompt(material.brand)),
    )


def _curve(run: Path) -> tuple[tuple[int, float], ...]:
    by_step = {event["step"]: event["loss"] for event in read_log(run) if event.get("event") == "step"}
    points: Sequence[tuple[int, float]] = sorted(by_step.items())
    every = max(1, -(-len(points) // MOST_POINTS))
    return tuple(points[::every])
