"""Questions from everywhere: typed, from a file, from conversations held out, from past chats."""

import json

import pytest

from assistant.chats import Chats
from assistant.comparison.questions import from_chats, from_conversations, from_file, typed
from assistant.conversations import Conversation
from assistant.errors import AssistantError
from assistant.prompts import Message
from assistant.store import open_database

SYSTEM, HI, HELLO = Message("system", "Be kind."), Message("user", "Hi"), Message("assistant", "Hello")
LATE, FIVE = Message("user", "Is it late?"), Message("assistant", "Five days.")


def file(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name, name


def test_what_was_typed_is_a_question_a_line():
    assert [item.question for item in typed(" One? \n\n\tTwo?\n")] == ["One?", "Two?"]


def test_json_lines_bring_history_and_the_right_answer(tmp_path):
    line = {"id": "q7", "question": "Late?", "history": [{"role": "user", "content": "Hi"}], "answer": "No."}
    (item,) = from_file(*file(tmp_path, "q.jsonl", json.dumps(line)))
    assert (item.question, item.history, item.reference, item.origin) == (
        "Late?",
        (HI,),
        "No.",
        "q.jsonl: q7",
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.csv", 'Question,Answer,Topic\n"Late, or not?",No.,delivery\nNext?,,\n'),
        ("q.csv", "topic;question;answer\ndelivery;Late, or not?;No.\n;Next?;\n"),
        ("q.CSV", '\ufeffquestion,topic,answer\n"Late, or not?",delivery,No.\nNext?\n'),
    ],
    ids=["commas", "semicolons", "with a mark, and short rows"],
)
def test_a_table_brings_what_its_columns_are_called(tmp_path, name, text):
    first, second = from_file(*file(tmp_path, name, text))
    assert (first.question, first.reference, first.topic) == ("Late, or not?", "No.", "delivery")
    assert (second.question, second.reference, second.origin) == ("Next?", "", f"{name}, line 3")


def test_plain_text_is_a_question_a_line(tmp_path):
    items = from_file(*file(tmp_path, "q.txt", "One?\n\nTwo?\n"))
    assert [(item.question, item.origin) for item in items] == [
        ("One?", "q.txt, line 1"),
        ("Two?", "q.txt, line 3"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("q.pdf", "x", r"q\.pdf is no file of questions; it can be \.jsonl, \.csv, \.txt"),
        ("q.txt", " \n", r"q\.txt holds no question"),
        (
            "q.csv",
            "text,answer\na,b\n",
            "has the columns text, answer; one of them has to be called question",
        ),
        ("q.csv", "", "has the columns \\(none\\)"),
        ("q.jsonl", "{}", "is not a question"),
    ],
    ids=["kind", "empty", "columns", "nothing", "shape"],
)
def test_a_file_that_is_none_is_refused_with_a_text(tmp_path, name, text, says):
    with pytest.raises(AssistantError, match=says):
        from_file(*file(tmp_path, name, text))


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "q.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AssistantError, match="Save it as text in UTF-8"):
        from_file(tmp_path / "q.txt", "q.txt")


def test_of_a_conversation_the_last_question_that_was_answered_is_asked(tmp_path):
    conversations = [
        Conversation((SYSTEM, HI, HELLO, LATE, FIVE, HI), "a.jsonl:1", "delivery"),
        Conversation((HI,), "a.jsonl:2"),
        Conversation((LATE, FIVE), "a.jsonl:3"),
    ]
    first, last = from_conversations(conversations, 9, seed=0)
    assert (first.question, first.history, first.reference) == ("Is it late?", (HI, HELLO), "Five days.")
    assert (first.topic, first.origin) == ("delivery", "a.jsonl:1")
    assert (last.history, last.origin) == ((), "a.jsonl:3")


def test_which_conversations_are_taken_is_drawn_and_can_be_drawn_again():
    conversations = [Conversation((Message("user", f"{n}?"), FIVE), f"a:{n}") for n in range(50)]
    drawn = [
        [item.question for item in from_conversations(conversations, 10, seed=seed)] for seed in (1, 1, 2)
    ]
    assert len(drawn[0]) == 10
    assert drawn[0] == drawn[1] != drawn[2]


def test_past_chats_give_what_they_began_with(tmp_path):
    chats = Chats(open_database(tmp_path / "it.db"))
    for question in ("First?", "Second?"):
        chat = chats.new()
        chats.add_turn(chat, question)
        chats.add_turn(chat, "And then?")
    assert {item.question for item in from_chats(chats.latest())} == {"First?", "Second?"}
