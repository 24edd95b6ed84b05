"""What passages are about."""

import numpy as np
import pytest

from knowledge.chunking import Passage
from knowledge.lexical import words_of
from knowledge.topics import LARGE, Topics


def passage(document: str, title: str, text: str = "text", heading: tuple[str, ...] = ()) -> Passage:
    return Passage(text, document, " › ".join((title, *heading)), text, heading, None, 0, len(text))


PASSAGES = [
    passage("elm.md", "Elm House", "parking is free"),
    passage("oak.md", "Oak Inn", "parking costs five"),
    passage("elm.md", "Elm House", "pets may stay"),
]


def topics_of(passages: list[Passage]) -> Topics:
    return Topics(passages, [words_of(passage.search_text) for passage in passages])


def test_passages_of_one_document_are_one_topic() -> None:
    assert topics_of(PASSAGES).of.tolist() == [0, 1, 0]


@pytest.mark.parametrize(("count", "topics"), [(LARGE, 1), (LARGE + 2, 2)], ids=["small", "large"])
def test_the_chapters_of_a_large_document_are_topics_of_their_own(count: int, topics: int) -> None:
    chapters = [passage("all.md", "Handbook", f"t{n}", (("Pets", "Parking")[n % 2],)) for n in range(count)]
    assert len(topics_of(chapters)) == topics


def test_a_topic_has_the_best_score_of_its_passages() -> None:
    assert topics_of(PASSAGES).best(np.array([0.1, 0.5, 0.3], dtype=np.float32)) == pytest.approx([0.3, 0.5])


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("I'd like the Elm House, please", [True, False]),
        ("a house by an oak", [False, False]),
        ("", [False] * 2),
    ],
    ids=["whole name", "parts of names", "nothing"],
)
def test_a_topic_is_named_by_all_words_of_its_title(text: str, named: list[bool]) -> None:
    assert topics_of(PASSAGES).named(text).tolist() == named


def test_a_topic_is_matched_by_the_words_of_all_its_passages() -> None:
    scores = topics_of(PASSAGES).lexical("may pets use the free parking?")
    assert scores[0] > scores[1] > 0
