"""`python -m assistant.training.measuring JOBFOLDER`: measure a few steps of the training that it describes.

It knows what to time and how to scale it. What it amounts to is reckoned by `estimate.py`.
"""

import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

import psutil

from assistant.conversations import Conversation
from assistant.jobs import JobLog
from assistant.prompts import chat_messages
from assistant.training.batches import Batch, plan
from assistant.training.estimate import Measurement, keep_measurement
from assistant.training.examples import Writer, build_examples, turns_of
from assistant.training.general import QUESTIONS
from assistant.training.labels import Example
from assistant.training.machine import keep_to_one_card
from assistant.training.parts import placement_for
from assistant.training.prepared import SAMPLES, chats, held_turns
from assistant.training.processes import carry_out
from assistant.training.results import VOICE_QUESTIONS
from assistant.training.settings import TrainingSettings
from assistant.training.task import Material, Task, gather, read_task

CONVERSATIONS = 48
"""Conversations that are written as tokens to see how long they are."""
REPLIES = 16
"""Replies whose passages are looked up."""
STEPS = 4
"""Steps that are timed, after one that warms up on the largest batch."""


@dataclass(frozen=True)
class Written:
    """Some of the conversations as examples, and what that took for each."""

    bare: tuple[Example, ...]
    grounded: tuple[Example, ...]
    conversation_seconds: float
    lookup_seconds: float
    conversation_tokens: float
    replies: float


def measure(folder: Path) -> None:
    """Measure what `folder`/job.json describes, and keep it in the company's folder.

    Raises:
        AssistantError: something in the input has to be put right first.
    """
    log, cards = JobLog(folder), keep_to_one_card()
    log.write("stage", text="Reading the conversations")
    task = read_task(folder)
    material = gather(task)
    log.write("stage", text="Loading the model")
    measured = _measured(task, material, len(cards), log)
    keep_measurement(task.workspace, task.model, task.settings, measured)
    log.write("finished")


def _measured(task: Task, material: Material, cards: int, log: JobLog) -> Measurement:
    import torch

    from assistant.engine.room import window_of
    from assistant.training import trainer
    from assistant.training.course import mean_loss
    from assistant.training.memory import check_fits, peak_memory, room
    from assistant.training.saying import AT_ONCE, answers
    from assistant.weights import count_weights, load_model, load_tokenizer, thread_budget

    torch.set_num_threads(task.settings.threads or thread_budget())
    tokenizer, placement = load_tokenizer(task.model), placement_for(task.settings)
    processes = task.settings.processes or max(1, cards)
    # Each card adds its speed; on a processor they share its cores, and each takes memory.
    speed, copies = (processes, 1) if placement.device.type == "cuda" else (1, processes)
    check_fits(task.model, placement, copies=copies)
    free = room().free
    model = load_model(task.model, placement)
    special = tuple(token.content for token in tokenizer.added_tokens_decoder.values())
    writer = Writer(tokenizer, special, material.brand, task.settings.max_length, window_of(task.model))
    written, writing = _timed(lambda: _written(material, writer, task.settings))
    batches = _batches(written, task.settings)
    log.write("stage", text=f"Measuring {len(batches)} steps on {placement}")
    with tempfile.TemporaryDirectory() as checkpoints:
        learner, _ = _timed(
            lambda: trainer.make_trainer(
                model, tokenizer, [[batch] for batch in batches], task.settings, Path(checkpoints)
            )
        )
        started = time.time() - psutil.Process().create_time() - writing
        seconds = trainer.time_steps(learner)
    placed = [trainer.placed(batch, learner.model) for batch in batches]
    _, evaluating = _timed(lambda: mean_loss(learner.model, placed))
    # What is read along is asked as in the training: general questions are answered in fewer words.
    sampled = chats(writer, held_turns(material, SAMPLES))
    _, sampling = _timed(lambda: answers(learner.model, tokenizer, sampled))
    asked = [chat_messages(writer.brand, question, special=special) for question in QUESTIONS[:AT_ONCE]]
    _, asking = _timed(lambda: answers(learner.model, tokenizer, asked))
    return Measurement(
        tokens_per_second=speed * sum(batch.tokens for batch in batches[1:]) / max(sum(seconds[1:]), 1e-9),
        evaluation_tokens_per_second=sum(batch.tokens for batch in batches) / max(evaluating, 1e-9),
        sample_seconds=sampling,
        general_seconds=asking * (len(QUESTIONS) + VOICE_QUESTIONS) / len(asked),
        start_seconds=started,
        conversation_seconds=written.conversation_seconds,
        lookup_seconds=written.lookup_seconds,
        conversation_tokens=written.conversation_tokens,
        reply_tokens=mean(map(len, written.grounded)) if written.grounded else 0.0,
        replies=written.replies,
        peak_memory=peak_memory(copies),
        free_memory=free,
        trained=trainer.trained_weights(learner.model),
        weights=count_weights(task.model),
        place=str(placement),
    )


def _written(material: Material, writer: Writer, settings: TrainingSettings) -> Written:
    chance = random.Random(settings.seed)  # noqa: S311 - has to be repeatable
    train = material.split.train
    some = chance.sample(train, min(CONVERSATIONS, len(train)))
    bare, took = _timed(lambda: build_examples(some, writer, settings))
    turns = [turns_of(conversation) for conversation in some]
    grounded: tuple[Example, ...] = ()
    looking_up = 0.0
    if material.library:
        material.library.search(turns[0][0].question)  # the first search loads the encoder
        few = _with_replies(some, REPLIES)
        everything = replace(settings, grounded_share=1.0)
        both, looking_up = _timed(lambda: build_examples(few, writer, everything, library=material.library))
        grounded = tuple(example for example in both.examples if example.grounded)
    return Written(
        bare.examples,
        grounded,
        took / len(some),
        looking_up / max(len(grounded), 1),
        bare.tokens / len(some),
        mean(map(len, turns)),
    )


def _with_replies(conversations: list[Conversation], count: int) -> list[Conversation]:
    """The first conversations that have so many replies between them."""
    chosen: list[Conversation] = []
    replies = 0
    for conversation in conversations:
        if replies >= count:
            break
        chosen.append(conversation)
        replies += len(turns_of(conversation))
    return chosen


def _batches(written: Written, settings: TrainingSettings) -> list[Batch]:
    """The largest batch, which decides the peak of memory, and some drawn by chance."""
    share = round(settings.grounded_share * written.replies * len(written.bare))
    many = (written.grounded * (share // len(written.grounded) + 1))[:share] if written.grounded else ()
    batches = plan([*written.bare, *many], epochs=1, batch_tokens=settings.batch_tokens, seed=settings.seed)
    largest = max(batches, key=lambda batch: len(batch.examples) * max(map(len, batch.examples)))
    return [largest, *batches[:STEPS]]


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.monotonic()
    return work(), time.monotonic() - began


def main(arguments: list[str]) -> int:
    """Measure when the job's turn has come; the exit status is 1 if it failed, and 2 if no job is named."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("Usage: python -m assistant.training.measuring JOBFOLDER", file=sys.stderr)
        return 2
    return carry_out(Path(arguments[0]).resolve(), measure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
