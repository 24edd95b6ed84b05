"""What passages are about: their document, or the part of a large document that they stand in.

It knows which passages belong together and which topic a text names. It does not know vectors or ranks.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.chunking import SEPARATOR, Passage
from knowledge.lexical import LexicalIndex, words_of

LARGE = 60
"""Passages above which each chapter of a document, under its top headings, is a topic of its own."""


class Topics:
    """The topics of some passages; `of` holds the number of each passage's topic."""

    def __init__(self, passages: Sequence[Passage], words: Sequence[list[str]]) -> None:
        """Sort passages by what they are about; `words` holds those of each."""
        sizes = Counter(passage.document for passage in passages)
        keys = [_key(passage, sizes[passage.document] > LARGE) for passage in passages]
        numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        self.of = np.array([numbers[key] for key in keys], dtype=np.int64)
        self._titles = [frozenset(words_of(key[-1])) for key in numbers]
        held: list[list[str]] = [[] for _ in numbers]
        for found, topic in zip(words, self.of, strict=True):
            held[topic] += found
        self._lexical = LexicalIndex(held)

    def __len__(self) -> int:
        """How many topics there are."""
        return len(self._titles)

    def best(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Each topic's best passage score."""
        best = np.full(len(self), -np.inf, dtype=np.float32)
        np.maximum.at(best, self.of, scores)
        return best

    def lexical(self, text: str) -> NDArray[np.float32]:
        """How well each topic as a whole matches the words of a text."""
        return self._lexical.scores(text)

    def named(self, text: str) -> NDArray[np.bool_]:
        """Which topics a text calls by their whole name, such as a hotel or a product."""
        words = set(words_of(text))
        return np.array([bool(title) and title <= words for title in self._titles])


def _key(passage: Passage, large: bool) -> tuple[str, ...]:
    """What tells a topic from others; its last part is its name."""
    title = passage.title.partition(SEPARATOR)[0]
    return (
        (passage.document, title, passage.heading[0])
        if large and passage.heading
        else (passage.document, title)
    )
