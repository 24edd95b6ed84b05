"""One training from start to end: read, check, write examples, train, look at what came out, install.

It knows the order of things and what to tell the log. It does not know tensors (`trainer.py`) or
processes (`followers.py`).
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.adapters import install
from assistant.jobs import JobLog
from assistant.training.batches import Batch, in_order
from assistant.training.checkpoints import Resumption, discard, find_resumption
from assistant.training.followers import followed, how_many
from assistant.training.machine import keep_to_one_card
from assistant.training.parts import Part, deal, placement_for
from assistant.training.prepared import SAMPLES, Prepared, chats, held_turns, prepare, sample_questions
from assistant.training.results import lineage_of, report_of
from assistant.training.task import Material, Task, gather, read_task

if TYPE_CHECKING:
    from assistant.training.trainer import Outcome
    from assistant.weights import Placement


@dataclass(frozen=True)
class _Run:
    """What all that happens in a run refers to."""

    folder: Path
    task: Task
    material: Material
    log: JobLog
    began: float


def run(folder: Path, *, processes: int = 0) -> None:
    """Carry out the training that `folder`/job.json describes, and write its course to the log.

    Args:
        folder: of the job.
        processes: how many learn together where the settings leave it open; 0 leaves it to the machine.

    Raises:
        AssistantError: something in the input has to be put right first.
    """
    log, began, cards = JobLog(folder), time.monotonic(), keep_to_one_card()
    log.write("stage", text="Reading the conversations")
    task = read_task(folder)
    task = replace(task, settings=replace(task.settings, processes=task.settings.processes or processes))
    material = gather(task)
    log.write("questions", questions=[vars(each) for each in sample_questions(material)])
    log.write("stage", text="Loading the model")
    _train(_Run(folder, task, material, log, began), cards)


def _train(run: _Run, cards: Sequence[str]) -> None:
    # Torch and TRL take ten seconds to load: only now, when the input is known to be sound.
    import torch

    from assistant.training.memory import check_fits
    from assistant.weights import thread_budget

    settings = run.task.settings
    threads = settings.threads or thread_budget()
    torch.set_num_threads(threads)
    placement = placement_for(settings)
    prepared = prepare(run.task, run.material, run.log)
    cards = cards if placement.device.type == "cuda" else ()
    size = how_many(settings, len(cards), len(prepared.batches))
    check_fits(run.task.model, placement, copies=1 if cards else size)
    run.log.write("stage", text=f"Training on {placement}" + f", {size} processes together" * (size > 1))
    steps = prepared.steps(settings.batches_per_step * size)
    found = _resumption(run, steps)
    share = max(1, threads // size)
    whole = Part(run.folder, run.task.model, settings, steps, found.checkpoint, threads=share, size=size)
    torch.set_num_threads(share)
    outcome = _learn(run, prepared, placement, found, whole, cards)
    torch.set_num_threads(threads)
    # Where a version comes from is told with how many there were, not with "as many as there are cards".
    told = replace(run.task, settings=replace(settings, processes=size))
    _conclude(replace(run, task=told), prepared, outcome)


def _resumption(run: _Run, steps: Sequence[Sequence[Batch]]) -> Resumption:
    """Where the training goes on, told to the log."""
    found = find_resumption(run.folder, _plan_digest(steps))
    for text in found.damaged:
        run.log.write("stage", text=text)
    if found.checkpoint:
        run.log.write("stage", text=f"Going on after step {found.progress.step} of {len(steps)}")
    elif found.damaged:
        run.log.write("stage", text="Starting from the beginning: no checkpoint is whole")
    return found


def _learn(
    run: _Run,
    prepared: Prepared,
    placement: "Placement",
    found: Resumption,
    whole: Part,
    cards: Sequence[str],
) -> "Outcome":
    """Take the first part of the training, with a follower for each of the others."""
    own, *others = deal(whole, cards)
    with followed(others) as meet:
        # Only now: the followers take the same seconds to load the same libraries.
        from assistant.training.saying import answers
        from assistant.training.trainer import train
        from assistant.weights import load_model

        sampled = chats(prepared.writer, held_turns(run.material, SAMPLES))
        return train(
            load_model(run.task.model, placement),
            prepared.tokenizer,
            own,
            in_order(prepared.held, batch_tokens=run.task.settings.batch_tokens),
            step_tokens=[sum(batch.tokens for batch in step) for step in whole.steps],
            progress=found.progress,
            meet=meet,
            log=run.log,
            sample=(lambda model: answers(model, prepared.tokenizer, sampled)) if sampled else None,
        )


def _conclude(run: _Run, prepared: Prepared, outcome: "Outcome") -> None:
    """Throw away what was learned, if that is asked for; else make it the next version."""
    log, task = run.log, run.task
    if "discard" in (outcome.stopped, log.stop_wanted):
        discard(run.folder)
        log.write("stopped", adapter=None, discarded=True)
        return
    ending = "stopped" if outcome.stopped else "finished"
    if outcome.adapter is None:
        log.write(ending, adapter=None)
        return
    report = report_of(task, run.material, prepared, outcome, run.folder)
    seconds = time.monotonic() - run.began
    lineage = lineage_of(task, run.material, prepared.learned, outcome.progress, seconds)
    installed = install(task.workspace.adapters, outcome.adapter, lineage, report)
    log.write(ending, adapter=installed.key, seconds=lineage.seconds, estimated=report.estimated_seconds)


def _plan_digest(steps: Sequence[Sequence[Batch]]) -> str:
    digest = hashlib.sha256()
    for step in steps:
        for batch in step:
            for example in batch.examples:
                digest.update(json.dumps([example.input_ids, example.labels]).encode())
            digest.update(b"\n")
        digest.update(b"step\n")
    return digest.hexdigest()
