"""Which conversations are alike, told by the words they have in common (Jaccard), found with MinHash.

It knows sets of words. It does not know what follows from likeness.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from assistant.conversations.model import Conversation

if TYPE_CHECKING:
    from datasketch import MinHash, MinHashLSH

HASHES = 128


def words_of(conversation: Conversation) -> frozenset[str]:
    """The words of a conversation's own messages."""
    turns = (message.content for message in conversation.messages if message.role != "system")
    return frozenset(re.findall(r"\w+", " ".join(turns).lower()))


class Likeness:
    """Conversations seen so far; tells of a new one whether it is like one of them.

    Keeps a sketch of each, no words, so that tens of thousands take little memory; likeness is estimated from
    128 hashes, right to about 0.03.
    """

    def __init__(self, threshold: float) -> None:
        # 10 bands of 12 find 96 % of pairs at 0.9 and hardly compare those at 0.6.
        self._index = _index(10, 12)
        self._sketches: list[np.ndarray] = []
        self._conversations: list[Conversation] = []
        self._threshold = threshold

    def add(self, words: frozenset[str], conversation: Conversation) -> Conversation | None:
        """The one it is like; if there is none, it is kept to compare later ones with."""
        sketch = _sketch(words)
        for candidate in self._index.query(sketch):
            if np.mean(self._sketches[candidate] == sketch.hashvalues) >= self._threshold:
                return self._conversations[candidate]
        self._index.insert(len(self._sketches), sketch)
        self._sketches.append(sketch.hashvalues)
        self._conversations.append(conversation)
        return None


def alike(word_sets: Sequence[frozenset[str]], threshold: float) -> Iterator[tuple[int, int]]:
    """Pairs whose words overlap by `threshold` or more: candidates by MinHash, then counted exactly."""
    # 32 bands of 4 find a pair at Jaccard 0.8 but for one in 20 million.
    index = _index(32, 4)
    for number, minhash in enumerate(map(_sketch, word_sets)):
        for candidate in index.query(minhash):
            union = len(word_sets[number] | word_sets[candidate])
            if union == 0 or len(word_sets[number] & word_sets[candidate]) / union >= threshold:
                yield candidate, number
        index.insert(number, minhash)


def _sketch(words: frozenset[str]) -> "MinHash":
    """128 numbers that tell of words how alike they are to others."""
    sketch = _blank().copy()
    sketch.update_batch([word.encode() for word in words])
    return sketch


@cache
def _blank() -> "MinHash":
    """A sketch of no words, to copy: how it hashes takes longer to draw than most sketches take."""
    from datasketch import MinHash  # only now, as it loads SciPy

    return MinHash(num_perm=HASHES)


def _index(bands: int, rows: int) -> "MinHashLSH":
    """Finds sketches that agree in all rows of at least one band."""
    from datasketch import MinHashLSH

    return MinHashLSH(num_perm=HASHES, params=(bands, rows))
