"""Quick marks in Compare: kept by answer, taken back, gone with the answer, and never among blind votes."""

import time

import pytest
from playwright.sync_api import expect

from assistant.ratings import Mark
from tests.studies import opened
from tests.ui.asking import ended, named, type_question
from tests.ui.working_pages import clicked, until


@pytest.fixture
def turn(studio, chat_id):
    return studio.chats.read(chat_id).turns[-1].id


def test_a_mark_is_kept_shown_and_taken_back(handlers, studio, chat_id, turn):
    place = {"turn": str(turn), "lane": "rag"}
    for kind, value in (("thumb", "1"), ("score", "4")):
        assert handlers["chat_mark"](chat_id, clicked(**place, kind=kind, value=value)) == ""
    assert studio.marks.of_chat(chat_id) == {(turn, "rag"): Mark(1, 4)}
    shown = named(handlers["chat_open"](clicked(chat=chat_id)))
    assert shown["q-live-rag"].count('aria-pressed="true"') == 2
    assert shown["q-live-tuned"].count('aria-pressed="true"') == 0
    handlers["chat_mark"](chat_id, clicked(**place, kind="thumb", value=""))
    assert studio.marks.of_chat(chat_id) == {(turn, "rag"): Mark(score=4)}


@pytest.mark.parametrize(
    "press",
    [
        {"turn": "99", "lane": "rag", "kind": "thumb", "value": "1"},
        {"turn": "x", "lane": "rag", "kind": "thumb", "value": "1"},
        {"turn": None, "lane": "nobody", "kind": "thumb", "value": "1"},
        {"turn": None, "lane": "rag", "kind": "thumb", "value": "many"},
        {"turn": None, "lane": "rag", "kind": "score", "value": "9"},
        {"turn": None, "lane": "rag", "kind": "changed", "value": "1"},
        {"turn": None, "lane": "rag", "kind": "changed", "value": ""},
        {"turn": None, "lane": "rag", "kind": ["thumb"], "value": "1"},
    ],
    ids=[
        "no turn",
        "no number",
        "no lane",
        "no thumb",
        "no score",
        "no kind",
        "no kind, taken back",
        "kinds",
    ],
)
def test_a_mark_that_is_none_is_refused(handlers, studio, chat_id, turn, press):
    said = handlers["chat_mark"](chat_id, clicked(**press | {"turn": press["turn"] or str(turn)}))
    assert "q-notice-problem" in said
    assert studio.marks.of_chat(chat_id) == {}


def test_asking_again_forgets_the_marks_of_the_answers_it_replaces(handlers, studio, chat_id, turn):
    handlers["chat_mark"](chat_id, clicked(turn=str(turn), lane="rag", kind="thumb", value="1"))
    for _ in handlers["chat_retry"](chat_id, 100):
        pass
    assert studio.marks.of_chat(chat_id) == {}


def test_marks_are_pressed_in_the_browser_and_are_no_votes(studio, address, browser_page, monkeypatch):
    """The second one before the first is kept."""
    study, keep = opened(studio.desk), studio.marks.set

    def slowly(*mark):
        time.sleep(0.5)
        keep(*mark)

    monkeypatch.setattr(studio.marks, "set", slowly)
    page = browser_page
    page.goto(address)
    page.locator(".q-dot-good").wait_for()
    type_question(page, "How long do refunds take?")
    ended(page)
    marks = page.locator("#q-live-combined .q-marks")
    for label in ("Good answer", "5 of 5"):
        marks.get_by_label(label).click()
    expect(marks.locator('[aria-pressed="true"]')).to_have_count(2)
    chat = page.url.split("chat=")[1]
    until(lambda: list(studio.marks.of_chat(chat).values()) == [Mark(1, 5)])
    page.reload()
    expect(page.locator('#q-live-combined .q-marks [aria-pressed="true"]')).to_have_count(2)
    assert studio.votes.of_study(study.id) == ()
