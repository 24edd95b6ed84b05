"""Which conversations are held out, and which are so alike that they must stay together.

It knows words and sets of them. It does not know training.
"""

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from datasketch import MinHash, MinHashLSH

from assistant.conversations.reading import Conversation

SMALLEST_TO_SPLIT = 32
"""Conversations below which none is held out for evaluation."""
NEAR_DUPLICATE = 0.8
"""Share of words two conversations have in common (Jaccard) from which on they count as the same."""


@dataclass(frozen=True)
class Split:
    """Conversations to learn from, and those held out to measure with."""

    train: tuple[Conversation, ...]
    evaluation: tuple[Conversation, ...]


def split(conversations: Sequence[Conversation], *, share: float = 0.1, seed: int = 0) -> Split:
    """Hold out a share of the conversations; near-duplicates stay on the same side.

    Nothing is held out of fewer than `SMALLEST_TO_SPLIT` conversations.
    """
    if len(conversations) < SMALLEST_TO_SPLIT:
        return Split(tuple(conversations), ())
    groups = _groups(conversations)
    random.Random(seed).shuffle(groups)  # noqa: S311 - has to be repeatable
    wanted = round(share * len(conversations))
    held: set[int] = set()
    for group in groups:
        if len(held) + len(group) <= wanted:
            held.update(group)
    return Split(
        tuple(conversation for index, conversation in enumerate(conversations) if index not in held),
        tuple(conversations[index] for index in sorted(held)),
    )


def near_duplicate_rate(conversations: Sequence[Conversation], threshold: float = NEAR_DUPLICATE) -> float:
    """Share of the conversations that have a near-duplicate among the others."""
    if not conversations:
        return 0.0
    alike = {index for pair in _alike([_words(each) for each in conversations], threshold) for index in pair}
    return len(alike) / len(conversations)


def _groups(conversations: Sequence[Conversation]) -> list[list[int]]:
    """Indices in groups joined by near-duplication, in the order of their first member."""
    leader = list(range(len(conversations)))

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    for first, second in _alike([_words(each) for each in conversations], NEAR_DUPLICATE):
        low, high = sorted((find(first), find(second)))
        leader[high] = low
    groups: dict[int, list[int]] = {}
    for index in range(len(conversations)):
        groups.setdefault(find(index), []).append(index)
    return list(groups.values())


def _words(conversation: Conversation) -> frozenset[str]:
    turns = (message.content for message in conversation.messages if message.role != "system")
    return frozenset(re.findall(r"\w+", " ".join(turns).lower()))


def _alike(word_sets: Sequence[frozenset[str]], threshold: float) -> Iterator[tuple[int, int]]:
    """Pairs whose words overlap by `threshold` or more: candidates by MinHash, then counted exactly."""
    # 32 bands of 4 find a pair at Jaccard 0.8 but for one in 20 million.
    index = MinHashLSH(num_perm=128, params=(32, 4))
    hashes: Iterable[MinHash] = MinHash.generator(
        [[word.encode() for word in words] for words in word_sets], num_perm=128
    )
    for number, minhash in enumerate(hashes):
        for candidate in index.query(minhash):
            union = len(word_sets[number] | word_sets[candidate])
            if union == 0 or len(word_sets[number] & word_sets[candidate]) / union >= threshold:
                yield candidate, number
        index.insert(number, minhash)
