"""How passages are ranked for a question in a conversation: by meaning, words, and what is talked of.

It knows scores and what they count. It does not know files, versions or what is shown of a passage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from knowledge.chunking import Passage
from knowledge.index import VectorIndex
from knowledge.lexical import LexicalIndex, Words
from knowledge.topics import Topics

Scores = NDArray[np.float32]

REACH = 2_000
"""Passages whose nearness is computed; those further off are taken to be as far as the last of them."""
HISTORY = 3
"""Messages before the question that say what it is about; the other side often is who names it."""

# Few numbers, chosen on training questions of two companies; measured by tests.benchmarks.retrieval.
WORDS = 0.3
"""What the best match by words counts beside a cosine."""
CONTEXT = 0.5
"""What a passage's nearness to the whole conversation counts beside its nearness to the question."""
TOPIC = 2.0
"""What a topic's score counts beside a passage's: talk rarely leaves the hotel or product it is about."""
TOPIC_WORDS, PASSAGE_WORDS, NAMED = 0.4, 0.2, 0.2
"""What counts in a topic's score beside its best cosine: its words, its best passage's, and its name."""
STAYS, LEAVES = 0.1, 0.25
"""How much nearer than all that is talked of something else may be: up to the first the talk goes on, from
the second it has changed its subject and what came before is left out; between them it fades."""
LIKELY_TOPICS, LIKELY_SHARE = 3, 4
"""Topics that what was said before may be about: three, where there are four times as many and more."""


@dataclass(frozen=True)
class Query:
    """A question and what was said just before it, as text."""

    question: str
    before: str = ""

    @classmethod
    def of(cls, question: str, history: Sequence[tuple[str, str]] = ()) -> "Query":
        """The query for a question; `history` holds (role, content) pairs, of which the last few count."""
        return cls(question, "\n".join(content for _, content in list(history)[-HISTORY:]))

    @property
    def whole(self) -> str:
        """Question and what came before it, a line each."""
        return f"{self.before}\n{self.question}" if self.before else self.question

    @property
    def texts(self) -> tuple[str, ...]:
        """What has to be embedded: the question, and where something came before it, the whole and that."""
        return (self.question, self.whole, self.before) if self.before else (self.question,)


@dataclass(frozen=True)
class Ranking:
    """Scores of all passages: `meaning` and `words` of each, and `total`, which decides.

    `nearest` is the best cosine with the query, `carried` how far what was said before counts, 0 to 1.
    """

    total: Scores
    meaning: Scores
    words: Scores
    nearest: float
    carried: float

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Positions, best first; equal ones stay in document order."""
        return np.argsort(-self.total, kind="stable")


class Ranker:
    """Ranks the passages of one version of an index."""

    def __init__(self, passages: Sequence[Passage], index: VectorIndex, known: Words | None = None) -> None:
        """Take the passages with their vectors; `known` spares work for those of an earlier version."""
        words = (known or Words()).of((passage.key, passage.search_text) for passage in passages)
        self.lexical = LexicalIndex(words)
        self._index = index
        self._topics = Topics(passages, words)

    def rank(self, query: Query, vectors: Scores) -> Ranking:
        """Rank all passages; `vectors` are those of `query.texts`, a row each.

        A question that stands alone is ranked by itself. Else each passage also gets the score of its topic
        in the whole conversation, as far as the question stays with what the conversation was about.
        """
        near = self._cosines(vectors[0])
        words = WORDS * _scaled(self.lexical.scores(query.question))
        if not query.before:
            return Ranking(near + words, near, words, float(near.max()), 0.0)
        whole = self._cosines(vectors[1])
        carried = self._carried(near, self._cosines(vectors[2]))
        meaning = near + carried * CONTEXT * whole
        topics = self._topic_scores(query.whole, whole)[self._topics.of]
        nearest = float(whole.max()) if carried else float(near.max())
        return Ranking(meaning + words + carried * TOPIC * topics, meaning, words, nearest, carried)

    def _topic_scores(self, text: str, cosines: Scores) -> Scores:
        topics = self._topics
        words = TOPIC_WORDS * _scaled(topics.lexical(text))
        passage_words = PASSAGE_WORDS * _scaled(topics.best(self.lexical.scores(text)))
        return topics.best(cosines) + words + passage_words + NAMED * topics.named(text)

    def _carried(self, question: Scores, before: Scores) -> float:
        """How far what was said before counts, 1 to 0.

        It does as long as the topics it was likely about hold passages about as near to the question as any.
        """
        best = self._topics.best(question)
        count = min(LIKELY_TOPICS, max(1, len(best) // LIKELY_SHARE))
        likely = np.argsort(-self._topics.best(before), kind="stable")[:count]
        behind = float(best.max() - best[likely].max())
        return float(np.clip((LEAVES - behind) / (LEAVES - STAYS), 0.0, 1.0))

    def _cosines(self, vector: Scores) -> Scores:
        positions, cosines = self._index.search(vector, REACH)
        scores = np.full(len(self._index), cosines[-1], dtype=np.float32)
        scores[positions] = cosines
        return scores


def _scaled(scores: Scores) -> Scores:
    """Scores from 0 to 1, by the best of them."""
    return scores / max(float(scores.max()), 1e-9)
