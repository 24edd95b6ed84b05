"""Quick marks: kept by answer, taken back, and never among the votes."""

import pytest

from assistant.chats import Chats
from assistant.errors import AssistantError
from assistant.ratings import Desk, Mark, Marks
from assistant.store import open_database
from tests.studies import opened


@pytest.fixture
def database(tmp_path):
    return open_database(tmp_path / "it.db")


@pytest.fixture
def chats(database):
    return Chats(database)


def test_the_last_mark_of_an_answer_is_kept(database, chats):
    marks, chat = Marks(database), chats.new()
    first, second = chats.add_turn(chat, "A?"), chats.add_turn(chat, "B?")
    for value in (-1, 1):
        marks.set(first, "rag", "thumb", value)
    marks.set(first, "rag", "score", 4)
    marks.set(second, "tuned", "score", 2)
    assert marks.of_chat(chat) == {(first, "rag"): Mark(1, 4), (second, "tuned"): Mark(None, 2)}
    assert marks.of_chat(chats.new()) == {}


def test_marks_go_with_their_turn_and_when_its_answers_are_replaced(database, chats):
    marks, chat = Marks(database), chats.new()
    first, second = chats.add_turn(chat, "A?"), chats.add_turn(chat, "B?")
    for turn in (first, second):
        marks.set(turn, "rag", "thumb", 1)
    marks.clear(first)
    assert marks.of_chat(chat) == {(second, "rag"): Mark(1)}
    chats.remove_turn(second)
    assert marks.of_chat(chat) == {}


@pytest.mark.parametrize("mark", [("thumb", 2), ("thumb", 0), ("score", 0), ("score", 6), ("changed", None)])
def test_what_is_no_mark_is_refused(database, chats, mark):
    turn = chats.add_turn(chats.new(), "A?")
    with pytest.raises(AssistantError, match="is no mark"):
        Marks(database).set(turn, "rag", *mark)
    with pytest.raises(AssistantError, match="is no lane"):
        Marks(database).set(turn, "human", "thumb", 1)


def test_a_mark_is_no_vote(database, chats):
    parts = Desk.of(database)
    study = opened(parts)
    Marks(database).set(chats.add_turn(chats.new(), "A?"), "rag", "score", 5)
    assert parts.votes.of_study(study.id) == ()
