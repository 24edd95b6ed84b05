"""What a search shows of the ranked passages."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.chunking import Passage
from knowledge.index import build_index
from knowledge.ranking import Query
from knowledge.searching import Found, Snapshot, joined, rank_of
from tests.knowledge.conftest import WordEncoder

TEXT = "Plants come back within a month. A plant that froze is replaced. Send us a photo of it."


def passage(start: int, end: int, document: str = "a.md", **other: object) -> Passage:
    made = Passage(f"{start}", document, "Returns", TEXT[start:end], (), None, start, end)
    return replace(made, **other)


def found(*passages: Passage) -> list[Found]:
    return [Found(each, 1.0, 1, None, 0.5, ()) for each in passages]


def search(question: str, *passages: Passage, count: int = 5) -> tuple[Found, ...]:
    index = build_index(WordEncoder().encode([each.search_text for each in passages]))
    query = Query(question)
    return Snapshot("1", passages, index).search(query, WordEncoder().encode(query.texts), count)[0]


def test_passages_that_say_the_same_are_shown_once_with_their_twins() -> None:
    copy = passage(0, 32, "copy.md")
    shown = search("month", passage(0, 32), copy, passage(33, 65))
    assert [each.passage.start for each in shown] == [0, 33]
    assert shown[0].twins == (copy,)


def test_the_same_words_under_another_title_are_another_fact() -> None:
    other = passage(0, 32, "b.md", title="Cut flowers by post")
    assert len(search("month", passage(0, 32), other)) == 2


def test_each_of_the_places_counted_is_a_fact_of_its_own() -> None:
    shown = search(
        "plants", passage(0, 32), passage(0, 32, "b.md"), passage(33, 65), passage(66, 87), count=3
    )
    assert [each.passage.start for each in shown] == [0, 33, 66]


def test_a_passage_says_its_ranks_by_meaning_and_by_words() -> None:
    first, *_ = search("a photo", passage(0, 32), passage(66, 87))
    assert (first.passage.start, first.dense_rank, first.lexical_rank) == (66, 1, 1)
    assert first.matched_words == ("photo",)
    assert search("zebra", passage(0, 32))[0].lexical_rank is None


class ByLength:
    """Likes long passages, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append((question, len(texts)))
        return np.array([len(text) for text in texts], dtype=np.float32)


def test_a_re_ranker_decides_the_order_of_the_best_and_its_places_before_are_told() -> None:
    passages = [passage(0, 9), passage(0, 87), passage(33, 65)]
    index = build_index(WordEncoder().encode([each.search_text for each in passages]))
    query, reranker = Query("Plants"), ByLength()
    snapshot = Snapshot("1", passages, index)
    plain, _ = snapshot.search(query, WordEncoder().encode(query.texts), 3)
    best, _ = snapshot.search(query, WordEncoder().encode(query.texts), 2, reranker)
    assert [each.moved_from for each in plain] == [None] * 3
    assert reranker.asked == [("Plants", 3)]
    assert [each.passage.end - each.passage.start for each in best] == [87, 32]
    order = [each.passage for each in plain]
    assert [order[each.moved_from - 1] for each in best] == [each.passage for each in best]


def test_an_empty_version_finds_nothing() -> None:
    assert Snapshot("1", (), None).search(Query("photo"), np.zeros((1, 64), dtype=np.float32), 5) == (
        (),
        None,
    )


def test_ranks_count_from_one_and_equal_scores_stay_in_order() -> None:
    assert [rank_of(at, np.array([0.5, 0.9, 0.5])) for at in range(3)] == [2, 1, 3]


@pytest.mark.parametrize(
    ("order", "spans"),
    [
        (((33, 65), (0, 40)), [(0, 65)]),
        (((0, 40), (66, 87), (33, 65)), [(0, 65), (66, 87)]),
        (((0, 32), (33, 65)), [(0, 32), (33, 65)]),
        (((10, 20), (0, 40)), [(0, 40)]),
    ],
    ids=["overlapping", "best place kept", "with a gap", "one within the other"],
)
def test_neighbours_that_overlap_are_joined_into_what_the_document_says(order, spans) -> None:
    result = joined(found(*(passage(*span) for span in order)))
    assert [(each.passage.start, each.passage.end) for each in result] == spans
    assert all(each.passage.text == TEXT[each.passage.start : each.passage.end] for each in result)


@pytest.mark.parametrize(
    "other", [{"document": "b.md"}, {"page": 2}, {"heading": ("Fees",)}], ids=["document", "page", "heading"]
)
def test_passages_of_different_places_are_never_joined(other) -> None:
    assert len(joined(found(passage(0, 40), passage(33, 65, **other)))) == 2
