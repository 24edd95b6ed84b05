"""A training made ready: its tokenizer, its examples and batches, and the questions people read along.

It knows what is learned and what is held out. It does not know the model's weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assistant.adapters import SampleQuestion
from assistant.errors import AssistantError
from assistant.jobs import JobLog
from assistant.prompts import Message, chat_messages
from assistant.training.batches import Batch, plan
from assistant.training.estimate import EVALUATION_EXAMPLES
from assistant.training.examples import ExampleSet, Turn, Writer, build_examples, turns_of
from assistant.training.labels import Example
from assistant.training.settings import TrainingSettings
from assistant.training.task import Material, Task

SAMPLES = 3
"""Held-out questions that the growing adapter answers at each evaluation."""


@dataclass(frozen=True)
class Prepared:
    """All that is needed to train, but for the model's weights."""

    tokenizer: Any
    writer: Writer
    learned: ExampleSet
    held: tuple[Example, ...]
    batches: tuple[Batch, ...]

    def steps(self, size: int) -> list[Sequence[Batch]]:
        """The batches of each step."""
        return [self.batches[start : start + size] for start in range(0, len(self.batches), size)]


def chats(writer: Writer, turns: Sequence[Turn]) -> list[tuple[Message, ...]]:
    """What the model reads when it is asked for these replies."""
    return [
        chat_messages(writer.brand, turn.question, turn.history, special=writer.special) for turn in turns
    ]


def sample_questions(material: Material) -> list[SampleQuestion]:
    """The held-out questions that people read along, and what the company had answered."""
    return [SampleQuestion(turn.question, turn.answer) for turn in held_turns(material, SAMPLES)]


def held_turns(material: Material, count: int) -> list[Turn]:
    """The last replies of conversations that were held out, evenly over all of them."""
    last = [turns_of(conversation)[-1] for conversation in material.split.evaluation]
    every = max(1, len(last) // count)
    return last[::every][:count]


def prepare(task: Task, material: Material, log: JobLog) -> Prepared:
    """Load the tokenizer and write all examples and batches.

    Raises:
        AssistantError: no example fits into the length.
    """
    from assistant.engine.room import window_of
    from assistant.weights import load_tokenizer

    settings = task.settings
    tokenizer = load_tokenizer(task.model)
    special = tuple(token.content for token in tokenizer.added_tokens_decoder.values())
    writer = Writer(tokenizer, special, material.brand, settings.max_length, window_of(task.model))
    learned, held = _examples(material, writer, settings, log)
    batches = plan(
        learned.examples, epochs=settings.epochs, batch_tokens=settings.batch_tokens, seed=settings.seed
    )
    return Prepared(tokenizer, writer, learned, held, tuple(batches))


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
    log.write("examples", **_counts(learned, held))
    if not learned.examples:
        raise AssistantError(
            f"No example fits into {settings.max_length:,} tokens: the instructions and one question with "
            'its answer are longer. Raise "max_length", or shorten the instructions on the page Company.'
        )
    # Evenly over the list, so that bare and grounded examples are both measured.
    every = max(1, -(-len(held.examples) // EVALUATION_EXAMPLES))
    return learned, held.examples[::every]


def _counts(learned: ExampleSet, held: ExampleSet) -> dict[str, int]:
    return {
        "examples": len(learned.examples),
        "grounded": learned.grounded,
        "tokens": learned.tokens,
        "held": len(held.examples),
        "cut": learned.cut,
        "windows": learned.windows,
        "dropped_turns": learned.dropped_turns,
        "dropped_examples": learned.dropped_examples,
    }


def _what_was_built(learned: ExampleSet, held: ExampleSet, max_length: int) -> str:
    parts = [
        f"{len(learned.examples):,} examples ({learned.grounded:,} with passages), {learned.tokens:,} tokens"
    ]
    parts += [f"{len(held.examples):,} held out"]
    if learned.cut:
        parts.append(
            f"{learned.cut:,} conversations above {max_length:,} tokens became {learned.windows:,} windows"
        )
    if learned.dropped_turns:
        parts.append(f"{learned.dropped_turns:,} earlier messages left out before passages")
    if learned.dropped_examples:
        parts.append(f"{learned.dropped_examples:,} replies left out, too long for {max_length:,} tokens")
    return "; ".join(parts)
