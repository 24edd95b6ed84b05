"""One training from start to end: read, check, write examples, train, install.

It knows the order of things and what to tell the log. It does not know tensors (`trainer.py`).
"""

import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant import adapters
from assistant.brand import Brand, read_brand
from assistant.conversations import Conversation, ConversationStore, Split, read_conversations, split
from assistant.errors import AssistantError
from assistant.jobs import JobLog
from assistant.prompts import Message, prompt_hash, system_prompt
from assistant.training.batches import Batch, in_order, plan
from assistant.training.examples import Example, ExampleSet, Library, Writer, build_examples
from assistant.training.settings import TrainingSettings
from assistant.workspace import Workspace, open_workspace, read_json

FEWEST = 8
"""Conversations a training needs."""
NICENESS = 10
"""How far a training stands back for the assistants that answer meanwhile (0 not at all, 19 wholly)."""
EVALUATION_EXAMPLES = 24
"""Held-out examples that are measured; more would cost time and change little."""


@dataclass(frozen=True)
class Task:
    """What a job folder asks for."""

    workspace: Workspace
    model: Path
    conversations: tuple[Path, ...] | None
    """Files to learn from; None for the workspace's own."""
    settings: TrainingSettings


@dataclass(frozen=True)
class Material:
    """All that a training learns from, and how it reads it."""

    brand: Brand
    split: Split
    library: Library | None
    index_version: str


def run(folder: Path) -> None:
    """Carry out the training that `folder`/job.json describes, and write its course to the log.

    Raises:
        AssistantError: something in the input has to be put right first.
    """
    log, began = JobLog(folder), time.monotonic()
    log.write("stage", text="Reading the conversations")
    task = read_task(folder)
    material = _material(task)
    log.write("stage", text="Loading the model")
    _train(task, material, folder, log, began)


def read_task(folder: Path) -> Task:
    """What `folder`/job.json asks for, checked.

    Raises:
        AssistantError: a field is missing or wrong.
    """
    values = read_json(folder / "job.json")
    for key in ("workspace", "model"):
        if not isinstance(values.get(key), str):
            raise AssistantError(
                f'{folder / "job.json"}: "{key}" is {values.get(key)!r}; it should be a folder. Add it.'
            )
    model = Path(values["model"])
    if not (model / "config.json").is_file():
        raise AssistantError(
            f"The base model {model} has no config.json. Name the folder of a model in safetensors."
        )
    files = values.get("conversations")
    return Task(
        workspace=open_workspace(Path(values["workspace"])),
        model=model,
        conversations=None if files is None else tuple(Path(file) for file in files),
        settings=TrainingSettings.of(values.get("settings") or {}),
    )


def _material(task: Task) -> Material:
    conversations = _conversations(task)
    if len(conversations) < FEWEST:
        raise AssistantError(
            f"There are {len(conversations)} usable conversations; a training needs at least {FEWEST}. "
            "Add more on the page Conversations."
        )
    brand_file = task.workspace.brand_file
    brand = read_brand(brand_file) if brand_file.exists() else Brand(name=task.workspace.root.name)
    library, version = _library(task)
    parts = split(conversations, share=task.settings.evaluation_share, seed=task.settings.seed)
    return Material(brand, parts, library, version)


def _conversations(task: Task) -> tuple[Conversation, ...]:
    if task.conversations is None:
        return ConversationStore(task.workspace.conversations).read().conversations
    return tuple(each for path in task.conversations for each in read_conversations(path).conversations)


def _library(task: Task) -> tuple[Library | None, str]:
    """The company's knowledge base and its version; None where no passages can or shall be shown."""
    if task.settings.grounded_share == 0 or not any(task.workspace.knowledge.iterdir()):
        return None, ""
    # FAISS and the embedding model take seconds to load, and only companies with documents need them.
    from assistant.models import embedding_model
    from knowledge.embedding import SentenceEncoder
    from knowledge.retrieval import KnowledgeBase

    knowledge = KnowledgeBase(
        task.workspace.knowledge, lambda: SentenceEncoder(embedding_model(lambda *_: None))
    )
    return (knowledge, str(knowledge.version)) if len(knowledge) else (None, "")


