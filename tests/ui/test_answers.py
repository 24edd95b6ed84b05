"""How an answer looks while it waits, and what it says of how it ended."""

import pytest

from assistant.lanes import Answer, Finish, Piece
from assistant.ui.answers import answer_html


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (12, "Waiting: 12 answers are before this one"),
        (1, "Waiting: 1 answer is before this one"),
        (0, "Next in line"),
        (None, "Thinking"),
    ],
)
def test_a_lane_that_waits_says_how_many_are_before_it(place, text):
    assert text in answer_html(Answer("tuned", waiting=place), 1, writing=True)


@pytest.mark.parametrize(
    ("reason", "text"),
    [("time", "stopped at the time limit"), ("stop", "ended at a stop text"), ("busy", "too many answers")],
)
def test_each_ending_of_the_engine_has_its_words(ask, engine, monkeypatch, reason, text):
    refusal = "Quartet is busy. Ask again in a minute." if reason == "busy" else ""
    finish = Finish(reason, "paper", None, 0.0, 1412, 0, 0.0, 300.0, refusal, reused_tokens=1380)
    pieces = [Piece(row, "", finish) for row in range(4)]
    monkeypatch.setattr(engine, "generate", lambda *_: iter(pieces))
    shown = ask()[-1]["q-live-prompt"]
    assert f"<dt>Ending</dt><dd>{text}" in shown or f"begun: {text}" in shown
    assert ('role="alert">Quartet is busy.' in shown) == (reason == "busy")
    assert "1,412 read (1,380 of them kept from before), 0 written" in shown
    assert "to first word" not in shown


def test_sentences_that_no_document_supports_are_marked_in_all_lanes_and_after_a_reload(ask, handlers):
    said = "Refunds take five days. Bicycles <ship> abroad weekly."
    shown = ask(answers=(said,) * 4)[-1]
    again = {
        component.elem_id: value for component, value in handlers["chat_follow"](shown["q-chat-id"]).items()
    }
    for lane in ("prompt", "tuned", "rag", "combined"):
        assert 'documents says this.">Bicycles &lt;ship&gt; abroad weekly.</mark>' in again[f"q-live-{lane}"]
        assert ">Refunds take five days.</mark>" not in again[f"q-live-{lane}"]
        assert "1 sentence not in the documents" in again[f"q-live-{lane}"]
