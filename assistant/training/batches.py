"""Which examples are learned together: batches of like length, in a seeded order, for the whole run.

The plan is made once and depends on nothing but its arguments, so an interrupted run can go on at any step.
It knows lengths. It does not know torch.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.training.labels import IGNORED, Example

NEIGHBOURS = 512
"""Examples sorted by length together; more means less padding and less chance in who meets whom."""


@dataclass(frozen=True)
class Batch:
    """Examples that go through the model together, padded to the longest."""

    examples: tuple[Example, ...]

    @property
    def tokens(self) -> int:
        """Tokens without padding."""
        return sum(map(len, self.examples))


def plan(examples: Sequence[Example], *, epochs: int, batch_tokens: int, seed: int) -> list[Batch]:
    """The batches of all epochs in order; each epoch has every example once.

    Args:
        examples: what is learned.
        epochs: how often.
        batch_tokens: tokens a batch may have with padding; what all examples begin with counts once.
        seed: of the order.
    """
    chance = random.Random(seed)  # noqa: S311 - has to be repeatable
    shared = common_prefix(examples)
    batches: list[Batch] = []
    for _ in range(epochs):
        shuffled = chance.sample(examples, len(examples))
        epoch = [
            batch
            for start in range(0, len(shuffled), NEIGHBOURS)
            for batch in _cut(shuffled[start : start + NEIGHBOURS], shared, batch_tokens)
        ]
        chance.shuffle(epoch)
        batches += epoch
    return batches


def in_order(examples: Sequence[Example], *, batch_tokens: int) -> list[Batch]:
    """Batches of like length without chance, for evaluation."""
    return list(_cut(examples, common_prefix(examples), batch_tokens))


def shares(steps: Sequence[Sequence[Batch]], processes: int) -> list[list[tuple[Batch, ...]]]:
    """What each process learns in each step: its share of the batches, as many for every process.

    Where the batches of a step don't go round, the gap is filled with one from which nothing is learned.
    """
    even = [_filled_up(batches, processes) for batches in steps]
    return [[tuple(batches[rank::processes]) for batches in even] for rank in range(processes)]


def _filled_up(batches: Sequence[Batch], processes: int) -> list[Batch]:
    shortest = min((example for batch in batches for example in batch.examples), key=len)
    blank = Batch((replace(shortest, labels=(IGNORED,) * len(shortest)),))
    return [*batches, *[blank] * (-len(batches) % processes)]


def common_prefix(examples: Sequence[Example]) -> int:
    """How many first tokens all examples have in common: the brand's instructions."""
    shortest = min(map(len, examples), default=0)
    first = [example.input_ids[:shortest] for example in examples]
    return next(
        (place for place, tokens in enumerate(zip(*first, strict=True)) if len(set(tokens)) > 1), shortest
    )


def _cut(examples: Sequence[Example], shared: int, batch_tokens: int) -> Iterator[Batch]:
    """Batches of at most `batch_tokens` tokens with padding; a longer example is alone in its batch."""
    batch: list[Example] = []
    for example in sorted(examples, key=len):
        if batch and shared + (len(example) - shared) * (len(batch) + 1) > batch_tokens:
            yield Batch(tuple(batch))
            batch = []
        batch.append(example)
    if batch:
        yield Batch(tuple(batch))