def _train(task: Task, material: Material, folder: Path, log: JobLog, began: float) -> None:
    # Torch and TRL take ten seconds to load: only now, when the input is known to be sound.
    import torch

    from assistant.training.trainer import train
    from assistant.weights import find_placement, load_model, load_tokenizer, thread_budget

    settings = task.settings
    torch.set_num_threads(settings.threads or thread_budget())
    tokenizer = load_tokenizer(task.model)
    special = tuple(token.content for token in tokenizer.added_tokens_decoder.values())
    writer = Writer(tokenizer, special, material.brand, settings.max_length)
    learned, held = _examples(material, writer, settings, log)
    batches = plan(
        learned.examples, epochs=settings.epochs, batch_tokens=settings.batch_tokens, seed=settings.seed
    )
    size = settings.batches_per_step
    steps = [batches[start : start + size] for start in range(0, len(batches), size)]
    placement = find_placement()
    log.write("stage", text=f"Training on {placement}")
    outcome = train(
        load_model(task.model, placement),
        tokenizer,
        steps,
        in_order(held, batch_tokens=settings.batch_tokens),
        settings,
        folder=folder,
        plan=_plan_digest(batches),
        log=log,
        base_name=task.model.name,
    )
    ending = "stopped" if outcome.stopped else "finished"
    if outcome.adapter is None:
        log.write(ending, adapter=None)
        return
    lineage = _lineage(task, material, learned, outcome.progress, time.monotonic() - began)
    installed = adapters.install(task.workspace.adapters, outcome.adapter, lineage)
    log.write(ending, adapter=installed.key)


def _examples(
    material: Material, writer: Writer, settings: TrainingSettings, log: JobLog
) -> tuple[ExampleSet, tuple[Example, ...]]:
    def looked_up(done: int, total: int) -> None:
        if done % 50 == 0 or done == total:
            log.write("stage", text=f"Looking up passages: {done:,} of {total:,}")

    learned = build_examples(
        material.split.train, writer, settings, library=material.library, progress=looked_up
    )
    held = build_examples(material.split.evaluation, writer, settings, library=material.library)
    log.write("stage", text=_what_was_built(learned, held, settings.max_length))
    if not learned.examples:
        raise AssistantError(
            f"No example fits into {settings.max_length:,} tokens: the instructions and one question with "
            'its answer are longer. Raise "max_length", or shorten the instructions on the page Company.'
        )
    # Evenly over the list, so that bare and grounded examples are both measured.
    every = max(1, -(-len(held.examples) // EVALUATION_EXAMPLES))
    return learned, held.examples[::every]


def _what_was_built(learned: ExampleSet, held: ExampleSet, max_length: int) -> str:
    parts = [
        f"{len(learned.examples):,} examples ({learned.grounded:,} with passages), {learned.tokens:,} tokens"
    ]
    parts += [f"{len(held.examples):,} held out"]
    if learned.dropped_turns:
        parts.append(f"{learned.dropped_turns:,} oldest messages dropped to fit {max_length:,} tokens")
    if learned.dropped_examples:
        parts.append(f"{learned.dropped_examples:,} examples left out, too long for {max_length:,} tokens")
    return "; ".join(parts)


def _plan_digest(batches: Sequence[Batch]) -> str:
    digest = hashlib.sha256()
    for batch in batches:
        for example in batch.examples:
            digest.update(json.dumps([example.input_ids, example.labels]).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _lineage(
    task: Task, material: Material, learned: ExampleSet, progress: Any, seconds: float
) -> adapters.Lineage:
    train = material.split.train
    texts = [[(message.role, message.content) for message in each.messages] for each in train]
    return adapters.Lineage(
        base=task.model.name,
        base_digest=adapters.base_digest(task.model),
        data_digest=adapters.data_digest(texts),
        index_version=material.index_version,
        prompt_hash=prompt_hash([Message("system", system_prompt(material.brand))]),
        settings=asdict(task.settings),
        losses=tuple(progress.losses),
        seconds=round(seconds, 1),
        tokens=progress.tokens,
        conversations=len(train),
        examples=len(learned.examples),
        grounded=learned.grounded,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        name=task.settings.name,
    )


def prepare_environment() -> None:
    """Keep the libraries off the network and on one card; call before they are loaded."""
    # Answers come first: a training takes the processor time that they leave.
    os.nice(NICENESS)
    # Threads that wait give their processor back: on a busy machine spinning ones halve the speed.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="false")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
