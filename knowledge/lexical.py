"""Search by words: BM25. It knows words and which of them say nothing; it does not know documents."""

import re
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Sequence
from itertools import chain
from typing import Any

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


class Words:
    """The words of texts that come again with few changes: each text is gone through once."""

    def __init__(self) -> None:
        """Know no text yet."""
        self._known: dict[Hashable, list[str]] = {}

    def of(self, texts: Iterable[tuple[Hashable, str]]) -> list[list[str]]:
        """The words of all these texts, each given with what tells it from others; the rest is forgotten."""
        known = self._known
        found = [(key, known.get(key) or words_of(text)) for key, text in texts]
        self._known = dict(found)
        return [words for _, words in found]


class LexicalIndex:
    """Texts searched by their words."""

    def __init__(self, words: Sequence[list[str]]) -> None:
        """Index texts, each as the words that `words_of` finds in it."""
        self._words = words
        self._vocabulary = sorted({word for words in self._words for word in words})
        self._index: bm25s.BM25 | None = None
        if any(self._words):
            self._index = _Bm25()
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


class _Bm25(bm25s.BM25):
    """The same scores, computed for all texts at once: much sooner there than one text after the other."""

    def build_index_from_ids(
        self, unique_token_ids: Sequence[int], corpus_token_ids: Sequence[Sequence[int]], **_: object
    ) -> dict[str, Any]:
        """The score of each word in each text, as bm25s keeps them: a row of texts for every word."""
        self.nonoccurrence_array = None  # a text that lacks a word scores 0 for it
        texts = len(corpus_token_ids)
        lengths = np.array([len(ids) for ids in corpus_token_ids])
        ids = np.fromiter(chain.from_iterable(corpus_token_ids), dtype=np.int64, count=int(lengths.sum()))
        pairs, counts = np.unique(ids * texts + np.repeat(np.arange(texts), lengths), return_counts=True)
        word, text = np.divmod(pairs, texts)
        starts = np.searchsorted(word, np.arange(len(unique_token_ids) + 1))
        holding = np.diff(starts)
        rare = np.log(1 + (texts - holding + 0.5) / (holding + 0.5))
        norm = self.k1 * (1 - self.b + self.b * lengths / lengths.mean())
        scores = (rare[word] * counts / (norm[text] + counts)).astype(self.dtype)
        return {"data": scores, "indices": text.astype(self.int_dtype), "indptr": starts, "num_docs": texts}
