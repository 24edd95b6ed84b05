"""One version of the index in memory, and what a search finds in it.

It knows which of the ranked passages are shown, and why each was found. It does not know files or changes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.chunking import Passage
from knowledge.fitting import Fit, Measure
from knowledge.index import VectorIndex
from knowledge.lexical import Words, words_of
from knowledge.ranking import Query, Ranker, Ranking
from knowledge.support import PASSAGES

ALIKE = 0.9
"""Share of words from which two passages, titles included, say the same."""


RERANKED = 30
"""Passages that a re-ranker reads for one question."""


class Reranker(Protocol):
    """What reads a question and passages together, and puts those in a better order."""

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """How well each text answers the question, higher is better."""


@dataclass(frozen=True)
class Found:
    """A passage that was found, and why: ranks count from 1, None where that search did not find it.

    `twins` are passages left out because they say the same; `moved_from` is its place before a re-ranker put
    what was found in order, None where none did.
    """

    passage: Passage
    score: float
    dense_rank: int | None
    lexical_rank: int | None
    similarity: float
    matched_words: tuple[str, ...]
    twins: tuple[Passage, ...] = ()
    moved_from: int | None = None


@dataclass(frozen=True)
class Findings:
    """What one search found, best first, and in which version of the index.

    `fit` says how well the best of it fits the question; None where nothing was searched.
    """

    query: str
    found: tuple[Found, ...]
    index_version: str
    seconds: float
    fit: Fit | None = None

    @property
    def fits(self) -> bool:
        """Whether anything in the documents fits the question; the passages are the nearest either way."""
        return bool(self.found) and (self.fit is None or self.fit.holds)


class Snapshot:
    """The passages of one version, ready to be searched from several threads."""

    def __init__(
        self,
        number: str,
        passages: Sequence[Passage],
        index: VectorIndex | None,
        known: Words | None = None,
    ) -> None:
        """Take a version; `known` are the words of passages that earlier versions held."""
        self.number = number
        self.passages = tuple(passages)
        self.index = index if index is not None and len(index) else None
        self._known = known

    @cached_property
    def by_id(self) -> dict[tuple[str, str], Passage]:
        """The passages by their document and id."""
        return {passage.key: passage for passage in self.passages}

    @cached_property
    def _ranker(self) -> Ranker | None:
        return Ranker(self.passages, self.index, self._known) if self.index is not None else None

    def search(
        self,
        query: Query,
        vectors: NDArray[np.float32],
        count: int,
        reranker: Reranker | None = None,
    ) -> tuple[tuple[Found, ...], Fit | None]:
        """The best passages and how well they fit; `vectors` are those of `query.texts`, a row each."""
        if self.index is None or self._ranker is None:
            return (), None
        ranking = self._ranker.rank(query, vectors)
        known, opening = self._ranker.lexical.knows, not ranking.carried
        searched = vectors[0] if opening else vectors[1]
        fit = self._measure.fit(query.question, searched, ranking.nearest, known, opening=opening)
        best = self._folded(ranking, max(count, RERANKED) if reranker else count)
        found = [self._found(position, twins, ranking, query, vectors[0]) for position, twins in best]
        if reranker:
            found = reranked(found, query.whole if ranking.carried else query.question, reranker)
        return tuple(found[:count]), fit

    @cached_property
    def _measure(self) -> Measure:
        assert self.index is not None
        return Measure.of(self.index, [passage.document for passage in self.passages])

    def _folded(self, ranking: Ranking, count: int) -> Iterator[tuple[int, list[int]]]:
        """The best positions that say different things, each with those just behind it that say the same."""
        chosen: dict[int, list[int]] = {}
        words: dict[int, frozenset[str]] = {}
        for position in map(int, ranking.order):
            held = frozenset(words_of(self.passages[position].search_text))
            twin = next((other for other in chosen if _alike(words[other], held)), None)
            if twin is not None:
                chosen[twin].append(position)
            elif len(chosen) == count:
                break
            else:
                chosen[position], words[position] = [], held
        yield from chosen.items()

    def _found(
        self, position: int, twins: list[int], ranking: Ranking, query: Query, vector: NDArray[np.float32]
    ) -> Found:
        assert self.index is not None and self._ranker is not None
        by_words = float(ranking.words[position]) > 0
        return Found(
            passage=self.passages[position],
            score=float(ranking.total[position]),
            dense_rank=rank_of(position, ranking.meaning),
            lexical_rank=rank_of(position, ranking.words) if by_words else None,
            similarity=self.index.similarity(vector, position),
            matched_words=self._ranker.lexical.shared_words(query.question, position),
            twins=tuple(self.passages[twin] for twin in twins),
        )

    def nearest(self, sentence: str, vector: NDArray[np.float32]) -> tuple[float, list[str]]:
        """A sentence's best cosine with a passage, and the texts of the passages that speak of it most."""
        if self._ranker is None:
            return -1.0, []
        ranking = self._ranker.rank(Query(sentence), vector[None])
        return ranking.nearest, [self.passages[at].search_text for at in ranking.order[:PASSAGES]]

    def by_words(self, query: Query, count: int) -> tuple[Found, ...]:
        """The best passages by their words alone, where no encoder that made the vectors is at hand."""
        if self._ranker is None:
            return ()
        lexical = self._ranker.lexical
        scores = lexical.scores(query.whole)
        best = [int(at) for at in np.argsort(-scores, kind="stable")[:count] if scores[at] > 0]
        return tuple(
            Found(
                self.passages[at], float(scores[at]), None, rank, 0.0, lexical.shared_words(query.whole, at)
            )
            for rank, at in enumerate(best, 1)
        )


def reranked(found: Sequence[Found], question: str, reranker: Reranker) -> list[Found]:
    """The same passages in the re-ranker's order; equal ones stay as they were."""
    scores = reranker.scores(question, [each.passage.search_text for each in found])
    order = np.argsort(-scores, kind="stable")
    return [replace(found[at], score=float(scores[at]), moved_from=int(at) + 1) for at in order]


def rank_of(position: int, scores: NDArray[np.float32]) -> int:
    """The rank of a position by some scores, counted from 1; equal ones stay in document order."""
    better, equal = scores > scores[position], scores[:position] == scores[position]
    return 1 + int(np.count_nonzero(better)) + int(np.count_nonzero(equal))


def joined(found: Sequence[Found]) -> tuple[Found, ...]:
    """The same passages, those that overlap made one: it stands where the best part of it stood."""
    kept: list[Found] = []
    for each in found:
        for at, other in enumerate(kept):
            if _touch(each.passage, other.passage):
                kept[at] = replace(other, passage=_union(other.passage, each.passage))
                break
        else:
            kept.append(each)
    return tuple(kept)


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= ALIKE * max(len(one | other), 1)


def _touch(one: Passage, other: Passage) -> bool:
    """Whether one goes on where the other stops, with no gap: only then is the text between them known."""
    together = (one.document, one.heading, one.page) == (other.document, other.heading, other.page)
    return together and one.start <= other.end and other.start <= one.end


def _union(best: Passage, other: Passage) -> Passage:
    first, last = sorted((best, other), key=lambda passage: (passage.start, passage.end))
    text = first.text + last.text[max(first.end - last.start, 0) :]
    return replace(best, text=text, start=first.start, end=max(first.end, last.end))
