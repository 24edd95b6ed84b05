"""Search by words: BM25. It knows words and which of them say nothing; it does not know documents."""

import re
from bisect import bisect_left
from collections.abc import Sequence

import bm25s
import numpy as np
from numpy.typing import NDArray

# One letter of a script written without spaces is a word of its own.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+(?:['’][^\W_]+)?")

_STOP_WORDS = """
a about all also am an and any are as at be been but by can could did do does for from had has have he her him
his how i i'd i'll i'm i've if in into is it it's its just like me my no not of on or our please she should so
some such than thank thanks that that's the their them then there these they this those to too us was we were
what when where which who why will with would you your yes
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

SHORTEST_STEM, ENDING = 4, 2
"""Letters that words have in common which differ in their ending only, and letters of an ending."""


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, without those that every text holds."""
    words = (word.replace("’", "'").removesuffix("'s") for word in _WORD.findall(text.casefold()))
    return [word for word in words if word not in STOP_WORDS]


class LexicalIndex:
    """Texts searched by their words."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._words = [words_of(text) for text in texts]
        self._vocabulary = sorted({word for words in self._words for word in words})
        self._index: bm25s.BM25 | None = None
        if any(self._words):
            self._index = bm25s.BM25()
            self._index.index(self._words, show_progress=False)

    def knows(self, word: str) -> bool:
        """Whether a text holds the word, or one that differs in its ending: "refunds" for "refund"."""
        short = len(word) < SHORTEST_STEM
        stem = word if short else word[: max(SHORTEST_STEM, len(word) - ENDING)]
        place = bisect_left(self._vocabulary, stem)
        nearest = self._vocabulary[place] if place < len(self._vocabulary) else ""
        return nearest == word if short else nearest.startswith(stem)

    def scores(self, query: str) -> NDArray[np.float32]:
        """How well each text matches the query's words; 0 where it shares none."""
        words = words_of(query)
        if self._index is None or not words:
            return np.zeros(len(self._words), dtype=np.float32)
        return np.asarray(self._index.get_scores(words), dtype=np.float32)

    def shared_words(self, query: str, position: int) -> tuple[str, ...]:
        """The query's words that the text at `position` holds, in the query's order."""
        held = set(self._words[position])
        return tuple(dict.fromkeys(word for word in words_of(query) if word in held))
