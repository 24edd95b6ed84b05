"""Search by words."""

import numpy as np
import pytest

from knowledge.lexical import LexicalIndex, words_of

TEXTS = ["The red pot costs ten euros", "A blue pot", "Opening hours of the shop", "赤い鉢は十ユーロ"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What is the price of the RED pot?", ["price", "red", "pot"]),
        ("I’d like Anna's order no. 12-B", ["anna", "order", "12", "b"]),
        ("Größe: straße", ["grösse", "strasse"]),
        ("赤い鉢", ["赤", "い", "鉢"]),
        ("is it the?", []),
    ],
)
def test_words_without_those_that_say_nothing(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("red pot", [0, 1]),
        ("when is the shop open, hours?", [2]),
        ("赤い鉢", [3]),
        ("elephants", []),
        ("is it the", []),
    ],
)
def test_texts_that_share_words_are_found_best_first(query: str, found: list[int]) -> None:
    scores = LexicalIndex(TEXTS).scores(query)
    assert [at for at in np.argsort(-scores, kind="stable").tolist() if scores[at] > 0] == found


def test_shared_words_come_in_the_order_of_the_query() -> None:
    assert LexicalIndex(TEXTS).shared_words("ten pots or a red pot, red?", 0) == ("ten", "red", "pot")


@pytest.mark.parametrize("texts", [[], ["the of"]], ids=["nothing", "nothing but stop words"])
def test_an_index_without_words_finds_nothing(texts: list[str]) -> None:
    assert LexicalIndex(texts).scores("pot").tolist() == [0.0] * len(texts)


@pytest.mark.parametrize(
    ("word", "known"),
    [("pot", True), ("pots", False), ("costed", True), ("hour", True), ("hourly", True), ("household", False),
     ("赤", True), ("zebra", False)],
)  # fmt: skip
def test_a_word_is_known_also_by_another_ending(word: str, known: bool) -> None:
    assert LexicalIndex(TEXTS).knows(word) is known
