"""Which conversations are alike, told by the words they have in common (Jaccard), found with MinHash.

It knows sets of words. It does not know what follows from likeness.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from datasketch import MinHash, MinHashLSH

from assistant.conversations.model import Conversation

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
        self._index = MinHashLSH(num_perm=HASHES, params=(10, 12))
        self._sketches: list[np.ndarray] = []
        self._conversations: list[Conversation] = []
        self._threshold = threshold

    def add(self, words: frozenset[str], conversation: Conversation) -> Conversation | None:
        """The one it is like; if there is none, it is kept to compare later ones with."""
        sketch = MinHash(num_perm=HASHES)
        sketch.update_batch([word.encode() for word in words])
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
    index = MinHashLSH(num_perm=HASHES, params=(32, 4))
    hashes: Iterable[MinHash] = MinHash.generator(
        [[word.encode() for word in words] for words in word_sets], num_perm=HASHES
    )
    for number, minhash in enumerate(hashes):
        for candidate in index.query(minhash):
            union = len(word_sets[number] | word_sets[candidate])
            if union == 0 or len(word_sets[number] & word_sets[candidate]) / union >= threshold:
                yield candidate, number
        index.insert(number, minhash)
