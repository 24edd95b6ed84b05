"""Two rankings become one, and a conversation becomes a query."""

import pytest

from knowledge.searching import conversation_query, fuse

HISTORY = [
    ("user", "Hello"),
    ("assistant", "Hi"),
    ("user", "Do you sell pots?"),
    ("assistant", "Clay pots, yes"),
]


def test_the_query_is_the_last_three_messages_and_the_question() -> None:
    assert conversation_query("How much?", HISTORY) == "Hi\nDo you sell pots?\nClay pots, yes\nHow much?"


def test_the_first_question_stands_alone() -> None:
    assert conversation_query("How much?") == "How much?"


def test_weighted_reciprocal_ranks_add_up() -> None:
    assert fuse(({7: 1, 8: 2}, 1.0), ({8: 1, 9: 2}, 0.5)) == [
        (8, pytest.approx(1 / 62 + 0.5 / 61)),
        (7, pytest.approx(1 / 61)),
        (9, pytest.approx(0.5 / 62)),
    ]


def test_equal_scores_stay_in_document_order() -> None:
    assert [position for position, _ in fuse(({5: 1}, 1.0), ({2: 1}, 1.0))] == [2, 5]
