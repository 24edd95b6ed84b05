"""Passages ranked for a question within a conversation."""

import numpy as np
import pytest

from knowledge.chunking import Passage
from knowledge.index import build_index
from knowledge.ranking import HISTORY, Query, Ranker, Ranking
from tests.knowledge.conftest import WordEncoder

HISTORY_TOLD = [
    ("user", "Hello"),
    ("assistant", "Hi"),
    ("user", "Do you sell pots?"),
    ("assistant", "Clay pots, yes"),
]
TEXTS = {
    "elm.md": ("Elm House", "parking is free here", "pets may stay here", "rooms have a lift"),
    "oak.md": ("Oak Inn", "parking costs five", "pets never stay", "rooms have big beds"),
    "bus.md": ("Bus lines", "night bus tickets cost two", "the night bus leaves hourly", "bus stops are red"),
}
PASSAGES = [
    Passage(text, document, title, text, (), None, at, at + len(text))
    for document, (title, *texts) in TEXTS.items()
    for at, text in enumerate(texts)
]


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    vectors = WordEncoder().encode([passage.search_text for passage in PASSAGES])
    return Ranker(PASSAGES, build_index(vectors))


def ranked(ranker: Ranker, question: str, *history: str) -> Ranking:
    query = Query.of(question, [("user", text) for text in history])
    return ranker.rank(query, WordEncoder().encode(query.texts))


def best(ranking: Ranking) -> tuple[str, str]:
    passage = PASSAGES[ranking.order[0]]
    return passage.document, passage.text


def test_a_query_is_the_question_after_the_last_three_messages() -> None:
    query = Query.of("How much?", HISTORY_TOLD)
    assert query.whole == "Hi\nDo you sell pots?\nClay pots, yes\nHow much?"
    assert query.texts == ("How much?", query.whole, "Hi\nDo you sell pots?\nClay pots, yes")
    assert query.before.count("\n") == HISTORY - 1


def test_the_first_question_is_its_own_query() -> None:
    assert (Query.of("How much?").whole, Query.of("How much?").texts) == ("How much?", ("How much?",))


@pytest.mark.parametrize(
    ("before", "found"),
    [("I'd like the Elm House", "elm.md"), ("I'd like the Oak Inn", "oak.md")],
)
def test_a_question_is_answered_from_what_the_conversation_is_about(ranker, before, found) -> None:
    ranking = ranked(ranker, "and parking?", before)
    assert best(ranking)[0] == found
    assert best(ranking)[1].startswith("parking")


def test_a_question_about_something_else_leaves_the_conversation_behind(ranker) -> None:
    ranking = ranked(ranker, "night bus tickets cost?", "I'd like the Elm House")
    assert best(ranking) == ("bus.md", "night bus tickets cost two")
    assert ranking.carried == 0
    alone = ranked(ranker, "night bus tickets cost?")
    assert np.allclose(ranking.total, alone.total) and ranking.nearest == pytest.approx(alone.nearest)


def test_meaning_and_words_of_the_question_add_up_where_nothing_came_before(ranker) -> None:
    ranking = ranked(ranker, "night bus tickets")
    assert ranking.total == pytest.approx(ranking.meaning + ranking.words)
    assert ranking.words.max() == pytest.approx(0.3)
    assert ranking.nearest == pytest.approx(ranking.meaning.max())
