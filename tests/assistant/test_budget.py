"""How many passages fit in a prompt, in the model's own tokens."""

from dataclasses import dataclass

import pytest

from assistant.budget import LEAST, MOST, USUAL_WINDOW, Budget


@dataclass(frozen=True)
class Shown:
    title: str
    text: str


def words(text: str) -> int:
    return len(text.split())


@pytest.mark.parametrize(
    ("window", "taken", "tokens"),
    [
        (8192, 0, LEAST),
        (None, 0, Budget.of(USUAL_WINDOW, words).tokens),
        (512, 0, 128),
        (32_768, 0, 1024),
        (1_000_000, 0, MOST),
        (8192, 8000, 192),
        (8192, 9000, 0),
    ],
    ids=["usual", "unknown", "small", "large", "vast", "long chat", "chat that fills it"],
)
def test_passages_take_a_share_of_the_window_and_never_more_than_is_left(window, taken, tokens):
    assert Budget.of(window, words, taken=taken).tokens == tokens


@pytest.mark.parametrize(
    ("lengths", "fitting"),
    [([], 0), ([6], 1), ([4, 4], 2), ([4, 5], 1), ([50, 1], 1), ([2, 2, 1, 9, 1], 3)],
    ids=str,
)
def test_as_many_as_fit_are_shown_with_their_titles_and_at_least_the_best(lengths, fitting):
    passages = [Shown("T", "word " * length) for length in lengths]
    assert Budget(10, words).fitting(passages) == fitting


def test_tokens_decide_and_not_words():
    """Two texts of as many words; the second is four times as many tokens where letters are."""
    short, long = Shown("T", "a b c d"), Shown("T", "aaaaaaa bbbbbbb ccccccc ddddddd")
    assert Budget(30, len).fitting([short, short]) == 2
    assert Budget(30, len).fitting([short, long]) == 1


@pytest.mark.parametrize(("tokens", "most"), [(0, 1), (320, 4), (4096, 51)], ids=str)
def test_more_passages_are_looked_for_where_more_fit(tokens, most):
    assert Budget(tokens, words).most == most
