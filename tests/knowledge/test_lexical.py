"""Search by words."""

import bm25s
import numpy as np
import pytest

from knowledge.lexical import LexicalIndex, Words, words_of

TEXTS = ["The red pot costs ten euros", "A blue pot", "Opening hours of the shop", "赤い鉢は十ユーロ"]


def indexed(texts: list[str]) -> LexicalIndex:
    return LexicalIndex([words_of(text) for text in texts])


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
    scores = indexed(TEXTS).scores(query)
    assert [at for at in np.argsort(-scores, kind="stable").tolist() if scores[at] > 0] == found


def test_shared_words_come_in_the_order_of_the_query() -> None:
    assert indexed(TEXTS).shared_words("ten pots or a red pot, red?", 0) == ("ten", "red", "pot")


@pytest.mark.parametrize("texts", [[], ["the of"]], ids=["nothing", "nothing but stop words"])
def test_an_index_without_words_finds_nothing(texts: list[str]) -> None:
    assert indexed(texts).scores("pot").tolist() == [0.0] * len(texts)


@pytest.mark.parametrize(
    ("word", "known"),
    [("pot", True), ("pots", False), ("costed", True), ("hour", True), ("hourly", True), ("household", False),
     ("赤", True), ("zebra", False)],
)  # fmt: skip
def test_a_word_is_known_also_by_another_ending(word: str, known: bool) -> None:
    assert indexed(TEXTS).knows(word) is known


def test_scores_are_those_of_bm25s() -> None:
    chance = np.random.default_rng(0)
    texts = [
        [f"word{number}" for number in chance.zipf(1.5, size=chance.integers(1, 40))] for _ in range(300)
    ]
    plain = bm25s.BM25()
    plain.index(texts, show_progress=False)
    for query in (["word1"], ["word2", "word3", "word2"], texts[7]):
        assert LexicalIndex(texts).scores(" ".join(query)) == pytest.approx(plain.get_scores(query), rel=1e-4)


def test_words_are_kept_as_long_as_their_text() -> None:
    words = Words()
    first = words.of([("a", "red pot"), ("b", "blue pot")])
    assert words.of([("c", "green pot"), ("b", "blue pot")]) == [["green", "pot"], ["blue", "pot"]]
    again = words.of([("a", "red pot"), ("b", "blue pot")])
    assert (again, again[1] is first[1], again[0] is first[0]) == (first, True, False)
