"""One training from start to end: read, check, write examples, train, look at what came out, install.

It knows the order of things and what to tell the log. It does not know tensors (`trainer.py`).
"""

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.adapters import install
from assistant.jobs import JobLog
from assistant.training.batches import Batch, in_order
from assistant.training.checkpoints import discard
from assistant.training.prepared import SAMPLES, Prepared, chats, held_turns, prepare, sample_questions
from assistant.training.results import lineage_of, report_of
from assistant.training.task import Material, Task, gather, read_task

if TYPE_CHECKING:
    from assistant.training.trainer import Outcome


def run(folder: Path) -> None:
    """Carry out the training that `folder`/job.json describes, and write its course to the log.

    Raises:
        AssistantError: something in the input has to be put right first.
    """
    log, began = JobLog(folder), time.monotonic()
    log.write("stage", text="Reading the conversations")
    task = read_task(folder)
    material = gather(task)
    log.write("questions", questions=[vars(each) for each in sample_questions(material)])
    log.write("stage", text="Loading the model")
    _train(task, material, folder, log, began)


def _train(task: Task, material: Material, folder: Path, log: JobLog, began: float) -> None:
    # Torch and TRL take ten seconds to load: only now, when the input is known to be sound.
    import torch

    from assistant.training.memory import check_fits
    from assistant.training.saying import answers
    from assistant.training.trainer import train
    from assistant.weights import find_placement, load_model, thread_budget

    settings = task.settings
    torch.set_num_threads(settings.threads or thread_budget())
    prepared = prepare(task, material, log)
    placement = find_placement()
    check_fits(task.model, placement.dtype.itemsize)
    log.write("stage", text=f"Training on {placement}")
    sampled = chats(prepared.writer, held_turns(material, SAMPLES))
    outcome = train(
        load_model(task.model, placement),
        prepared.tokenizer,
        prepared.steps(settings.batches_per_step),
        in_order(prepared.held, batch_tokens=settings.batch_tokens),
        settings,
        folder=folder,
        plan=_plan_digest(prepared.batches),
        log=log,
        base_name=task.model.name,
        sample=(lambda model: answers(model, prepared.tokenizer, sampled)) if sampled else None,
    )
    _conclude(task, material, prepared, outcome, folder, log, began)


def _conclude(
    task: Task,
    material: Material,
    prepared: Prepared,
    outcome: "Outcome",
    folder: Path,
    log: JobLog,
    began: float,
) -> None:
    """Throw away what was learned, if that is asked for; else make it the next version."""
    if "discard" in (outcome.stopped, log.stop_wanted):
        discard(folder)
        log.write("stopped", adapter=None, discarded=True)
        return
    ending = "stopped" if outcome.stopped else "finished"
    if outcome.adapter is None:
        log.write(ending, adapter=None)
        return
    report = report_of(task, material, prepared, outcome, folder)
    lineage = lineage_of(task, material, prepared.learned, outcome.progress, time.monotonic() - began)
    installed = install(task.workspace.adapters, outcome.adapter, lineage, report)
    log.write(ending, adapter=installed.key, seconds=lineage.seconds, estimated=report.estimated_seconds)


def _plan_digest(batches: Sequence[Batch]) -> str:
    digest = hashlib.sha256()
    for batch in batches:
        for example in batch.examples:
            digest.update(json.dumps([example.input_ids, example.labels]).encode())
        digest.update(b"\n")
    return digest.hexdigest()
