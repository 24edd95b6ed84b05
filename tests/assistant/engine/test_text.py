"""Tokens as text while they come: the same as all at once, no half characters, nothing of a stop string."""

import random
from collections.abc import Sequence

import pytest

from assistant.engine.text import HALF_A_CHARACTER, TextStream

LETTERS = "ab .\n\"'éßñ–€日本語한국어🙂🎈👩‍🚀"


def pieces(tokenizer, tokens: Sequence[int], stops: Sequence[str] = ()) -> list[str]:
    """What is shown after each token, and last what was held back."""
    stream = TextStream(tokenizer, stops)
    shown = []
    for token in tokens:
        shown.append(stream.add(token))
        if stream.stopped:
            break
    return [*shown, stream.end()]


@pytest.mark.parametrize("seed", range(50))
def test_any_text_comes_out_as_it_is_and_never_a_half_character(tokenizer, seed):
    dice = random.Random(seed)
    text = "".join(dice.choice(LETTERS) for _ in range(dice.randint(1, 40)))
    shown = pieces(tokenizer, tokenizer.encode(text))
    assert "".join(shown) == text
    assert not any(HALF_A_CHARACTER in piece for piece in shown)
    assert len(shown) > len(text)


@pytest.mark.parametrize("seed", range(50))
def test_any_tokens_are_as_if_decoded_at_once_but_for_a_half_character_at_the_end(tokenizer, seed):
    dice = random.Random(seed)
    tokens = [dice.randrange(len(tokenizer)) for _ in range(60)]
    at_once = tokenizer.decode(tokens, skip_special_tokens=True)
    assert "".join(pieces(tokenizer, tokens)).rstrip(HALF_A_CHARACTER) == at_once.rstrip(HALF_A_CHARACTER)


def test_a_character_is_shown_with_its_last_token(tokenizer):
    assert pieces(tokenizer, tokenizer.encode("a🙂b")) == ["a", "", "", "", "🙂", "b", ""]


class Words:
    """Decodes as sentencepiece does: a space before each word but the first of what is decoded."""

    def decode(self, tokens: Sequence[int], *, skip_special_tokens: bool) -> str:
        return " ".join(f"w{token}" for token in tokens)


def test_spaces_that_hang_on_the_token_before_are_kept():
    assert "".join(pieces(Words(), [1, 2, 3, 4])) == "w1 w2 w3 w4"


def test_control_tokens_are_not_shown(tokenizer):
    assert "".join(pieces(tokenizer, tokenizer.encode("a<|im_start|>b<|im_end|>"))) == "ab"


STOPS = {
    "none": ("one two", (), "one two"),
    "not-there": ("one two", ("three",), "one two"),
    "at-the-begin": ("one", ("one",), ""),
    "in-the-middle": ("one two three", (" two",), "one"),
    "the-first-of-several": ("one two three", ("three", "two"), "one "),
    "two-that-overlap": ("abcd", ("bcd", "abcx"), "a"),
    "at-the-end": ("one\nUser:", ("\nUser:",), "one"),
    "half-of-one": ("one\nUse", ("\nUser:",), "one\nUse"),
    "half-and-then-whole": ("\n\n\nUser:", ("\nUser:",), "\n\n"),
    "of-long-characters": ("a🙂🎈b", ("🎈",), "a🙂"),
    "empty-ones-mean-nothing": ("one", ("",), "one"),
}


@pytest.mark.parametrize(("text", "stops", "shown"), STOPS.values(), ids=STOPS)
def test_a_text_ends_before_its_stop_string(tokenizer, text, stops, shown):
    tokens = tokenizer.encode(text)
    assert "".join(pieces(tokenizer, tokens, stops)) == shown


def test_what_may_become_a_stop_string_is_held_back_until_it_does_not(tokenizer):
    assert pieces(tokenizer, tokenizer.encode("xStar!St"), ["Stop"]) == [
        *["x", "", "", "Sta", "r", "!", "", ""],
        "St",
    ]


def test_a_stop_string_within_a_token_shows_what_was_before_it():
    stream = TextStream(Words(), ["2 w"])
    assert [stream.add(1), stream.add(2), stream.stopped] == ["w1", " w", False]
    assert [stream.add(3), stream.stopped, stream.end()] == ["", True, ""]
