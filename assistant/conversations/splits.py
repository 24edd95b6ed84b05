"""Which conversations are held out, and which must stay together: near-duplicates, and those of one customer.

It knows likeness, customers and times. It does not know training.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from assistant.conversations.likeness import alike, words_of
from assistant.conversations.model import Conversation

SMALLEST_TO_SPLIT = 32
"""Conversations below which none is held out for evaluation."""
NEAR_DUPLICATE = 0.8
"""Share of words two conversations have in common (Jaccard) from which on they count as the same."""
DATED = 0.9
"""Share of conversations that need a time for the split to go by it."""
SHARED_ADDRESS = 0.2
"""Share of all conversations from which on a customer counts as an address that many share."""


@dataclass(frozen=True)
class Split:
    """Conversations to learn from, and those held out to measure with: the newest if `by_time`."""

    train: tuple[Conversation, ...]
    evaluation: tuple[Conversation, ...]
    by_time: bool = False


def split(conversations: Sequence[Conversation], *, share: float = 0.1, seed: int = 0) -> Split:
    """Hold out a share of the conversations: the newest where they have times, else some by chance.

    Near-duplicates and the conversations of one customer stay on the same side. Nothing is held out of fewer
    than `SMALLEST_TO_SPLIT` conversations.
    """
    if len(conversations) < SMALLEST_TO_SPLIT:
        return Split(tuple(conversations), ())
    groups = _groups(conversations)
    by_time = sum(bool(each.time) for each in conversations) >= DATED * len(conversations)
    if by_time:
        groups.sort(key=lambda group: min(conversations[index].time for index in group), reverse=True)
    else:
        random.Random(seed).shuffle(groups)  # noqa: S311 - has to be repeatable
    wanted = round(share * len(conversations))
    held: set[int] = set()
    for group in groups:
        if len(held) + len(group) <= wanted:
            held.update(group)
    return Split(
        tuple(conversation for index, conversation in enumerate(conversations) if index not in held),
        tuple(conversations[index] for index in sorted(held)),
        by_time,
    )


def near_duplicate_rate(conversations: Sequence[Conversation], threshold: float = NEAR_DUPLICATE) -> float:
    """Share of the conversations that have a near-duplicate among the others."""
    if not conversations:
        return 0.0
    pairs = alike([words_of(each) for each in conversations], threshold)
    return len({index for pair in pairs for index in pair}) / len(conversations)


def _groups(conversations: Sequence[Conversation]) -> list[list[int]]:
    """Indices in groups that stay together, in the order of their first member."""
    leader = list(range(len(conversations)))

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    for first, second in _joined(conversations):
        low, high = sorted((find(first), find(second)))
        leader[high] = low
    groups: dict[int, list[int]] = {}
    for index in range(len(conversations)):
        groups.setdefault(find(index), []).append(index)
    return list(groups.values())


def _joined(conversations: Sequence[Conversation]) -> Iterator[tuple[int, int]]:
    """Pairs that must not be parted."""
    yield from alike([words_of(each) for each in conversations], NEAR_DUPLICATE)
    yield from _of_one_customer([each.customer for each in conversations])


def _of_one_customer(customers: Sequence[str]) -> Iterable[tuple[int, int]]:
    most = SHARED_ADDRESS * len(customers)
    single = {customer for customer, count in Counter(customers).items() if customer and count <= most}
    seen: dict[str, int] = {}
    for index, customer in enumerate(customers):
        if customer in single:
            yield seen.setdefault(customer, index), index
