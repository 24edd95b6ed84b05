"""`python -m tests.benchmarks.retrieval`: how well passages are found, beside the six plain ways, in one run.

Dense, BM25 and their reciprocal rank fusion (k = 60), each with the last message alone and with the three
before it, and ours. A document is right if it holds the gold answer; a passage if it holds half or more of
the gold text's word triples (else those that hold most). Sets: hotel_concierge, dmv, and dmv's first turns,
which stand alone; for these, *moved* has another conversation's messages before them, so the subject changes.
With --reranker, ours is shown once more with its best passages in the order of that cross-encoder.
Choose constants on --split train, compare on dev, and report test once.
"""

import argparse
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.lexical import LexicalIndex, words_of
from knowledge.ranking import Query, Ranker, Ranking
from knowledge.searching import RERANKED, Reranker
from tests.benchmarks.companies import Asked, Company, load_encoder, shared_company, vectors_of

CUTOFFS = (1, 3, 5, 10)
RANK_CONSTANT, DEPTH = 60, 100
MOST = 400
"""Questions of a set."""

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Gold:
    """Which passages stand in a right document, and which hold the gold text."""

    documents: NDArray[np.bool_]
    passages: NDArray[np.bool_]


class Searcher:
    """One company, and the scores of its passages by every way."""

    def __init__(
        self,
        company: Company,
        encode: Callable[[Sequence[str]], Scores],
        reranker: Reranker | None = None,
    ) -> None:
        self.company = company
        self._encode = encode
        self._reranker = reranker
        self._lexical = LexicalIndex([words_of(passage.search_text) for passage in company.passages])
        self._ranker = Ranker(company.passages, company.index())
        self._triples = [triples(passage.text) for passage in company.passages]
        self.names = np.array([passage.document for passage in company.passages])

    def ways(self, asked: Asked) -> Iterator[tuple[str, Scores]]:
        """The scores of all passages by each way."""
        query = Query.of(asked.question, asked.history)
        for label, text in (("last", query.question), ("history", query.whole)):
            dense = self.company.vectors @ self._encode([text])[0]
            words = self._lexical.scores(text)
            yield f"dense, {label}", dense
            yield f"BM25, {label}", words
            yield f"RRF, {label}", reciprocal(dense) + reciprocal(np.where(words > 0, words, -np.inf))
        ranking = self._ranker.rank(query, self._encode(query.texts))
        yield "ours", ranking.total
        if self._reranker:
            asked_whole = query.whole if ranking.carried else query.question
            yield "ours, re-ranked", self._reordered(ranking, asked_whole, self._reranker)

    def _reordered(self, ranking: Ranking, question: str, reranker: Reranker) -> Scores:
        """Scores that put the best passages in the re-ranker's order, before all others."""
        best = ranking.order[:RERANKED]
        read = reranker.scores(question, [self.company.passages[at].search_text for at in best])
        scores = ranking.total.copy()
        scores[best] = scores.max() + 1 + read - read.min()
        return scores

    def gold(self, asked: Asked) -> Gold:
        """What a search for this question should find."""
        right = np.isin(self.names, sorted(asked.documents))
        wanted = triples(asked.gold)
        held = np.array([len(wanted & triple) / max(len(wanted), 1) for triple in self._triples]) * right
        return Gold(right, right & (held >= min(0.5, max(held.max(), 1e-9))))


def triples(text: str) -> frozenset[tuple[str, ...]]:
    """Each three words in a row."""
    words = re.findall(r"\w+", text.lower())
    return frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset({tuple(words)})


def reciprocal(scores: Scores) -> Scores:
    """What reciprocal rank fusion gives each passage; nothing beyond the first hundred."""
    result = np.zeros(len(scores), dtype=np.float32)
    best = [at for at in np.argsort(-scores, kind="stable")[:DEPTH] if np.isfinite(scores[at])]
    result[best] = 1 / (RANK_CONSTANT + np.arange(1, len(best) + 1))
    return result


def rank_of_document(scores: Scores, gold: Gold, names: NDArray[np.str_]) -> float:
    """The rank of the first right document, each counted once; infinite where none is found."""
    order = np.argsort(-scores, kind="stable")
    right = np.flatnonzero(gold.documents[order])
    return float(len(set(names[order[: right[0] + 1]]))) if len(right) else np.inf


def rank_of_passage(scores: Scores, gold: Gold) -> float:
    """The rank of the first passage that holds the gold text; infinite where none does."""
    right = np.flatnonzero(gold.passages[np.argsort(-scores, kind="stable")])
    return float(right[0] + 1) if len(right) else np.inf


def line(ranks: Sequence[float]) -> str:
    """Hits at the cut-offs in percent, and the mean reciprocal rank."""
    found = np.array(ranks)
    hits = "".join(f"{100 * np.mean(found <= cutoff):6.1f}" for cutoff in CUTOFFS)
    return f"{hits}{100 * np.mean(1 / found):6.1f}"


def measure(title: str, searcher: Searcher, questions: Sequence[Asked]) -> None:
    """Print the table of one set."""
    ranks: dict[str, list[tuple[float, float]]] = {}
    for asked in questions:
        gold = searcher.gold(asked)
        for way, scores in searcher.ways(asked):
            pair = rank_of_document(scores, gold, searcher.names), rank_of_passage(scores, gold)
            ranks.setdefault(way, []).append(pair)
    print(f"\n{title}: {len(questions)} questions\n{'':16}{'document':^30}  {'passage':^30}")
    print(
        f"{'':16}" + "  ".join("".join(f"{f'@{cutoff}':>6}" for cutoff in CUTOFFS) + "   MRR" for _ in "dp")
    )
    for way, pairs in ranks.items():
        documents, passages = zip(*pairs, strict=True)
        print(f"{way:16}{line(documents)}  {line(passages)}")


def moved(questions: Sequence[Asked], others: Sequence[Asked]) -> list[Asked]:
    """The questions, each after what was said in another conversation about something else."""
    chance = random.Random(1)
    talks = [other for other in others if len(other.history) > 3]
    return [
        replace(
            asked,
            history=chance.choice([talk for talk in talks if not talk.documents & asked.documents]).history,
        )
        for asked in questions
    ]


def main() -> None:
    """Measure all sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", default="dev", choices=("train", "dev", "test"))
    parser.add_argument("--reranker", type=Path, help="folder of a cross-encoder")
    options = parser.parse_args()
    split, encoder, reranker = options.split, load_encoder(), None
    if options.reranker:
        from knowledge.reranking import PassageReranker

        reranker = PassageReranker(options.reranker)

    def encode(texts: Sequence[str]) -> Scores:
        return vectors_of(texts, encoder)

    for name in ("hotel_concierge", "dmv"):
        company = shared_company(name, encoder)
        searcher = Searcher(company, encode, reranker)
        asked = [each for each in company.questions if each.split == split and each.history]
        measure(f"{name}, {split}, within a conversation", searcher, asked[:MOST])
    first = [each for each in company.questions if not each.history]
    measure(f"{name}, all first turns, which stand alone", searcher, first)
    measure(f"{name}, the same after another conversation (moved)", searcher, moved(first, company.questions))


if __name__ == "__main__":
    main()
