"""One row: how far it is, when it ends, and what it tells."""

import time

import pytest

from assistant.engine.rows import Row
from assistant.lanes import Piece
from tests.assistant.engine.conftest import NewRow


def sent(row: Row) -> list[Piece]:
    return [row.pieces.get() for _ in range(row.pieces.qsize())]


def feed(row: Row, tokens: list[int]) -> list[str | None]:
    return [row.take(token) for token in tokens]


def test_a_row_runs_when_its_prompt_is_read_and_knows_what_its_slot_holds(new_row: NewRow):
    row = new_row([5, 6, 7])
    found = [(row.running, row.length, row.held)]
    for prefilled, token in ((2, None), (3, None), (3, 9), (3, 8)):
        row.prefilled = prefilled
        if token:
            row.take(token)
        found.append((row.running, row.length, row.held))
    assert found == [
        (False, 0, []),
        (False, 2, [5, 6]),
        (True, 3, [5, 6, 7]),
        (True, 3, [5, 6, 7]),
        (True, 4, [5, 6, 7, 9]),
    ]


def test_a_row_ends_at_an_end_token_or_at_its_limit(new_row: NewRow):
    assert feed(new_row([5]), [9, 9, 2]) == [None, None, "end"]
    assert feed(new_row([5], max_tokens=3), [9, 9, 9]) == [None, None, "length"]
    assert feed(new_row([5], max_tokens=2), [9, 2]) == [None, "end"]


def test_a_row_ends_where_a_stop_text_is_complete(new_row: NewRow, tokenizer):
    row = new_row([5], stop=("ab",), max_tokens=4)
    assert feed(row, tokenizer.encode("xab")) == [None, None, "stop"]
    row.end("stop")
    assert [piece.text for piece in sent(row)] == ["x", ""]


def test_what_was_held_back_comes_before_the_finish(new_row: NewRow, tokenizer):
    row = new_row([5], stop=("ab",))
    feed(row, tokenizer.encode("xa"))
    row.end("length")
    assert [(piece.text, piece.finish is None) for piece in sent(row)] == [
        ("x", True),
        ("a", True),
        ("", False),
    ]


def test_a_row_is_over_when_it_is_cancelled_or_out_of_time(new_row: NewRow):
    row = new_row([5], seconds=60)
    assert row.over is None
    row.began -= 61
    assert row.over == "time"
    row.cancelled = True
    assert row.over == "cancelled"


def test_the_place_in_line_is_told_when_it_changes(new_row: NewRow):
    row = new_row([5], index=2)
    for place in (3, 3, 1, 1, 0):
        row.wait(place)
    assert sent(row) == [Piece(2, "", waiting=place) for place in (3, 1, 0)]


def test_what_was_observed_is_in_the_finish(new_row: NewRow):
    row = new_row([5, 6, 7], adapter="0001", scale=0.5, index=3)
    row.reused = 2
    time.sleep(0.001)
    feed(row, [9, 9])
    row.end("cancelled", "why")
    last = sent(row)[-1]
    finish = last.finish
    assert (last.row, finish.reason, finish.error, finish.base) == (3, "cancelled", "why", "tiny")
    assert (finish.adapter, finish.scale) == ("0001", 0.5)
    assert (finish.prompt_tokens, finish.completion_tokens, finish.reused_tokens) == (3, 2, 2)
    assert 0 < finish.first_token_seconds <= finish.seconds


def test_a_base_row_is_recorded_without_scale(new_row: NewRow):
    row = new_row([5])
    row.end("end")
    finish = row.pieces.get().finish
    assert (finish.adapter, finish.scale) == (None, 0.0)


@pytest.mark.parametrize("text", ["é", "naïve café", "a🙂b", "£4.50 – ok"])
def test_texts_are_sent_piece_by_piece(new_row: NewRow, tokenizer, text):
    row = new_row([5], max_tokens=100)
    feed(row, [*tokenizer.encode(text), 2])
    row.end("end")
    assert [piece.text for piece in sent(row)] == [*text, ""]


def test_an_answer_cut_off_within_a_character_ends_before_it(new_row: NewRow, tokenizer):
    tokens = tokenizer.encode("ok 🙂")
    row = new_row([5], max_tokens=len(tokens) - 1)
    assert feed(row, tokens[:-1])[-1] == "length"
    assert "".join(piece.text for piece in sent(row)) == "ok "
