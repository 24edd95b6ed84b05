"""One row: how it chooses, when it ends, and that half a character is never shown."""

import time

import pytest
import torch

from assistant.engine.rows import Row
from tests.assistant.engine.conftest import NewRow

LOGITS = torch.tensor([0.0, 3.0, 2.0, 1.0])


def shown(row: Row) -> list[str]:
    texts = []
    while not row.pieces.empty():
        texts.append(row.pieces.get().text)
    return texts


def feed(row: Row, tokens: list[int]) -> list[str | None]:
    return [row.take(token) for token in tokens]


def choices(row: Row, count: int = 200) -> list[int]:
    return [row.choose(LOGITS) for _ in range(count)]


def test_temperature_0_takes_the_likeliest(new_row: NewRow):
    assert set(choices(new_row([5]))) == {1}


def test_the_same_seed_chooses_the_same_and_another_does_not(new_row: NewRow):
    first, again, other = (choices(new_row([5], temperature=1.0, seed=seed)) for seed in (4, 4, 5))
    assert first == again != other


def test_sampling_follows_the_softmax(new_row: NewRow):
    drawn = torch.bincount(torch.tensor(choices(new_row([5], temperature=1.0), 4000)), minlength=4) / 4000
    assert torch.allclose(drawn, torch.softmax(LOGITS, 0), atol=0.03)


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [(0.01, {1}), (0.6, {1}), (0.7, {1, 2}), (0.9, {1, 2, 3}), (1.0, {0, 1, 2, 3})],
    ids=str,
)
def test_top_p_keeps_the_likeliest_until_they_reach_it(new_row: NewRow, top_p, kept):
    """The shares are 0.64, 0.24, 0.09 and 0.03."""
    assert set(choices(new_row([5], temperature=1.0, top_p=top_p), 400)) == kept


def test_the_repetition_penalty_makes_said_tokens_less_likely(new_row: NewRow):
    row = new_row([5], repetition_penalty=2.0)
    feed(row, [1])
    assert row.choose(LOGITS) == 2  # 3 / 2 against 2
    assert row.choose(torch.tensor([-3.0, -2.0, -5.0, -6.0])) == 0  # -2 * 2 against -3
    assert LOGITS.tolist() == [0.0, 3.0, 2.0, 1.0]


def test_a_row_ends_at_an_end_token_or_at_its_limit(new_row: NewRow):
    assert feed(new_row([5]), [9, 9, 2]) == [None, None, "end"]
    assert feed(new_row([5], max_tokens=3), [9, 9, 9]) == [None, None, "length"]
    assert feed(new_row([5], max_tokens=2), [9, 2]) == [None, "end"]


def test_what_was_observed_is_in_the_finish(new_row: NewRow):
    row = new_row([5, 6, 7], adapter="0001", scale=0.5, index=3)
    time.sleep(0.001)
    feed(row, [9, 9])
    row.end("cancelled", "why")
    *_, last = [row.pieces.get() for _ in range(row.pieces.qsize())]
    finish = last.finish
    assert (last.row, finish.reason, finish.error, finish.base) == (3, "cancelled", "why", "tiny")
    assert (finish.adapter, finish.scale, finish.prompt_tokens, finish.completion_tokens) == (
        "0001",
        0.5,
        3,
        2,
    )
    assert 0 < finish.first_token_seconds <= finish.seconds


def test_a_base_row_is_recorded_without_scale(new_row: NewRow):
    row = new_row([5])
    row.end("end")
    finish = row.pieces.get().finish
    assert (finish.adapter, finish.scale) == (None, 0.0)


@pytest.mark.parametrize("text", ["é", "naïve café", "a🙂b", "日本", "£4.50 – ok"])
def test_half_a_character_is_never_shown(new_row: NewRow, tokenizer, text):
    row = new_row([5], max_tokens=100)
    feed(row, [*tokenizer.encode(text), 2])
    pieces = shown(row)
    assert "".join(pieces) == text
    assert not any("\ufffd" in piece for piece in pieces)


def test_an_answer_cut_off_within_a_character_ends_before_it(new_row: NewRow, tokenizer):
    tokens = tokenizer.encode("ok 🙂")
    row = new_row([5], max_tokens=len(tokens) - 1)
    assert feed(row, tokens[:-1])[-1] == "length"
    assert "".join(shown(row)) == "ok "


def test_control_tokens_are_not_shown(new_row: NewRow, tokenizer):
    row = new_row([5], max_tokens=100)
    feed(row, [*tokenizer.encode("a<|im_start|>b"), 2])
    assert "".join(shown(row)) == "ab"
