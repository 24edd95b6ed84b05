"""One version of the index in memory, searched by meaning and by words at once.

It knows passages, vectors and words, and how two rankings become one. It does not know files or changes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.chunking import Passage
from knowledge.index import VectorIndex
from knowledge.lexical import LexicalIndex

DEPTH = 100
RANK_CONSTANT = 60
LEXICAL_WEIGHT = 0.5
"""What a rank by words counts beside one by meaning: a chat's small talk misleads words more than meaning."""
HISTORY = 3


@dataclass(frozen=True)
class Found:
    """A passage that was found, and why: ranks count from 1, None where that search did not find it."""

    passage: Passage
    score: float
    dense_rank: int | None
    lexical_rank: int | None
    similarity: float
    matched_words: tuple[str, ...]


@dataclass(frozen=True)
class Findings:
    """What one search found, best first, and in which version of the index."""

    query: str
    found: tuple[Found, ...]
    index_version: str
    seconds: float


def conversation_query(question: str, history: Sequence[tuple[str, str]] = ()) -> str:
    """What is searched for: the last three messages of the conversation, then the question, a line each.

    A question alone often does not say what it is about ("and for opened bags?"), and it is the other side
    as often as the customer that named it.
    """
    recent = [content for _, content in list(history)[-HISTORY:]]
    return "\n".join([*recent, question])


class Snapshot:
    """The passages of one version, ready to be searched from several threads."""

    def __init__(self, number: str, passages: Sequence[Passage], index: VectorIndex | None) -> None:
        self.number = number
        self.passages = tuple(passages)
        self.by_id = {(passage.document, passage.id): passage for passage in passages}
        self._index = index
        self._lexical = LexicalIndex([passage.search_text for passage in passages])

    def search(self, query: str, vector: NDArray[np.float32], count: int) -> tuple[Found, ...]:
        """The best passages by both rankings: each gives its weight / (60 + rank), the sums decide."""
        if self._index is None or not len(self._index):
            return ()
        depth = max(DEPTH, count)
        positions, cosines = self._index.search(vector, depth)
        dense = ranks(positions)
        similarity = dict(zip(dense, map(float, cosines), strict=True))
        lexical = ranks(self._lexical.search(query, depth))
        found = []
        for position, score in fuse((dense, 1.0), (lexical, LEXICAL_WEIGHT))[:count]:
            cosine = similarity.get(position)
            found.append(
                Found(
                    passage=self.passages[position],
                    score=score,
                    dense_rank=dense.get(position),
                    lexical_rank=lexical.get(position),
                    similarity=self._index.similarity(vector, position) if cosine is None else cosine,
                    matched_words=self._lexical.shared_words(query, position),
                )
            )
        return tuple(found)

    def by_words(self, query: str, count: int) -> tuple[Found, ...]:
        """The best passages by their words alone, where no encoder that made the vectors is at hand."""
        lexical = ranks(self._lexical.search(query, count))
        return tuple(
            Found(
                self.passages[position],
                LEXICAL_WEIGHT / (RANK_CONSTANT + rank),
                None,
                rank,
                0.0,
                self._lexical.shared_words(query, position),
            )
            for position, rank in lexical.items()
        )


def ranks(positions: Iterable[int]) -> dict[int, int]:
    """The rank of each position, counted from 1."""
    return {int(position): rank for rank, position in enumerate(positions, start=1)}


def fuse(*rankings: tuple[dict[int, int], float]) -> list[tuple[int, float]]:
    """Positions and scores by weighted reciprocal rank, best first; equal scores stay in document order."""
    scores: dict[int, float] = {}
    for ranking, weight in rankings:
        for position, rank in ranking.items():
            scores[position] = scores.get(position, 0.0) + weight / (RANK_CONSTANT + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
